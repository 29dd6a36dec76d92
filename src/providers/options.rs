//! The settings of a source, in addition to its provider and secrets. Each provider says which of them
//! it takes.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName};

use crate::authenticate::hmac::{Algorithm, Encoding};
use crate::authenticate::jwt;
use crate::authenticate::timestamp::{DEFAULT_TOLERANCE, Unit};
use crate::model::{Claims, Value};
use crate::providers::{Preset, Scheme, Template};

/// A source's own settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Accept GitHub's older HMAC-SHA-1 signature where the newer one is absent. Default: no.
    pub allow_sha1: bool,
    /// Whether the sender also signs the time, in a header with several elements. Default: no.
    pub timed: bool,
    /// Accept HubSpot's older signatures, which do not cover the time, or Hook0's, which do not cover
    /// headers, where the newer one is absent. Default: no.
    pub allow_older: bool,
    /// How far a signed timestamp may differ from the gateway's clock. Default: 5 minutes, or what
    /// the provider says.
    pub tolerance: Option<Duration>,
    /// The header that carries the signature or the token. No default.
    pub header: Option<HeaderName>,
    /// The field of the query string that carries the token. No default.
    pub query: Option<String>,
    /// How the body is read. Default: as JSON or a form.
    pub body: BodyForm,
    /// The text before the signature or token, such as `sha256=` or `Bearer `. Default: nothing.
    pub prefix: Option<String>,
    /// Whether the prefix may be left out. Default: no.
    pub prefix_optional: bool,
    /// The separator between several signatures in one header. Default: there is only one signature.
    pub separator: Option<char>,
    /// The hash function. Default: SHA-256.
    pub algorithm: Option<Algorithm>,
    /// The encoding of the signature. Default: hex.
    pub encoding: Option<Encoding>,
    /// What is signed. Default: `{body}`.
    pub template: Option<Template>,
    /// The header that carries the signed timestamp. Default: there is none.
    pub timestamp_header: Option<HeaderName>,
    /// The unit of the timestamp. Default: seconds.
    pub timestamp_unit: Option<Unit>,
    /// The address that was configured at the sender, without a query string, for senders that sign
    /// it. No default.
    pub public_url: Option<String>,
    /// Whether the sender sends the secret itself in the place of a signature. Default: no.
    pub unsigned: bool,
    /// Whether every request must carry an access token in addition to its signature. Default: no.
    pub access_token: bool,
    /// A well-known issuer, which supplies the defaults for its tokens. No default.
    pub preset: Option<Preset>,
    /// The issuer of the sender's tokens (claim `iss`). Default: what the preset says.
    pub issuer: Option<String>,
    /// The audiences that are accepted: a token's claim `aud` must name one of them. No default.
    pub audience: Vec<String>,
    /// The algorithms that tokens may be signed with. Default: what the preset says.
    pub algorithms: Vec<jwt::Algorithm>,
    /// Where the issuer publishes its keys. Default: what the preset says.
    pub jwks_url: Option<String>,
    /// Certificate authorities to trust where keys are fetched, in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// The HTTP proxy through which keys are fetched. Default: none.
    pub proxy: Option<String>,
    /// The claims that tokens must have. Default: none.
    pub required_claims: Claims,
    /// Whether a token must have the body's digest as a claim. Default: no.
    pub payload_hash: bool,
    /// The topics whose subscriptions are confirmed and whose messages are accepted. No default.
    pub topics: Vec<String>,
    /// Whether the secret that the sender hands over in its greeting is written into the file that
    /// the first of `secrets` names, as long as there is no secret yet. Default: no.
    pub learn_secret: bool,
    /// The user name of basic authentication. No default.
    pub user: Option<String>,
    /// Where the event's name is. Default: every event is of kind `event`.
    pub event: Option<Place>,
    /// Where the delivery's id is. Default: the digest of what was signed is used instead.
    pub delivery_id: Option<Place>,
    /// How the sender proves its deliveries, where its provider leaves it to the source. Default: what the
    /// provider says.
    pub scheme: Option<Scheme>,
    /// Where the word for what was done is. Default: no event has an action.
    pub action: Option<Place>,
    /// The field of the body whose list holds the events, as a path of field names. An empty path is the
    /// body itself. Default: the body is one event.
    pub each: Option<Vec<String>>,
}

/// The names of all options, as configurations write them.
pub(super) const NAMES: [&str; 35] = [
    "allow_sha1",
    "allow_older",
    "timed",
    "tolerance",
    "header",
    "query",
    "body",
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
    "scheme",
    "action",
    "each",
];

/// How the body of a sender is read that may send anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyForm {
    /// As JSON, or as a form. What is neither, and is said to be text, is a text.
    #[default]
    Any,
    /// As a text, whatever is in it.
    Text,
    /// As lines of JSON: a list of their values.
    Lines,
}

impl std::str::FromStr for BodyForm {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "any" => Ok(Self::Any),
            "text" => Ok(Self::Text),
            "lines" => Ok(Self::Lines),
            _ => Err(format!("`{name}` is not one of any, text, lines")),
        }
    }
}

