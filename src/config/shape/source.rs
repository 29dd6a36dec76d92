//! `sources:`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Header, Period, Rate, RepeatsShape, SecretShape, SecretShapes, Section, Size, Texts};
use crate::config::yaml::{At, Lenient, Required};

/// A sender of webhooks. The settings beside `provider` and `secrets` depend on the provider.
/// `check` reports a setting that the provider does not use.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of keys and values")]
#[schemars(rename = "Source")]
pub(in crate::config) struct SourceShape {
    /// The kind of sender, such as `github`.
    #[schemars(schema_with = "providers")]
    pub(in crate::config) provider: Required<At<String>>,
    /// The secrets that it may sign with. There are several while one is being replaced.
    #[serde(default, deserialize_with = "super::secret::references")]
    pub(in crate::config) secrets: Vec<Lenient<SecretShape>>,
    /// Largest body from this source. Default: the limit of the server.
    pub(in crate::config) body_limit: Option<At<Size>>,
    /// Addresses and networks that may send. Any other address gets 403, even with a valid
    /// signature. Default: any address. Behind a proxy, see `server.trusted_proxies`.
    #[schemars(example = ["192.30.252.0/22", "2a0a:a440::/29"])]
    pub(in crate::config) allow_from: Option<At<Texts>>,
    /// The largest number of deliveries that it may send in a length of time; that many may come at
    /// once. Only authentic deliveries are counted, so that strangers cannot use up the limit.
    /// Above it, nothing is stored, and the sender gets 429 with the time to try again. Default: no
    /// limit.
    #[schemars(example = &"60/m")]
    pub(in crate::config) rate: Option<At<Rate>>,
    /// What counts as a repeat, which starts nothing new: `{ window: … }` for how long after a delivery, or
    /// `never` where each request is a delivery of its own. Default: seven days for a sender that gives its
    /// deliveries an id, and ten minutes for one whose signed bytes stand for it. An id that comes with
    /// other content is never a repeat.
    #[schemars(example = &"never", example = serde_json::json!({ "window": "1h" }))]
    pub(in crate::config) repeats: Option<At<RepeatsShape>>,
    /// The kinds of event that may start something: the gateway's name of a kind, the sender's own
    /// name, or a pattern. Every other delivery is stored and starts nothing. Default: every kind.
    #[schemars(example = ["push", "pull_request"])]
    pub(in crate::config) events: Option<At<Texts>>,
    /// Account names whose events start nothing; only `*` in them stands for other text. Name the
    /// account that your jobs push with, so that a job does not start itself again and again.
    #[schemars(example = ["risk-bot[bot]", "ci-*"])]
    pub(in crate::config) ignore_actors: Option<At<Texts>>,
    /// Accept every request without a signature or token. Anyone who can reach the gateway can then
    /// start the jobs of every route of this source.
    #[serde(default = "no")]
    pub(in crate::config) dangerously_unauthenticated: At<bool>,
    /// Accept GitHub's older signature, which uses SHA-1, if the newer one is absent.
    #[serde(default)]
    pub(in crate::config) allow_sha1: bool,
    /// Accept older signatures if the newest one is absent: those of HubSpot, which do not sign the
    /// time, or those of Hook0, which do not sign any header.
    #[serde(default)]
    pub(in crate::config) allow_older: bool,
    /// The sender signs the time too: its header has elements such as `t=…,v1=…`.
    #[serde(default)]
    pub(in crate::config) timed: bool,
    /// How far the sender's clock may differ, if the sender signs the time. Default: `5m`;
    /// for `aws-sns` it is how old a message may be, and the default is `2h`.
    #[schemars(example = &"5m")]
    pub(in crate::config) tolerance: Option<At<Period>>,
    /// The header that carries the signature or the token.
    pub(in crate::config) header: Option<Header>,
    /// The field of the query string that carries the token, for a sender that can only be given an
    /// address: `/hooks/SOURCE?NAME=TOKEN`. The token may also stand in the path,
    /// `/hooks/SOURCE/TOKEN`. It is neither stored nor shown. Where `header` is set too, either
    /// place will do.
    #[schemars(example = &"token")]
    pub(in crate::config) query: Option<String>,
    /// How the body is read: `any` (JSON or a form; what is neither and has a content type of text,
    /// such as CSV or XML, is a text), `text` (a text, whatever is in it: `body` in expressions), or
    /// `lines` (lines of JSON: a list of their values). Default: `any`.
    #[schemars(extend("enum" = ["any", "text", "lines"]))]
    pub(in crate::config) body: Option<At<String>>,
    /// The text before the signature or token in its header, such as `sha256=`.
    #[schemars(example = &"sha256=")]
    pub(in crate::config) prefix: Option<String>,
    /// Whether the prefix may be left out.
    #[serde(default)]
    pub(in crate::config) prefix_optional: bool,
    /// The character between several signatures in one header. Default: the header has only one.
    pub(in crate::config) separator: Option<At<String>>,
    /// The hash: `sha1`, `sha256`, `sha384` or `sha512`. Default: `sha256`.
    #[schemars(extend("enum" = ["sha1", "sha256", "sha384", "sha512"]))]
    pub(in crate::config) algorithm: Option<At<String>>,
    /// How the signature is written: `hex` or `base64`. Default: `hex`.
    #[schemars(extend("enum" = ["hex", "base64"]))]
    pub(in crate::config) encoding: Option<At<String>>,
    /// What is signed: a text with the placeholders `{body}`, `{timestamp}`, `{id}`, `{method}` and
    /// `{path}`. Default: `{body}`.
    #[schemars(example = &"{timestamp}.{body}")]
    pub(in crate::config) template: Option<At<String>>,
    /// The header that carries the signed time.
    pub(in crate::config) timestamp_header: Option<Header>,
    /// The unit of the signed time: `seconds` or `milliseconds`. Default: `seconds`.
    #[schemars(extend("enum" = ["seconds", "milliseconds"]))]
    pub(in crate::config) timestamp_unit: Option<At<String>>,
    /// The address that is configured at the sender, without a query string, for senders that sign
    /// it. The gateway cannot know this address if it is behind a proxy.
    #[schemars(example = &"https://hooks.example.com/hooks/twilio")]
    pub(in crate::config) public_url: Option<At<String>>,
    /// The sender does not sign. It sends the secret itself in the place of a signature.
    #[serde(default)]
    pub(in crate::config) unsigned: bool,
    /// A token that the sender sends as `Authorization: Bearer …` in addition to its signature, or
    /// several tokens while one is being replaced. Both the token and the signature must then be
    /// valid.
    pub(in crate::config) access_token: Option<Lenient<SecretShapes>>,
    /// A known issuer of tokens, for which the address, keys and algorithms are built in:
    /// `github-actions`, `gitlab` (set `issuer` too for your own installation), `google` or
    /// `kubernetes` (set `issuer`).
    #[schemars(extend("enum" = ["github-actions", "gitlab", "google", "kubernetes"]))]
    pub(in crate::config) preset: Option<At<String>>,
    /// The issuer of the sender's tokens: the exact text of their claim `iss`.
    #[schemars(example = &"https://gitlab.example.com")]
    pub(in crate::config) issuer: Option<At<String>>,
    /// The audience that tokens must have: their claim `aud`, or one of several. Choose a text that
    /// no other service uses, such as the address of this gateway.
    #[schemars(example = ["https://hooks.example.com"])]
    pub(in crate::config) audience: Option<At<Texts>>,
    /// The algorithms that tokens may be signed with: HS256, HS384 or HS512 for a shared secret;
    /// for public keys RS, PS or ES with 256, 384 or 512, or EdDSA. Default: those of `preset`.
    #[schemars(example = ["RS256"])]
    pub(in crate::config) algorithms: Option<At<Texts>>,
    /// Where the issuer publishes its keys (a JSON Web Key Set): `https://`, or `http://` to this
    /// machine. The keys are fetched at the start and every hour. They are also fetched when a
    /// token names an unknown key, or names no key and none fits, at most every 30 seconds. While
    /// the issuer is down, the last keys stay in use. Default: the address of `preset`. Keys can
    /// also be given under `secrets` instead.
    #[schemars(example = &"https://login.example.com/.well-known/jwks.json")]
    pub(in crate::config) jwks_url: Option<At<String>>,
    /// A file of certificate authorities, in PEM format, to trust in addition to those of the
    /// system when keys are fetched. A relative path is relative to the directory of this file.
    #[schemars(example = &"/etc/ssl/corp-ca.pem")]
    pub(in crate::config) ca_file: Option<At<String>>,
    /// Address of an HTTP proxy through which keys are fetched. The proxy settings of the
    /// environment are ignored.
    #[schemars(example = &"http://proxy.example.com:3128")]
    pub(in crate::config) proxy: Option<At<String>>,
    /// Other claims that tokens must have, by name, each with a text or pattern, or a list of them.
    /// Write a dot between the names of nested claims. A token without such a claim is refused.
    #[schemars(example = serde_json::json!({ "repository": "acme/risk" }))]
    pub(in crate::config) required_claims: Option<At<Section<Texts>>>,
    /// Tokens must have a claim `payload_hash` that is the SHA-256 of the body, in hexadecimal or
    /// base64. Without it, a token proves nothing about the body that it comes with.
    #[serde(default)]
    pub(in crate::config) payload_hash: bool,
    /// The topics that the gateway may be subscribed to and receive from.
    #[serde(default)]
    #[schemars(example = ["arn:aws:sns:eu-west-1:123456789012:datasets"])]
    pub(in crate::config) topics: Vec<String>,
    /// Write the secret that the sender sends in its handshake into the file that the first of
    /// `secrets` names, while that file is missing or empty. The first handshake is then trusted,
    /// whoever sends it. Set this only for the minute in which you create the webhook, and remove
    /// it afterwards.
    #[serde(default)]
    pub(in crate::config) learn_secret: bool,
    /// The user name for basic authentication.
    pub(in crate::config) user: Option<String>,
    /// Where a request names its kind of event. Default: every event is of kind `event`.
    pub(in crate::config) event: Option<At<PlaceShape>>,
    /// Where a request names its delivery id. Default: a digest of what was signed is used.
    pub(in crate::config) delivery_id: Option<At<IdShape>>,
    /// How the sender proves its deliveries, for providers that leave it to the source: `token`, `basic`, `hmac`
    /// or `jwt`. The options of the provider of that name then belong to the source too. Default: `token`.
    #[schemars(extend("enum" = ["token", "basic", "hmac", "jwt"]))]
    pub(in crate::config) scheme: Option<At<String>>,
    /// Where a request names what was done, which `action` of a route asks for. Default: no event has an
    /// action.
    pub(in crate::config) action: Option<At<PlaceShape>>,
    /// The list in the body of which each element is an event of its own. `event` and `action` are then read
    /// from the element, and from the whole body where the element has none; expressions find the element at
    /// `event.part` of the list. Default: the whole body is one event.
    pub(in crate::config) each: Option<At<EachShape>>,
}

