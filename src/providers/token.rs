//! Any sender that puts a shared token into a header.
//!
//! The token proves who sent the request and nothing about its body; prefer `hmac` or
//! `standard-webhooks` where the sender can sign.

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified, token};
use crate::model::{Secret, Value};
use crate::providers::{
    DecodeFault, Decoded, Identity, Meaning, Options, Outgoing, Provider, SignFault, Signed,
    decode, generic, header,
};

const NO_HEADER: &str = "`header`, the name of the header that carries the token";

/// A sender with a token in a header.
pub(super) struct Token;

impl Provider for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    fn title(&self) -> &'static str {
        "Any sender with a token in a header"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["header", "prefix", "event", "delivery_id"]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        let fault = || format!("provider `token` needs {NO_HEADER}");
        options.header.is_none().then(fault).into_iter().collect()
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        secrets: &[Secret],
        options: &Options,
        _now: Timestamp,
    ) -> Result<Proof, Refusal> {
        generic::unambiguous(request.headers, options)?;
        let name = options.header.as_ref().ok_or(Refusal::Misconfigured(NO_HEADER))?;
        token::verify(request, name, prefix(options), secrets.iter().enumerate())
    }

    fn own_secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        options.header.iter().cloned().collect()
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
        let name = options.header.as_ref().ok_or(SignFault::Misconfigured(NO_HEADER))?;
        let mut headers = generic::naming(outgoing, options, id)?;
        headers.push(header(name, [prefix(options).as_bytes(), secret.expose()].concat())?);
        Ok(headers)
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(generic::SAMPLE)
    }
}

fn prefix(options: &Options) -> &str {
    options.prefix.as_deref().unwrap_or_default()
}
