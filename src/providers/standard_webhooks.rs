//! Standard Webhooks, as OpenAI, Anthropic, Replicate and everyone who sends through Svix use it.

use http::HeaderMap;
use jiff::Timestamp;

use crate::authenticate::standard_webhooks::{self as scheme, Key, Names};
use crate::authenticate::timestamp::Unit;
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{Secret, Value};
use crate::providers::{
    DecodeFault, Decoded, Identity, Meaning, Options, Outgoing, Place, Provider, SignFault, Signed,
    UNNAMED, decode, generic, header, json_content,
};

/// A sender that follows the Standard Webhooks specification.
pub(super) struct StandardWebhooks;

impl Provider for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn title(&self) -> &'static str {
        "Standard Webhooks (Svix)"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["tolerance", "event"]
    }

    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        match Key::read(secret) {
            Ok(Key::Shared(_) | Key::Public(_)) => Ok(()),
            Ok(Key::Private(_)) => {
                Err("is a private key, which only the sender needs; give the `whpk_` one".into())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        secrets: &[Secret],
        options: &Options,
        now: Timestamp,
    ) -> Result<Proof, Refusal> {
        if let Some(name) = options.event.as_ref().and_then(Place::header) {
            headers::maybe(request.headers, name)?;
        }
        let names = Names::in_use(request.headers);
        scheme::verify(request, names, secrets.iter().enumerate(), options.tolerance(), now)
    }

    fn decode(&self, _headers: &HeaderMap, body: &[u8]) -> Result<Decoded, DecodeFault> {
        decode::json(body).map(Into::into)
    }

    /// The specification puts the event's name into the field `type`; an option may say otherwise.
    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        if options.event.is_some() {
            return Ok(generic::meaning(headers, body, options));
        }
        let name =
            body.get("type").and_then(Value::as_arc_str).cloned().filter(|name| !name.is_empty());
        let kind = name.clone().unwrap_or_else(|| UNNAMED.into());
        Ok(Meaning { kind, name, action: None, handshake: None })
    }

    /// The id that was signed: every try at delivering one message has the same.
    fn identity(&self, request: &Verified<'_>, _body: &Value, _options: &Options) -> Identity {
        let names = Names::in_use(request.headers());
        Identity::of_header(request.headers(), &names.id)
            .unwrap_or_else(|| Identity::of_bytes(&[request.body()]))
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let mut headers = vec![json_content()];
        if let Some(name) = options.event.as_ref().and_then(Place::header) {
            headers.push(header(name, outgoing.event)?);
        }
        headers.extend(signed(outgoing.body, secret, id, now)?);
        Ok(headers)
    }

    fn sample_secret(&self) -> Secret {
        Secret::new("whsec_QSBzYW1wbGUgc2VjcmV0IHRoYXQgcHJvdmVzIG5vdGhpbmc=")
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(generic::SAMPLE)
    }
}

/// The three headers of the scheme.
pub(super) fn signed(
    body: &[u8],
    secret: &Secret,
    id: &str,
    now: Timestamp,
) -> Result<Signed, SignFault> {
    let time = Unit::Seconds.write(now);
    let signature = scheme::sign(secret, id, &time, body).ok_or_else(|| {
        SignFault::Secret("is neither a `whsec_` secret nor a `whsk_` private key".to_owned())
    })?;
    let names = &scheme::STANDARD;
    Ok(vec![
        header(&names.id, id)?,
        header(&names.timestamp, time)?,
        header(&names.signature, signature)?,
    ])
}