/// A place in a request that holds the event's name or the delivery's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a header.
    Header(HeaderName),
    /// In a field of the body, given as a path of field names.
    Field(Vec<String>),
    /// In all of these fields of the body together.
    Fields(Vec<Vec<String>>),
}

impl Place {
    /// The text there, or the whole number as text. None where there is neither, or an empty text.
    pub(super) fn read(&self, headers: &HeaderMap, body: &Value) -> Option<String> {
        let text = match self {
            Self::Header(name) => headers.get(name)?.to_str().ok()?.to_owned(),
            Self::Field(path) => field(path, body)?,
            Self::Fields(paths) => {
                let texts: Option<Vec<_>> = paths.iter().map(|path| field(path, body)).collect();
                joined(&texts?)
            }
        };
        (!text.is_empty()).then_some(text)
    }

    /// The text there of this part of the body. A field that the part lacks is read from the whole body.
    pub(super) fn read_in(
        &self,
        headers: &HeaderMap,
        part: &Value,
        body: &Value,
    ) -> Option<String> {
        match self {
            Self::Header(_) => self.read(headers, body),
            Self::Field(path) => field(path, part).or_else(|| field(path, body)),
            Self::Fields(paths) => {
                let read = |path: &Vec<String>| field(path, part).or_else(|| field(path, body));
                let texts: Option<Vec<_>> = paths.iter().map(read).collect();
                Some(joined(&texts?))
            }
        }
    }

    /// The place in words.
    fn shown(&self) -> String {
        match self {
            Self::Header(name) => format!("header `{name}`"),
            Self::Field(path) => format!("field `{}`", path.join(".")),
            Self::Fields(paths) => {
                let names: Vec<String> = paths.iter().map(|path| path.join(".")).collect();
                format!("fields `{}`", names.join("`, `"))
            }
        }
    }

    /// The header's name, where the place is a header.
    pub(super) fn header(&self) -> Option<&HeaderName> {
        if let Self::Header(name) = self { Some(name) } else { None }
    }
}

/// The text of a field, or its whole number as text. None where there is neither, or an empty text.
fn field(path: &[String], body: &Value) -> Option<String> {
    let value = path.iter().try_fold(body, |value, name| value.get(name))?;
    let number = || value.as_i64().map(|n| n.to_string());
    let large_number = || value.as_u64().map(|n| n.to_string());
    let text = value.as_str().map(str::to_owned).or_else(number).or_else(large_number)?;
    (!text.is_empty()).then_some(text)
}

/// Several texts as one, with spaces between them. Spaces within them are escaped, so that no two lists of
/// texts have the same form.
pub(super) fn joined<Text: AsRef<str>>(texts: &[Text]) -> String {
    let escape = |text: &Text| text.as_ref().replace('%', "%25").replace(' ', "%20");
    texts.iter().map(escape).collect::<Vec<_>>().join(" ")
}

impl Options {
    /// The tolerance in force.
    pub fn tolerance(&self) -> Duration {
        self.tolerance.unwrap_or(DEFAULT_TOLERANCE)
    }

    /// In words, that the place of the event's name has none; none where it has one, or none is configured.
    pub(crate) fn unnamed(&self, headers: &HeaderMap, body: &Value) -> Option<String> {
        // The names of a list's elements are within them.
        let place = self.event.as_ref().filter(|_| self.each.is_none())?;
        let is_named = place.read(headers, body).is_some();
        (!is_named).then(|| {
            let place = place.shown();
            format!("{place}, which names the event, is missing or empty; the kind is `event`")
        })
    }

    /// The options that are set although the provider does not take them: one sentence for each.
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
            self.query.is_some(),
            self.body != BodyForm::default(),
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
            self.scheme.is_some(),
            self.action.is_some(),
            self.each.is_some(),
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

    #[test]
    fn an_id_of_several_fields_needs_all_of_them() {
        let body = Value::parse_json(br#"{"id": 1, "source": "a b", "none": null}"#).expect("JSON");
        let fields = |names: &[&str]| {
            let paths = names.iter().map(|name| vec![(*name).to_owned()]).collect();
            Place::Fields(paths).read(&HeaderMap::new(), &body)
        };
        assert_eq!(fields(&["source", "id"]).as_deref(), Some("a%20b 1"));
        assert_eq!(fields(&["source", "none"]), None);
        assert_eq!(fields(&["source", "missing"]), None);
    }

    #[test]
    fn no_two_lists_of_texts_are_joined_to_one_text() {
        let lists: [&[&str]; 6] = [
            &["a", "b c"],
            &["a b", "c"],
            &["a", "b", "c"],
            &["a%20b", "c"],
            &["a b c"],
            &["a%20b%20c"],
        ];
        let all: std::collections::BTreeSet<_> = lists.iter().map(|list| joined(list)).collect();
        assert_eq!(all.len(), lists.len());
    }
}
