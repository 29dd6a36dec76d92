//! The secret itself in the body's field `token`, or in the header `Authorization: Token …`, as
//! Mattermost sends it. It proves who sent the request and nothing about what it says.

use http::HeaderName;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, headers, token};
use crate::model::Secret;
use crate::providers::chat::body;
use crate::providers::mechanisms::Mechanism;
use crate::providers::{Grounds, Options, Outgoing, SignFault, Signed};

/// The secret in the body or a header; the body's counts where both have one.
pub(in crate::providers) struct BodyToken;

impl Mechanism for BodyToken {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        grounds: &Grounds<'_>,
    ) -> Result<Proof, Refusal> {
        let secrets = grounds.secrets.iter().enumerate();
        let in_header = headers::maybe(request.headers, &AUTHORIZATION)?;
        match body::token(request.body)? {
            Some(given) => token::verify_text(&given, secrets),
            None if in_header.is_some() => {
                token::verify(request, &AUTHORIZATION, "Token ", secrets)
            }
            None => Err(Refusal::MissingField("token")),
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
