//! Why authentication refused a request: a label for metrics and a sentence for the log.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::HeaderName;

use crate::model::{ClaimMiss, is_hidden, length};

/// The most characters of a claim that are shown. Longer ones are cut.
const SHOWN: usize = 100;

/// Why a request was refused.
///
/// It names headers, never their values. It shows the value of a token's claim, since claims are not
/// secret and the token's signature was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A header that the scheme needs is not there.
    MissingHeader(HeaderName),
    /// A header that must be there once is there several times, so it is unclear which one counts.
    RepeatedHeader(HeaderName),
    /// A header does not have the form that the scheme prescribes.
    MalformedHeader {
        /// The header.
        header: HeaderName,
        /// The form that it should have.
        expected: &'static str,
    },
    /// The time in a header cannot be read, or is in another unit.
    MalformedTime {
        /// The header.
        header: HeaderName,
        /// The form that it should have, and what it looks like instead.
        expected: &'static str,
    },
    /// The scheme needs a field of the query string or the form, and it is not there.
    MissingField(Cow<'static, str>),
    /// A field that must be there once is there several times, so it is unclear which one counts.
    RepeatedField(Cow<'static, str>),
    /// The body does not have the form that the scheme signs.
    MalformedBody {
        /// The form that it should have.
        expected: &'static str,
    },
    /// The signature matches this request under none of the source's secrets or the sender's keys.
    BadSignature,
    /// The signature or token matches only without the white space at an end of the configured secret.
    BlankEnd,
    /// The token, user name or password is not the configured one.
    WrongCredentials,
    /// The signature names a key that its issuer does not publish.
    UnknownKey,
    /// The key that made the signature has a certificate that is not valid now.
    KeyNotValid,
    /// The token has expired.
    Expired {
        /// How long ago.
        off: Duration,
        /// How far the clocks may differ.
        tolerance: Duration,
    },
    /// A claim of the token, or a field that the sender signs, is not what the source asks for.
    WrongClaim(ClaimMiss),
    /// The token's form or type is not one that the source accepts.
    UnfitToken(&'static str),
    /// The signed time is too far in the past: a late or a replayed request.
    Stale {
        /// How far in the past it is.
        off: Duration,
        /// How far it may be.
        tolerance: Duration,
    },
    /// The signed time is too far in the future: one of the two clocks is wrong.
    Future {
        /// How far in the future it is.
        off: Duration,
        /// How far it may be.
        tolerance: Duration,
    },
    /// The only signature is of a kind that must be allowed explicitly.
    WeakScheme(&'static str),
    /// None of the source's secrets can be used with this scheme.
    NoUsableSecret,
    /// The source lacks a setting without which nothing can be checked.
    Misconfigured(&'static str),
}

impl Refusal {
    /// The refusal for a claim or a signed field that is missing or not acceptable. It shows no value.
    pub fn unfit_claim(name: &str) -> Self {
        let (name, wanted, found) = (name.to_owned(), String::new(), None);
        Self::WrongClaim(ClaimMiss { name, wanted, found })
    }

    /// Whether another secret could have made the request authentic.
    pub fn may_be_of_the_secret(&self) -> bool {
        matches!(self, Self::BadSignature | Self::WrongCredentials | Self::NoUsableSecret)
    }

    /// A label for metrics. It depends on the kind of refusal alone, never on the request's content.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingHeader(_) => "missing_header",
            Self::RepeatedHeader(_) => "repeated_header",
            Self::MalformedHeader { .. } | Self::MalformedTime { .. } => "malformed_header",
            Self::MissingField(_) => "missing_field",
            Self::RepeatedField(_) => "repeated_field",
            Self::MalformedBody { .. } => "malformed_body",
            Self::BadSignature | Self::BlankEnd => "bad_signature",
            Self::WrongCredentials => "wrong_credentials",
            Self::UnknownKey => "unknown_key",
            Self::KeyNotValid => "key_not_valid",
            Self::Expired { .. } => "expired_token",
            Self::WrongClaim(_) => "wrong_claim",
            Self::UnfitToken(_) => "unfit_token",
            Self::Stale { .. } => "stale_timestamp",
            Self::Future { .. } => "future_timestamp",
            Self::WeakScheme(_) => "weak_scheme",
            Self::NoUsableSecret => "no_usable_secret",
            Self::Misconfigured(_) => "misconfigured",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHeader(header) => {
                write!(f, "header `{header}` is missing; is a secret set at the sender?")
            }
            Self::RepeatedHeader(header) => {
                write!(f, "header `{header}` is there more than once, so it is ambiguous")
            }
            Self::MalformedHeader { header, expected } => {
                write!(f, "header `{header}` is not {expected}")
            }
            Self::MalformedTime { header, expected } => {
                write!(f, "the time in header `{header}` is not {expected}")
            }
            Self::MissingField(field) => {
                write!(f, "field `{field}` is missing; is a secret set at the sender?")
            }
            Self::RepeatedField(field) => {
                write!(f, "field `{field}` is there more than once, so it is ambiguous")
            }
            Self::MalformedBody { expected } => write!(f, "the body is not {expected}"),
            Self::BadSignature => f.write_str(
                "the signature does not match; the secrets differ, or something on the way \
                 changed the body",
            ),
            Self::BlankEnd => f.write_str(
                "it matches only without the white space at an end of the secret; remove that from where the \
                 secret is kept",
            ),
            Self::WrongCredentials => {
                f.write_str("the token or password is not the configured one")
            }
            Self::UnknownKey => f.write_str("the signature names a key that is not published"),
            Self::KeyNotValid => {
                f.write_str("the certificate of the key that made the signature is not valid now")
            }
            Self::Expired { off, tolerance } => write!(
                f,
                "the token expired {} ago, and clocks may differ by {}: get a new one for each \
                 request",
                length(*off),
                length(*tolerance)
            ),
            Self::WrongClaim(miss) => wrong_claim(f, miss),
            Self::UnfitToken(why) => write!(f, "the token {why}"),
            Self::Stale { off, tolerance } => write!(
                f,
                "the signed timestamp is {} old, and {} are allowed: a replay, a slow sender or a \
                 wrong clock",
                length(*off),
                length(*tolerance)
            ),
            Self::Future { off, tolerance } => write!(
                f,
                "the signed timestamp is {} ahead, and {} are allowed: check the clocks",
                length(*off),
                length(*tolerance)
            ),
            Self::WeakScheme(scheme) => write!(
                f,
                "the request is only signed with {scheme}, which must be allowed explicitly"
            ),
            Self::NoUsableSecret => {
                f.write_str("none of the source's secrets can be used with its provider")
            }
            Self::Misconfigured(what) => write!(f, "the source's settings lack {what}"),
        }
    }
}

fn wrong_claim(f: &mut fmt::Formatter<'_>, miss: &ClaimMiss) -> fmt::Result {
    let ClaimMiss { name, wanted, found } = miss;
    match (wanted.as_str(), found) {
        ("", _) => write!(f, "`{name}` is missing or not what the source asks for"),
        (wanted, None) => {
            write!(f, "`{name}` is missing, and the source wants `{}`", shown(wanted))
        }
        (wanted, Some(found)) => {
            write!(f, "`{name}` is `{}`, and the source wants `{}`", shown(found), shown(wanted))
        }
    }
}

/// The start of a text, with U+FFFD in place of each character that cannot be seen.
fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let start = characters.by_ref().take(SHOWN);
    let mut start: String =
        start.map(|letter| if is_hidden(letter) { '\u{fffd}' } else { letter }).collect();
    if characters.next().is_some() {
        start.push('…');
    }
    start
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_shown_cut_and_printable() {
        let found = Some(format!("a\n\u{202e}{}", "b".repeat(200)));
        let miss = ClaimMiss { name: "iss".to_owned(), wanted: "https://a".to_owned(), found };
        let words = Refusal::WrongClaim(miss).to_string();
        let shown = format!("`iss` is `a\u{fffd}\u{fffd}{}…`, and the source", "b".repeat(97));
        assert!(words.starts_with(&shown), "{words}");
        assert!(words.ends_with("wants `https://a`"), "{words}");
    }
}
