//! Any sender that puts a shared token into a header, or that can only be given an address with the token in it.
//!
//! The token proves who sent the request, and nothing about its body. Prefer `hmac` or
//! `standard-webhooks` where the sender can sign.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified, token};
use crate::model::{Secret, Value};
use crate::providers::generic::configured;
use crate::providers::mechanisms::{in_address, verify_address};
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, Meaning, Options, Outgoing, Proven, Provider,
    SignFault, Signed, Verification, decode, header,
};

const NO_HEADER: &str = "`header`, the name of the header that carries the token, or `query`, the field of the \
     query string";

/// A sender with a token in a header.
pub(in crate::providers) struct Token;

impl Provider for Token {
    fn name(&self) -> &'static str {
        "token"
    }

    fn title(&self) -> &'static str {
        "Any sender with a token in a header or in its address"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        options.header.iter().cloned().collect()
    }

    fn secret_fields(&self, options: &Options) -> Vec<String> {
        options.query.iter().cloned().collect()
    }

    fn secret_in_path(&self, options: &Options) -> bool {
        options.query.is_some()
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn takes(&self) -> &'static [&'static str] {
        &["header", "query", "body", "prefix", "event", "action", "each", "delivery_id"]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        let mut faults = Vec::new();
        match (&options.header, options.query.as_deref()) {
            (None, None) => faults.push(format!("provider `token` needs {NO_HEADER}")),
            (_, Some("")) => faults.push("`query` is empty".to_owned()),
            (None, Some(_)) if options.prefix.is_some() => {
                faults.push("`prefix` is of no use without `header`".to_owned());
            }
            _ => {}
        }
        faults
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, options, .. } = *verification;
        configured::unambiguous(request.headers, options)?;
        let name = match (&options.header, &options.query) {
            // Where both are configured, the address counts only without the header.
            (Some(name), Some(_)) if request.headers.contains_key(name) => name,
            (_, Some(query)) => return verify_address(request, query, secrets),
            (Some(name), None) => name,
            (None, None) => return Err(Refusal::Misconfigured(NO_HEADER)),
        };
        token::verify(request, name, prefix(options), secrets.iter().enumerate())
    }

    fn own_secret_headers(&self, options: &Options) -> Vec<HeaderName> {
        options.header.iter().cloned().collect()
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
        let mut headers = configured::naming(outgoing, options, id)?;
        let name = match (&options.header, &options.query) {
            (Some(name), _) => name,
            (None, Some(query)) => {
                return Ok(Signed { query: in_address(query, secret), ..headers.into() });
            }
            (None, None) => return Err(SignFault::Misconfigured(NO_HEADER)),
        };
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
    setup: &[
        "Set the header at the sender, with the secret as its value.",
        "Where a sender can only be given an address: `query: token` instead of `header`, and \
         `https://HOST/hooks/SOURCE?token=SECRET` or `https://HOST/hooks/SOURCE/SECRET` as its \
         address. The secret is neither stored nor shown here; it stands in the logs of whatever is \
         in between.",
    ],
    source: "provider: token\nheader: Authorization\nprefix: \"Bearer \"\nsecrets: [{ env: WEBHOOK_TOKEN }]",
    carries: "The kind is where `event` says, the delivery's id where `delivery_id` says; without that, the digest of the body stands for it. Nothing is signed. With `each: { field: Records }` each element of that list is an event of its own, `body.Records[event.part]`, with kind and action from within it. `action` says where the word for what was done is.",
    yields: "",
    proven: Proven::Literal,
    sources: &["the vectors of the providers that sign so"],
};
