//! `docs/providers.md`, generated from the table of providers. So it covers every provider, and names
//! only options that the provider takes.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::Timestamp;

use super::wrap::wrapped;
use super::{ALL, Group, Identity, Options, Outgoing, Provider, SecretUse};
use crate::authenticate::{Unverified, kept};
use crate::model::Value;

/// The topic of a sample, for providers whose deliveries belong to a topic.
const SAMPLE_TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:sample";
/// The section of the configuration page that explains the options of a source.
const OPTIONS: &str = "configuration.md#sourcesname";

/// The whole page.
pub fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    for group in Group::ALL {
        let names: Vec<String> = of(group).map(|provider| link(provider.name())).collect();
        if !names.is_empty() {
            let _ = writeln!(text, "- {}: {}", group.title(), names.join(", "));
        }
    }
    text.push_str(SUMMARY);
    for group in Group::ALL {
        for provider in of(group) {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {:?} |",
                link(provider.name()),
                provider.title(),
                proof(provider),
                delivery_id(provider),
                provider.about().proven,
            );
        }
    }
    for group in Group::ALL {
        if of(group).next().is_some() {
            let _ = write!(text, "\n## {}\n", group.title());
        }
        of(group).for_each(|provider| section(&mut text, provider));
    }
    wrapped(&text)
}

fn of(group: Group) -> impl Iterator<Item = &'static dyn Provider> {
    ALL.iter().copied().filter(move |provider| provider.about().group == group)
}

fn link(name: &str) -> String {
    format!("[`{name}`](#{name})")
}

fn section(text: &mut String, provider: &dyn Provider) {
    let (name, about) = (provider.name(), provider.about());
    let _ = write!(text, "\n### `{name}`\n\n**{}.** {}\n\n", provider.title(), about.carries);
    for (number, step) in (1..).zip(about.setup) {
        let _ = writeln!(text, "{number}. {step}");
    }
    let _ = write!(text, "\n```yaml\nsources:\n  {name}:\n");
    for line in about.source.lines() {
        let _ = writeln!(text, "    {line}");
    }
    text.push_str("```\n\n");
    let takes: Vec<String> =
        provider.takes().iter().map(|option| format!("[`{option}`]({OPTIONS})")).collect();
    if !takes.is_empty() {
        let _ = writeln!(text, "- Options: {}.", takes.join(", "));
    }
    if provider.secret_use(&Options::default()) == SecretUse::None {
        text.push_str(
            "- `send` cannot try it: the key is fetched from the sender, who alone can sign with it. \
             Try its routes with `explain`.\n",
        );
    }
    if !about.yields.is_empty() {
        let _ = writeln!(text, "- {}", about.yields);
    }
    let _ = writeln!(text, "- Proven: {}.", about.proven.words());
    let sources: Vec<String> = about.sources.iter().map(|source| cited(source)).collect();
    if !sources.is_empty() {
        let _ = writeln!(text, "- Sources: {}.", sources.join("; "));
    }
}

fn cited(source: &str) -> String {
    if source.starts_with("https://") && !source.contains(' ') {
        format!("<{source}>")
    } else {
        source.to_owned()
    }
}

/// How its requests prove who sent them, as the table shows it.
fn proof(provider: &dyn Provider) -> &'static str {
    let options = Options::default();
    match (provider.secret_use(&options), provider.signs_body(&options)) {
        (SecretUse::None, true) => "published key",
        (_, true) => "signature",
        (_, false) => "token",
    }
}

/// What identifies its deliveries, as the table shows it. It is found out with the sample payload.
fn delivery_id(provider: &dyn Provider) -> &'static str {
    if provider.takes().contains(&"delivery_id") {
        return "where `delivery_id` says, else digest";
    }
    match identity_of_sample(provider) {
        Some(Identity::Sender(_)) => "the sender's",
        _ => "digest",
    }
}

fn identity_of_sample(provider: &dyn Provider) -> Option<Identity> {
    let (mut options, kind, method) = (Options::default(), provider.sample_kind(), &Method::POST);
    if provider.takes().contains(&"topics") {
        options.topics = vec![SAMPLE_TOPIC.to_owned()];
    }
    let path = "/hooks/sample";
    let body = provider.sample(kind)?.as_bytes();
    let outgoing = Outgoing { method, path, event: kind, body, access_token: None };
    let signer = provider.sample_signer();
    let signed = provider
        .sign(&outgoing, &signer, &options, "id", Timestamp::UNIX_EPOCH)
        .unwrap_or_default();
    let headers: HeaderMap = signed.headers.into_iter().collect();
    let body: Bytes = signed.body.unwrap_or_else(|| body.to_vec()).into();
    let decoded = provider.decode(&headers, &body).ok()?;
    let query = &signed.query;
    let request = Unverified { method, path, rest: "", query, headers: &headers, body: &body };
    let verified = request.verified(kept::kept(Value::Null));
    Some(provider.identity(&verified, &decoded.body, &options))
}

const INTRODUCTION: &str = "\
# Providers

<!-- Made from the table in src/providers. Change its files, then run the tests with UPDATE=1. -->

A source names its provider, and the gateway knows the rest: how that sender signs, where its event's
name and its delivery's id are, how it greets, which git facts it tells. For each provider this page
says what to set at the sender's side, what to write into `gateway.yaml`, and what its events carry.
Every source may also set the limits of [configuration.md](configuration.md#sourcesname):
`allow_from`, `rate`, `events`, `body_limit`, `ignore_actors`.

A body may be compressed (`Content-Encoding`: gzip, deflate, zstd) and in another charset than UTF-8; a
signature is checked over the bytes as they were sent. Where a page says that a test or a ping starts
nothing, the gateway knows it; any other test of a sender looks like what it tests, and starts what that
would start.

To try a source without its sender: `cdsw-gateway send SOURCE`, which signs with the source's secret, or,
without the configuration, `cdsw-gateway send --provider NAME --to URL`. Where the secret is the
sender's public key (`discord`, `travis-ci`, `jwt` with keys under `secrets`), only the sender can
sign: put the sample key, which `cdsw-gateway providers NAME --sample-secret` prints, beside it for as
long as you try. A source whose keys are fetched (`aws-sns`, `google-chat`, `jwt` with `jwks_url`)
believes nobody but its sender: try its routes with `explain`.

";

const SUMMARY: &str = "
Signature: the body is signed. Token: the request carries a secret, and whoever reads one request can
write others, so use TLS. Delivery id: what tells a repeat; the sender's own id, or a digest of what
was signed. How far each is proven, best first: `Literal`, signatures that the sender or its
documentation published; `Assembled`, requests put together from such values; `Recomputed`, signatures
made by the documented recipe; `Documented`, the documentation alone.

| provider | sender | proof | delivery id | proven |
|---|---|---|---|---|
";
