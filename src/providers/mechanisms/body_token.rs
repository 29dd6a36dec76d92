//! The secret itself in the body's field `token`, or in the header `Authorization: Token …`, as
//! Mattermost sends it. It proves who sent the request, and nothing about the request's content.

use http::HeaderName;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, headers, token};
use crate::model::Secret;
use crate::providers::chat::body;
use crate::providers::mechanisms::Mechanism;
use crate::providers::{Options, Outgoing, SignFault, Signed, Verification};

/// The secret in the body or in a header. Where both have one, the one in the body counts.
pub(in crate::providers) struct BodyToken;

impl Mechanism for BodyToken {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let secrets = verification.secrets.iter().enumerate();
        let in_header = headers::maybe(request.headers, &AUTHORIZATION)?;
        match body::token(request.body)? {
            Some(given) => token::verify_text(&given, secrets),
            None if in_header.is_some() => {
                token::verify(request, &AUTHORIZATION, "Token ", secrets)
            }
            None => Err(Refusal::MissingField("token".into())),
        }
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let body = body::with_token(outgoing.body, secret.expose())
            .ok_or(SignFault::Misconfigured("a body that is JSON or a form"))?;
        Ok(Signed { body: Some(body), ..Signed::default() })
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        Vec::new()
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    const TOKEN: &str = "xr3j5x3p4pfk7kk6ck7b4e6ghh";

    fn judge(body: &[u8], header: Option<&[u8]>) -> Result<Proof, Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, HeaderValue::from_bytes(header).expect("lawful"));
        }
        let (method, headers) = (&Method::POST, &headers);
        let body = bytes::Bytes::copy_from_slice(body);
        let request = Unverified { method, path: "/", rest: "", query: "", headers, body: &body };
        let secrets = [Secret::new("another"), Secret::new(TOKEN)];
        let options = Options::default();
        let verification = Verification::new(&secrets, &options, Timestamp::UNIX_EPOCH);
        BodyToken.authenticate(&request, &verification)
    }

    #[test]
    fn the_token_is_found_in_a_form_in_json_and_in_the_header() {
        let json = format!(r#"{{"token":"{TOKEN}","text":"hi"}}"#);
        let form = format!("text=hi&token={TOKEN}");
        let header = format!("Token {TOKEN}");
        for proof in [
            judge(json.as_bytes(), None),
            judge(form.as_bytes(), None),
            judge(form.as_bytes(), Some(b"Bearer of-something-else")),
            judge(b"text=hi", Some(header.as_bytes())),
        ] {
            assert_eq!(proof.map(|proof| proof.secret()), Ok(Some(1)));
        }
    }

    #[test]
    fn one_changed_bit_of_the_token_is_refused_wherever_it_stands() {
        for bit in 0..TOKEN.len() * 8 {
            let mut token = TOKEN.as_bytes().to_vec();
            token[bit / 8] ^= 1 << (bit % 8);
            assert!(judge(&[b"text=hi&token=", &token[..]].concat(), None).is_err(), "{bit}");
            let json = [br#"{"token":""#, &token[..], br#""}"#].concat();
            assert!(judge(&json, None).is_err(), "{bit}");
            let header = [b"Token ", &token[..]].concat();
            if HeaderValue::from_bytes(&header).is_ok() {
                assert!(judge(b"text=hi", Some(&header)).is_err(), "{bit}");
            }
        }
    }

    #[test]
    fn what_has_no_token_or_two_or_a_wrong_one_is_refused() {
        let twice = format!("token={TOKEN}&token={TOKEN}");
        let header = format!("Token {TOKEN}");
        for (body, header, reason) in [
            ("text=hi", None, "missing_field"),
            ("text=hi&token=", None, "missing_field"),
            (&*twice, None, "repeated_field"),
            ("token=nope", Some(&*header), "wrong_credentials"),
            ("text=hi", Some("Token nope"), "wrong_credentials"),
            ("text=hi", Some(TOKEN), "malformed_header"),
            ("{", Some(&*header), "malformed_body"),
        ] {
            let verdict = judge(body.as_bytes(), header.map(str::as_bytes));
            assert_eq!(verdict.map_err(|refusal| refusal.reason()), Err(reason), "{body}");
        }
    }
}
