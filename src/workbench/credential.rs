//! The credential of a request. This is the only place where an API key is put into a request.

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use zeroize::Zeroizing;

use super::NotSent;
use crate::model::Secret;

/// A key, and how it is sent. It has no `Display`, and its `Debug` does not show the key.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    /// The key as the user name of Basic authentication (RFC 7617), with an empty password.
    Basic(Secret),
    /// The key as a bearer token (RFC 6750).
    #[cfg_attr(not(test), expect(dead_code, reason = "only the API v2 takes bearer tokens"))]
    Bearer(Secret),
}

impl Credential {
    /// Adds the credential to a request, marked as sensitive so that no layer of the client prints it.
    pub(super) fn apply(&self, request: RequestBuilder) -> Result<RequestBuilder, NotSent> {
        let text = std::str::from_utf8(self.key().expose());
        let key = text.map_err(|_| unusable("the API key is not text (UTF-8)"))?;
        match self {
            Self::Basic(_) => Ok(request.basic_auth(key, Some(""))),
            Self::Bearer(_) => {
                let text = Zeroizing::new(format!("Bearer {key}"));
                let mut value = HeaderValue::from_str(&text).map_err(|_| {
                    unusable("the API key has a character that a bearer token cannot have")
                })?;
                value.set_sensitive(true);
                Ok(request.header(AUTHORIZATION, value))
            }
        }
    }

    /// The key itself, so that it can be found and removed in replies.
    pub(super) fn key(&self) -> &Secret {
        match self {
            Self::Basic(key) | Self::Bearer(key) => key,
        }
    }
}

fn unusable(why: &str) -> NotSent {
    NotSent::Credential(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::tests::choose_cryptography;

    const KEY: &str = "uysgxtj7jzkps96njextnxxmq05usp0b";

    fn apply(credential: &Credential) -> Result<RequestBuilder, NotSent> {
        choose_cryptography();
        credential.apply(reqwest::Client::new().get("http://127.0.0.1/"))
    }

    fn request(credential: &Credential) -> reqwest::Request {
        apply(credential).expect("a usable key").build().expect("a request")
    }

    #[test]
    fn a_basic_credential_sends_the_key_as_the_user_without_a_password() {
        let request = request(&Credential::Basic(Secret::new(KEY)));
        // The example of the vendor's page.
        let wanted = "Basic dXlzZ3h0ajdqemtwczk2bmpleHRueHhtcTA1dXNwMGI6";
        assert_eq!(request.headers()[AUTHORIZATION], wanted);
    }

    #[test]
    fn a_bearer_credential_sends_the_key_as_a_token() {
        let request = request(&Credential::Bearer(Secret::new(KEY)));
        assert_eq!(request.headers()[AUTHORIZATION], format!("Bearer {KEY}"));
    }

    #[test]
    fn neither_the_credential_nor_its_request_prints_the_key() {
        for credential in [Credential::Basic, Credential::Bearer] {
            let credential = credential(Secret::new(KEY));
            let request = request(&credential);
            let printed = format!("{credential:?} {request:?} {:?}", request.headers());
            assert!(!printed.contains(KEY) && !printed.contains("dXlzZ3h0"), "{printed}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_sent_is_refused_without_being_shown() {
        let refusal = |credential| apply(&credential).expect_err("refused").to_string();
        let not_text = "the API key is not text (UTF-8)";
        assert_eq!(refusal(Credential::Basic(Secret::new(b"\xffkey".to_vec()))), not_text);
        assert_eq!(refusal(Credential::Bearer(Secret::new(b"\xffkey".to_vec()))), not_text);
        let said = refusal(Credential::Bearer(Secret::new("two\nlines")));
        assert_eq!(said, "the API key has a character that a bearer token cannot have");
    }
}
