//! Any sender that puts a shared token into a header.
//!
//! The token proves who sent the request, and nothing about its body. Prefer `hmac` or
//! `standard-webhooks` where the sender can sign.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified, token};
use crate::model::{Secret, Value};
use crate::providers::generic::configured;
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, Meaning, Options, Outgoing, Proven, Provider,
    SignFault, Signed, Verification, decode, header,
};

const NO_HEADER: &str = "`header`, the name of the header that carries the token";

/// A sender with a token in a header.
pub(in crate::providers) struct Token;

impl Provider for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    fn title(&self) -> &'static str {
        "Any sender with a token in a header"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        options.header.iter().cloned().collect()
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn takes(&self) -> &'static [&'static str] {
        &["header", "prefix", "event", "action", "each", "delivery_id"]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        let fault = || format!("provider `token` needs {NO_HEADER}");
        options.header.is_none().then(fault).into_iter().collect()
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, options, .. } = *verification;
        configured::unambiguous(request.headers, options)?;
        let name = options.header.as_ref().ok_or(Refusal::Misconfigured(NO_HEADER))?;
        token::verify(request, name, prefix(options), secrets.iter().enumerate())
    }

    fn own_secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        options.header.iter().cloned().collect()
    }

    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json_or_form(headers, body).map(Into::into)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        Ok(configured::meaning(headers, body, options))
    }

    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        configured::meanings(headers, body, options)
    }

    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity {
        configured::identity(request, body, options)
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
        let mut headers = configured::naming(outgoing, options, id)?;
        headers.push(header(name, [prefix(options).as_bytes(), secret.expose()].concat())?);
        Ok(headers.into())
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(configured::SAMPLE)
    }
}

fn prefix(options: &Options) -> &str {
    options.prefix.as_deref().unwrap_or_default()
}

static ABOUT: About = About {
    group: Group::Generic,
    setup: &["Set the header at the sender, with the secret as its value."],
    source: "provider: token\nheader: Authorization\nprefix: \"Bearer \"\nsecrets: [{ env: WEBHOOK_TOKEN }]",
    carries: "The kind is where `event` says, the delivery's id where `delivery_id` says; without that, the digest of the body stands for it. Nothing is signed. With `each: { field: Records }` each element of that list is an event of its own, `body.Records[event.part]`, with kind and action from within it. `action` says where the word for what was done is.",
    yields: "",
    proven: Proven::Literal,
    sources: &["the vectors of the providers that sign so"],
};
