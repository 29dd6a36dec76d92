//! Any sender that can only do HTTP basic authentication. The secrets are passwords.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified, basic};
use crate::model::{Secret, Value};
use crate::providers::{
    DecodeFault, Decoded, Identity, Meaning, Options, Outgoing, Provider, SignFault, Signed,
    decode, generic, header,
};

const NO_USER: &str = "`user`, the user name";

/// A sender with a user name and a password.
pub(super) struct Basic;

impl Provider for Basic {
    fn name(&self) -> &'static str {
        "basic"
    }

    fn title(&self) -> &'static str {
        "Any sender with HTTP basic authentication"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["user", "event", "delivery_id"]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        match options.user.as_deref() {
            None | Some("") => vec![format!("provider `basic` needs {NO_USER}")],
            Some(user) if user.contains(':') => vec!["`user` must not hold a colon".to_owned()],
            Some(_) => Vec::new(),
        }
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        secrets: &[Secret],
        options: &Options,
        _now: Timestamp,
    ) -> Result<Proof, Refusal> {
        generic::unambiguous(request.headers, options)?;
        let user = options.user.as_deref().ok_or(Refusal::Misconfigured(NO_USER))?;
        basic::verify(request, user, secrets)
    }

    fn decode(&self, headers: &HeaderMap, body: &[u8]) -> Result<Decoded, DecodeFault> {
        decode::json_or_form(headers, body).map(Into::into)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        Ok(generic::meaning(headers, body, options))
    }

    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity {
        generic::identity(request, body, options)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let user = options.user.as_deref().ok_or(SignFault::Misconfigured(NO_USER))?;
        let credentials = [user.as_bytes(), b":", secret.expose()].concat();
        let mut headers = generic::naming(outgoing, options, id)?;
        let value = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        headers.push(header(&AUTHORIZATION, value)?);
        Ok(headers)
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(generic::SAMPLE)
    }
}
