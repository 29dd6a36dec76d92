//! `sources:`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Header, Period, Rate, SecretShape, SecretShapes, Section, Size, Texts};
use crate::config::yaml::{At, Lenient, Required};

/// Someone who may send webhooks. What it may set beside `provider` and `secrets` depends on its
/// provider; `check` names whatever does not belong.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of keys and values")]
#[schemars(rename = "Source")]
pub(in crate::config) struct SourceShape {
    /// The kind of sender.
    #[schemars(schema_with = "providers")]
    pub(in crate::config) provider: Required<At<String>>,
    /// The secrets that it may sign with; several while one is being replaced.
    #[serde(default, deserialize_with = "super::secret::references")]
    pub(in crate::config) secrets: Vec<Lenient<SecretShape>>,
    /// Largest body from this source. Default: that of the server.
    pub(in crate::config) body_limit: Option<At<Size>>,
    /// Addresses and networks that may send. Anyone else gets 403, whatever the signature. Default:
    /// any address. Behind a proxy, see `server.trusted_proxies`.
    #[schemars(example = ["192.30.252.0/22", "2a0a:a440::/29"])]
    pub(in crate::config) allow_from: Option<At<Texts>>,
    /// How many deliveries it may send in how long a time; that many may come at once. Only
    /// authentic ones are counted, so that strangers cannot use it up. Above it nothing is kept,
    /// and the sender is told with 429 when to come again. Default: no limit.
    #[schemars(example = &"60/m")]
    pub(in crate::config) rate: Option<At<Rate>>,
    /// The kinds of event that may start something, by the gateway's word or by the sender's own
    /// name for it, or patterns of them. Every other delivery is kept and starts nothing. Default:
    /// every kind.
    #[schemars(example = ["push", "pull_request"])]
    pub(in crate::config) events: Option<At<Texts>>,
    /// Account names, or patterns of them, whose events start nothing: the account that your jobs
    /// push with, so that a job does not start itself for ever.
    #[schemars(example = ["risk-bot", "ci-*"])]
    pub(in crate::config) ignore_actors: Option<At<Texts>>,
    /// Accept what anyone sends. Whoever can reach the gateway can then start the jobs of every
    /// route of this source.
    #[serde(default = "no")]
    pub(in crate::config) dangerously_unauthenticated: At<bool>,
    /// Accept GitHub's older signature, made with SHA-1, where the newer one is absent.
    #[serde(default)]
    pub(in crate::config) allow_sha1: bool,
    /// Accept older signatures where the newest is absent: HubSpot's, which sign no time, or Hook0's,
    /// which sign no header.
    #[serde(default)]
    pub(in crate::config) allow_older: bool,
    /// The sender signs the time too: its header has elements such as `t=…,v1=…`.
    #[serde(default)]
    pub(in crate::config) timed: bool,
    /// How far the sender's clock may be off, where it signs the time. Default: `5m`.
    #[schemars(example = &"5m")]
    pub(in crate::config) tolerance: Option<At<Period>>,
    /// The header that carries the signature or the token.
    pub(in crate::config) header: Option<Header>,
    /// What stands before the signature or token in its header, such as `sha256=`.
    #[schemars(example = &"sha256=")]
    pub(in crate::config) prefix: Option<String>,
    /// Whether the prefix may be left out.
    #[serde(default)]
    pub(in crate::config) prefix_optional: bool,
    /// The character between several signatures in one header. Default: there is only one.
    pub(in crate::config) separator: Option<At<String>>,
    /// The hash: `sha1`, `sha256`, `sha384` or `sha512`. Default: `sha256`.
    #[schemars(extend("enum" = ["sha1", "sha256", "sha384", "sha512"]))]
    pub(in crate::config) algorithm: Option<At<String>>,
    /// How the signature is written: `hex` or `base64`. Default: `hex`.
    #[schemars(extend("enum" = ["hex", "base64"]))]
    pub(in crate::config) encoding: Option<At<String>>,
    /// What is signed: text with the holes `{body}`, `{timestamp}`, `{id}`, `{method}` and
    /// `{path}`. Default: `{body}`.
    #[schemars(example = &"{timestamp}.{body}")]
    pub(in crate::config) template: Option<At<String>>,
    /// The header that carries the signed time.
    pub(in crate::config) timestamp_header: Option<Header>,
    /// What the signed time counts: `seconds` or `milliseconds`. Default: `seconds`.
    #[schemars(extend("enum" = ["seconds", "milliseconds"]))]
    pub(in crate::config) timestamp_unit: Option<At<String>>,
    /// The address that was set at the sender, without a query string, for senders that sign it: the
    /// gateway cannot know it where a proxy stands before it.
    #[schemars(example = &"https://hooks.example.com/hooks/twilio")]
    pub(in crate::config) public_url: Option<At<String>>,
    /// The sender is not set to sign: it puts the secret itself where a signature could be.
    #[serde(default)]
    pub(in crate::config) unsigned: bool,
    /// A token that the sender sends as `Authorization: Bearer …` beside its signature, or several
    /// while one is being replaced. Token and signature must then both be right.
    pub(in crate::config) access_token: Option<Lenient<SecretShapes>>,
    /// An issuer of tokens whose address, keys and algorithms are known: `github-actions`, `gitlab`
    /// (for an installation of your own set `issuer` too), `google` or `kubernetes` (set `issuer`).
    #[schemars(extend("enum" = ["github-actions", "gitlab", "google", "kubernetes"]))]
    pub(in crate::config) preset: Option<At<String>>,
    /// Who issues the sender's tokens: their claim `iss`, to the letter.
    #[schemars(example = &"https://gitlab.example.com")]
    pub(in crate::config) issuer: Option<At<String>>,
    /// For whom tokens must be: their claim `aud`, or one of several. Choose a text that no other
    /// service uses, such as the address of this gateway.
    #[schemars(example = ["https://hooks.example.com"])]
    pub(in crate::config) audience: Option<At<Texts>>,
    /// The algorithms that tokens may be signed with: HS256, HS384 or HS512 for a shared secret, or
    /// RS, PS or ES with 256, 384 or 512, or EdDSA, for public keys. Default: what `preset` says.
    #[schemars(example = ["RS256"])]
    pub(in crate::config) algorithms: Option<At<Texts>>,
    /// Where the issuer publishes its keys (a JSON Web Key Set): `https://`, or `http://` to this
    /// machine. They are fetched at the start, every hour, and when a token names an unknown key, or
    /// names none and none fits, but not more often than every 30 seconds; while the issuer is down the last ones stay in use.
    /// Default: what `preset` says; or put the keys under `secrets`.
    #[schemars(example = &"https://login.example.com/.well-known/jwks.json")]
    pub(in crate::config) jwks_url: Option<At<String>>,
    /// A file of certificate authorities, in PEM form, to trust beside those of the system where keys
    /// are fetched. A relative path starts at the directory of this file.
    #[schemars(example = &"/etc/ssl/corp-ca.pem")]
    pub(in crate::config) ca_file: Option<At<String>>,
    /// Address of an HTTP proxy to fetch keys through. Proxy settings of the environment are not
    /// looked at.
    #[schemars(example = &"http://proxy.example.com:3128")]
    pub(in crate::config) proxy: Option<At<String>>,
    /// What else tokens must claim, by the name of the claim, with dots on the way into one that has
    /// parts: a text or pattern, or several. A token without it is refused.
    #[schemars(example = serde_json::json!({ "repository": "acme/risk" }))]
    pub(in crate::config) required_claims: Option<At<Section<Texts>>>,
    /// Whether tokens must hold the SHA-256 of the body, in hexadecimal or base64, as their claim
    /// `payload_hash`. Without it a token says nothing of the body that it comes with.
    #[serde(default)]
    pub(in crate::config) payload_hash: bool,
    /// The topics that may be subscribed to and sent from.
    #[serde(default)]
    #[schemars(example = ["arn:aws:sns:eu-west-1:123456789012:datasets"])]
    pub(in crate::config) topics: Vec<String>,
    /// Write the secret that the sender hands over in its greeting into the file that the first of
    /// `secrets` names, as long as that file is not there or empty. Whoever greets first is then
    /// believed: set it for the minute in which the webhook is created, and take it out again.
    #[serde(default)]
    pub(in crate::config) learn_secret: bool,
    /// The user name of basic authentication.
    pub(in crate::config) user: Option<String>,
    /// Where the kind of event is named. Default: every event is of kind `event`.
    pub(in crate::config) event: Option<At<PlaceShape>>,
    /// Where the delivery's id is. Default: a digest of what was signed stands for it.
    pub(in crate::config) delivery_id: Option<At<PlaceShape>>,
}

/// Where in a request something is named: in a header, or in a field of the body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section with `header` or `field`")]
#[schemars(rename = "Place", extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::config) struct PlaceShape {
    /// The header.
    pub(in crate::config) header: Option<Header>,
    /// The field, with dots between the names on the way to it.
    #[schemars(example = &"event.type")]
    pub(in crate::config) field: Option<At<String>>,
}

fn no() -> At<bool> {
    At::default_of(false)
}

fn providers(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let names: Vec<&str> = crate::providers::names().collect();
    schemars::json_schema!({ "type": "string", "enum": names })
}
