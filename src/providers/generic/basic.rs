//! Any sender that can do nothing better than HTTP basic authentication. The secrets are passwords.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified, basic};
use crate::model::{Secret, Value};
use crate::providers::generic::configured;
use crate::providers::mechanisms::NO_USER;
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, Meaning, Options, Outgoing, Proven, Provider,
    SignFault, Signed, Verification, decode, header,
};

/// A sender with a user name and a password.
pub(in crate::providers) struct Basic;

impl Provider for Basic {
    fn name(&self) -> &'static str {
        "basic"
    }

    fn title(&self) -> &'static str {
        "Any sender with HTTP basic authentication"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![AUTHORIZATION]
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn takes(&self) -> &'static [&'static str] {
        &["user", "body", "event", "action", "each", "delivery_id"]
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
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, options, .. } = *verification;
        configured::unambiguous(request.headers, options)?;
        let user = options.user.as_deref().ok_or(Refusal::Misconfigured(NO_USER))?;
        basic::verify(request, user, secrets)
    }

    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json_or_form(headers, body).map(Into::into)
    }

    fn decode_as(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        options: &Options,
    ) -> Result<Decoded, DecodeFault> {
        decode::in_form(headers, body, options.body).map(Into::into)
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
        let user = options.user.as_deref().ok_or(SignFault::Misconfigured(NO_USER))?;
        let credentials = [user.as_bytes(), b":", secret.expose()].concat();
        let mut headers = configured::naming(outgoing, options, id)?;
        let value = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        headers.push(header(&AUTHORIZATION, value)?);
        Ok(headers.into())
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(configured::SAMPLE)
    }
}

static ABOUT: About = About {
    group: Group::Generic,
    setup: &[
        "Set user name and password at the sender; some take them in the address: `https://USER:PASSWORD@HOST/hooks/NAME`.",
    ],
    source: "provider: basic\nuser: sender\nsecrets: [{ env: WEBHOOK_PASSWORD }]",
    carries: "The kind is where `event` says, the delivery's id where `delivery_id` says; without that, the digest of the body stands for it. Nothing is signed. With `each: { field: Records }` each element of that list is an event of its own, `body.Records[event.part]`, with kind and action from within it. `action` says where the word for what was done is.",
    yields: "",
    proven: Proven::Literal,
    sources: &["RFC 7617"],
};
