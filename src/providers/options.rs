//! What a source may set beside its provider and secrets. Every option has a default, and each
//! provider says which of them are its own.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName};

use crate::authenticate::hmac::{Algorithm, Encoding};
use crate::authenticate::jwt;
use crate::authenticate::timestamp::{DEFAULT_TOLERANCE, Unit};
use crate::model::{Claims, Value};
use crate::providers::{Preset, Template};

/// A source's own settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Take GitHub's older HMAC-SHA-1 signature where the newer one is absent. Default: no.
    pub allow_sha1: bool,
    /// The sender signs the time too, in a header with several elements. Default: no.
    pub timed: bool,
    /// Take HubSpot's older signatures, which sign no time, where the newest is absent. Default: no.
    pub allow_older: bool,
    /// How far a signed timestamp may be off. Default: 5 minutes.
    pub tolerance: Option<Duration>,
    /// The header that carries the signature or the token. No default.
    pub header: Option<HeaderName>,
    /// What stands before the signature or token, such as `sha256=` or `Bearer `. Default: nothing.
    pub prefix: Option<String>,
    /// Whether the prefix may be left out. Default: no.
    pub prefix_optional: bool,
    /// What separates several signatures in one header. Default: there is only one.
    pub separator: Option<char>,
    /// The hash. Default: SHA-256.
    pub algorithm: Option<Algorithm>,
    /// How the signature is written. Default: hex.
    pub encoding: Option<Encoding>,
    /// What is signed. Default: `{body}`.
    pub template: Option<Template>,
    /// The header that carries the signed timestamp. Default: there is none.
    pub timestamp_header: Option<HeaderName>,
    /// What the timestamp counts. Default: seconds.
    pub timestamp_unit: Option<Unit>,
    /// The address that the sender was given, without a query string, for senders that sign it. No
    /// default.
    pub public_url: Option<String>,
    /// The sender puts the secret itself where it could put a signature. Default: no.
    pub unsigned: bool,
    /// A token must come with every request beside its signature. Default: no.
    pub access_token: bool,
    /// The issuer whose settings are known. No default.
    pub preset: Option<Preset>,
    /// Who issues the sender's tokens. Default: what the preset says.
    pub issuer: Option<String>,
    /// For whom tokens must be, one of these. No default.
    pub audience: Vec<String>,
    /// The algorithms that tokens may be signed with. Default: what the preset says.
    pub algorithms: Vec<jwt::Algorithm>,
    /// Where the issuer publishes its keys. Default: what the preset says.
    pub jwks_url: Option<String>,
    /// Certificate authorities to trust, beside those of the system, where keys are fetched.
    pub ca_file: Option<PathBuf>,
    /// The HTTP proxy through which keys are fetched. Default: none.
    pub proxy: Option<String>,
    /// What tokens must claim. Default: nothing.
    pub required_claims: Claims,
    /// Whether a token must claim the digest of the body. Default: no.
    pub payload_hash: bool,
    /// The topics that may be subscribed to and sent from. No default.
    pub topics: Vec<String>,
    /// Write the secret that the sender hands over in its greeting into the file that the first of
    /// `secrets` names, as long as there is none. Default: no.
    pub learn_secret: bool,
    /// The user name of basic authentication. No default.
    pub user: Option<String>,
    /// Where the event's name is. Default: every event is of kind `event`.
    pub event: Option<Place>,
    /// Where the delivery's id is. Default: the digest of what was signed stands for it.
    pub delivery_id: Option<Place>,
}

/// The names of all options, as configurations write them.
pub(super) const NAMES: [&str; 30] = [
    "allow_sha1",
    "allow_older",
    "timed",
    "tolerance",
    "header",
    "prefix",
    "prefix_optional",
    "separator",
    "algorithm",
    "encoding",
    "template",
    "timestamp_header",
    "timestamp_unit",
    "public_url",
    "unsigned",
    "access_token",
    "preset",
    "issuer",
    "audience",
    "algorithms",
    "jwks_url",
    "ca_file",
    "proxy",
    "required_claims",
    "payload_hash",
    "topics",
    "learn_secret",
    "user",
    "event",
    "delivery_id",
];

/// Where in a request something is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a header.
    Header(HeaderName),
    /// In a field of the body, by the names on the way to it.
    Field(Vec<String>),
}

impl Place {
    /// What is there, if it is text or a whole number that is not empty.
    pub(super) fn read(&self, headers: &HeaderMap, body: &Value) -> Option<String> {
        let text = match self {
            Self::Header(name) => headers.get(name)?.to_str().ok()?.to_owned(),
            Self::Field(path) => {
                let value = path.iter().try_fold(body, |value, name| value.get(name))?;
                let number = || value.as_i64().map(|n| n.to_string());
                let large_number = || value.as_u64().map(|n| n.to_string());
                value.as_str().map(str::to_owned).or_else(number).or_else(large_number)?
            }
        };
        (!text.is_empty()).then_some(text)
    }

    /// The header, where it is one.
    pub(super) fn header(&self) -> Option<&HeaderName> {
        if let Self::Header(name) = self { Some(name) } else { None }
    }
}

impl Options {
    /// The tolerance in force.
    pub fn tolerance(&self) -> Duration {
        self.tolerance.unwrap_or(DEFAULT_TOLERANCE)
    }

    /// The options that are set although the provider does not take them, a sentence each.
    pub(super) fn strangers(&self, provider: &str, takes: &[&str]) -> Vec<String> {
        let belongs = if takes.is_empty() {
            "which has no options of its own".to_owned()
        } else {
            format!("which takes {}", takes.join(", "))
        };
        self.given()
            .filter(|name| !takes.contains(name))
            .map(|name| format!("`{name}` does not belong to provider `{provider}`, {belongs}"))
            .collect()
    }

    fn given(&self) -> impl Iterator<Item = &'static str> {
        let set = [
            self.allow_sha1,
            self.allow_older,
            self.timed,
            self.tolerance.is_some(),
            self.header.is_some(),
            self.prefix.is_some(),
            self.prefix_optional,
            self.separator.is_some(),
            self.algorithm.is_some(),
            self.encoding.is_some(),
            self.template.is_some(),
            self.timestamp_header.is_some(),
            self.timestamp_unit.is_some(),
            self.public_url.is_some(),
            self.unsigned,
            self.access_token,
            self.preset.is_some(),
            self.issuer.is_some(),
            !self.audience.is_empty(),
            !self.algorithms.is_empty(),
            self.jwks_url.is_some(),
            self.ca_file.is_some(),
            self.proxy.is_some(),
            !self.required_claims.is_empty(),
            self.payload_hash,
            !self.topics.is_empty(),
            self.learn_secret,
            self.user.is_some(),
            self.event.is_some(),
            self.delivery_id.is_some(),
        ];
        NAMES.into_iter().zip(set).filter_map(|(name, set)| set.then_some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_of_another_provider_is_named() {
        let options = Options { allow_sha1: true, user: Some("u".into()), ..Options::default() };
        assert_eq!(
            options.strangers("basic", &["user"]),
            ["`allow_sha1` does not belong to provider `basic`, which takes user"]
        );
    }

    #[test]
    fn a_place_is_read_from_headers_and_fields() {
        let body = Value::parse_json(br#"{"a": {"b": 7, "c": "", "d": []}}"#).expect("JSON");
        let field = |name: &str| Place::Field(vec!["a".into(), name.into()]);
        assert_eq!(field("b").read(&HeaderMap::new(), &body).as_deref(), Some("7"));
        for name in ["c", "d", "e"] {
            assert_eq!(field(name).read(&HeaderMap::new(), &body), None, "{name}");
        }
    }
}
