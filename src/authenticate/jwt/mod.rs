//! Signed tokens (JSON Web Tokens): an issuer states who the sender is, for whom the token is meant and
//! until when it is valid.
//!
//! The source sets the accepted algorithms and the keys; the token's header only chooses among them. A
//! shared secret is used for HMAC alone, and a public key never for HMAC, so neither can be mistaken for
//! the other.

mod algorithm;
mod sign;
mod signature;
mod times;
mod token;

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::authenticate::hmac::Encoding;
use crate::authenticate::keys::KeySet;
use crate::authenticate::proof::first_match;
use crate::authenticate::{Proof, Refusal, Unverified, headers};
use crate::model::{ClaimMiss, Claims, Secret, Value};
use algorithm::Key;
use token::Token;

pub use algorithm::Algorithm;
pub use sign::{CannotSign, sign};

/// How far clocks may differ, unless a source sets another tolerance.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(60);

/// The most keys of a set that are tried for one token.
const MOST_TRIED: usize = 8;

/// What a source requires of a token.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The header that carries it.
    pub header: &'a HeaderName,
    /// The text before the token in that header, such as `Bearer `.
    pub prefix: &'a str,
    /// The accepted algorithms.
    pub algorithms: &'a [Algorithm],
    /// The issuer; the claim `iss` must be equal to it.
    pub issuer: &'a str,
    /// The accepted audiences; the claim `aud` must hold one of them.
    pub audience: &'a [String],
    /// Further claims that it must have.
    pub required: &'a Claims,
    /// Whether the claim `payload_hash` must be the SHA-256 of the body.
    pub payload_hash: bool,
    /// How far clocks may differ.
    pub tolerance: Duration,
}

/// The keys that signatures are checked with.
#[derive(Clone, Copy, Debug)]
pub enum Keys<'a> {
    /// The configured ones: public keys or shared secrets, whichever the token's algorithm needs.
    Configured(&'a [Secret]),
    /// Those that the issuer publishes.
    Published(&'a KeySet),
}

/// Proof that the request carries a token of the issuer, for this audience, valid now.
///
/// # Errors
/// Why it is refused. The signature is checked before anything that the token claims.
pub fn verify(
    request: &Unverified<'_>,
    rules: &Rules<'_>,
    keys: Keys<'_>,
    now: Timestamp,
) -> Result<Proof, Refusal> {
    let token = read(request.headers, rules)?;
    let proof = match keys {
        Keys::Configured(secrets) => by_configured(&token, secrets)?,
        Keys::Published(keys) => by_published(&token, keys)?,
    };
    let claims = token.claims()?;
    times::check(&claims, rules.tolerance, now)?;
    check(&claims, rules, request.body)?;
    Ok(proof.with_claims(claims))
}

/// The name of the key that the request's token says it was signed with.
///
/// The outer `None` means that no published key could make the token acceptable; the inner one, that the
/// token names no key.
pub fn key_name(headers: &HeaderMap, rules: &Rules<'_>) -> Option<Option<String>> {
    let token = read(headers, rules).ok()?;
    matches!(token.algorithm.key(), Key::Private(_)).then_some(token.key)
}

fn read<'h>(headers: &'h HeaderMap, rules: &Rules<'_>) -> Result<Token<'h>, Refusal> {
    let text = headers::one(headers, rules.header)?;
    let text = without_prefix(text, rules)
        .ok_or_else(|| headers::malformed(rules.header, "the configured prefix with a token"))?;
    let token = Token::read(text)?;
    if rules.algorithms.contains(&token.algorithm) {
        Ok(token)
    } else {
        Err(Refusal::UnfitToken("is signed with an algorithm that the source does not take"))
    }
}

/// The token after its prefix. In `Authorization`, the case of the prefix does not matter (RFC 9110).
fn without_prefix<'t>(text: &'t str, rules: &Rules<'_>) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(rules.prefix.len())?;
    let same = if rules.header == AUTHORIZATION {
        start.eq_ignore_ascii_case(rules.prefix)
    } else {
        start == rules.prefix
    };
    same.then_some(rest)
}

fn by_configured(token: &Token<'_>, secrets: &[Secret]) -> Result<Proof, Refusal> {
    let matches: &dyn Fn(&Secret) -> bool = match token.algorithm.key() {
        Key::Shared(_) => &|secret: &Secret| {
            let secret = secret.expose();
            !KeySet::looks_public(secret) && signature::is_by_secret(token, secret)
        },
        Key::Private(_) => &|secret: &Secret| {
            KeySet::from_text(secret.expose()).is_ok_and(|keys| by_published(token, &keys).is_ok())
        },
    };
    first_match(secrets.iter().enumerate(), Refusal::BadSignature, matches)
}

fn by_published(token: &Token<'_>, keys: &KeySet) -> Result<Proof, Refusal> {
    let Key::Private(scheme) = token.algorithm.key() else {
        return Err(Refusal::UnfitToken(
            "is signed with a secret, where the source has public keys",
        ));
    };
    let name = token.algorithm.as_str();
    let mut fitting = keys.candidates(token.key.as_deref(), scheme, Some(name)).peekable();
    if fitting.peek().is_none() {
        return Err(Refusal::UnknownKey);
    }
    match fitting.take(MOST_TRIED).any(|key| signature::is_by_key(token, key)) {
        true => Ok(Proof::published(Value::Null)),
        false => Err(Refusal::BadSignature),
    }
}

fn check(claims: &Value, rules: &Rules<'_>, body: &[u8]) -> Result<(), Refusal> {
    let text = |name| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(rules.issuer) {
        return Err(wrong("iss", rules.issuer, claims));
    }
    if !is_for(claims.get("aud"), rules.audience) {
        return Err(wrong("aud", &rules.audience.join(", "), claims));
    }
    if let Err(miss) = rules.required.check(claims) {
        return Err(Refusal::WrongClaim(miss));
    }
    if rules.payload_hash && !text("payload_hash").is_some_and(|text| is_hash(text, body)) {
        return Err(wrong("payload_hash", "the SHA-256 of the body", claims));
    }
    Ok(())
}

/// The refusal for a claim that is not as wanted, with its value.
fn wrong(name: &str, wanted: &str, claims: &Value) -> Refusal {
    let found = match claims.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::List(several)) => {
            let texts: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
            Some(texts.join(", "))
        }
        Some(other) => Some(other.to_text().unwrap_or_else(|| "not a text".to_owned())),
    };
    Refusal::WrongClaim(ClaimMiss { name: name.to_owned(), wanted: wanted.to_owned(), found })
}

/// Whether the claim `aud` names one of our audiences. It is a text or a list of texts.
fn is_for(claim: Option<&Value>, audience: &[String]) -> bool {
    let ours =
        |value: &Value| value.as_str().is_some_and(|text| audience.iter().any(|ours| ours == text));
    match claim {
        Some(Value::List(several)) => several.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    }
}

/// Whether the text is the SHA-256 of the body, in hexadecimal or base64.
fn is_hash(text: &str, body: &[u8]) -> bool {
    let hash = Sha256::digest(body);
    [Encoding::Hex, Encoding::Base64]
        .iter()
        .any(|encoding| encoding.decode(text).is_some_and(|bytes| bytes == hash.as_slice()))
}
