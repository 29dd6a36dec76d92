//! Answers to challenges that are made with the secret which also proves deliveries. A sender sends a token,
//! and the gateway signs it. Some senders do not sign the challenge, so that anyone gets a signature.
//!
//! No such answer can serve as the signature of a delivery. This is the only file that signs a sender's
//! text. It signs only a [`ChallengeToken`], which contains no brace; and a provider that has a
//! [`Countersign`] accepts only bodies that are a JSON object, which begins with one. The texts that are
//! signed as answers and those that are accepted as deliveries therefore have no element in common.

use crate::authenticate::Refusal;
use crate::authenticate::hmac::{Algorithm, mac};
use crate::model::Secret;
use crate::providers::Reply;

/// Longest token that is signed, in bytes.
const LONGEST: usize = 1024;

/// A text that the gateway may sign for a sender: 1 to 1,024 letters, digits and characters of base64 and
/// base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeToken(String);

impl ChallengeToken {
    /// The token, where the text may be signed. `name` is the field that holds it.
    ///
    /// # Errors
    /// [`Refusal::MissingField`] where the text is empty, too long, or has another character.
    pub fn read(name: &'static str, text: &str) -> Result<Self, Refusal> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.+/".contains(&byte);
        let fits = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned())).ok_or(Refusal::MissingField(name.into()))
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a provider answers a challenge with a proof of the secret: the HMAC-SHA-256 of a token.
pub struct Countersign {
    /// The answer, from the token and the HMAC of it.
    pub(super) write: fn(&ChallengeToken, &[u8]) -> Reply,
}

impl Countersign {
    /// The answer to this token, made with this secret.
    pub(super) fn answer(&self, token: &ChallengeToken, secret: &Secret) -> Reply {
        let proof = mac(Algorithm::Sha256, secret.expose(), &[token.0.as_bytes()]);
        (self.write)(token, &proof)
    }

    /// Checks that a body can be that of a delivery, before its signature counts.
    ///
    /// # Errors
    /// [`Refusal::MalformedBody`] where it is not a JSON object.
    pub(super) fn check_body(body: &[u8]) -> Result<(), Refusal> {
        let body = body.trim_ascii();
        let is_object = body.starts_with(b"{") && body.ends_with(b"}");
        is_object.then_some(()).ok_or(Refusal::MalformedBody { expected: "a JSON object" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_token_is_the_body_of_a_delivery(text in "[ -~\\t\\n]{0,40}") {
            let is_token = ChallengeToken::read("token", &text).is_ok();
            prop_assert!(!(is_token && Countersign::check_body(text.as_bytes()).is_ok()));
        }
    }

    #[test]
    fn a_token_holds_no_colon_so_it_begins_like_no_text_with_a_version_and_a_time() {
        assert!(ChallengeToken::read("token", "v0:1700000000:{}").is_err());
        assert!(ChallengeToken::read("token", "qgg8vlvZRS6UYooatFL8Aw").is_ok());
    }
}