/// Where in a request a value is: in a header, or in a field of the body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section with `header` or `field`")]
#[schemars(rename = "Place", extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::config) struct PlaceShape {
    /// The header.
    pub(in crate::config) header: Option<Header>,
    /// The field. Write a dot between the names of nested fields.
    #[schemars(example = &"event.type")]
    pub(in crate::config) field: Option<At<String>>,
}

/// Where in a request the delivery's id is: in a header, in a field of the body, or in several fields together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section with `header`, `field` or `fields`")]
#[schemars(rename = "IdPlace", extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::config) struct IdShape {
    /// The header.
    pub(in crate::config) header: Option<Header>,
    /// The field. Write a dot between the names of nested fields.
    #[schemars(example = &"event.id")]
    pub(in crate::config) field: Option<At<String>>,
    /// Several fields which only together are an id. A request that lacks one of them has none.
    #[schemars(example = ["source", "id"])]
    pub(in crate::config) fields: Option<At<Texts>>,
}

/// A list in the body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section with `field`")]
#[schemars(rename = "Each")]
pub(in crate::config) struct EachShape {
    /// The field that holds the list. Write a dot between the names of nested fields, and a dot alone where the
    /// whole body is the list.
    #[schemars(example = &"Records", example = &".")]
    pub(in crate::config) field: Required<At<String>>,
}

fn no() -> At<bool> {
    At::default_of(false)
}

fn providers(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let names: Vec<&str> = crate::providers::names().collect();
    schemars::json_schema!({ "type": "string", "enum": names })
}
