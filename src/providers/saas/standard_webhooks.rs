//! Standard Webhooks, for every sender that follows the specification and has no provider of its own.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{Secret, Value};
use crate::providers::generic::configured;
use crate::providers::mechanisms::{Mechanism as _, Standard};
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, Meaning, Options, Outgoing, Place, Proven,
    Provider, SignFault, Signed, Verification, decode, header,
};

/// A sender that follows the Standard Webhooks specification.
pub(in crate::providers) struct StandardWebhooks;

impl Provider for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn title(&self) -> &'static str {
        "Standard Webhooks"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes(&self) -> &'static [&'static str] {
        &["tolerance", "event", "action", "each"]
    }

    fn check_secret(&self, secret: &Secret, options: &Options) -> Result<(), String> {
        Standard.check_secret(secret, options)
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Options { event, action, .. } = verification.options;
        for name in [event, action].into_iter().flatten().filter_map(Place::header) {
            headers::maybe(request.headers, name)?;
        }
        Standard.authenticate(request, verification)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        Standard.signed_headers(options)
    }

    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json(body).map(Into::into)
    }

    /// The specification puts the event's name into the field `type`. The option `event` may name another
    /// place.
    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        Ok(named(
            configured::meaning(headers, body, options),
            &configured::parts(body, options)[0],
            body,
            options,
        ))
    }

    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        let meanings = configured::meanings(headers, body, options)?.into_iter();
        let parts = configured::parts(body, options);
        Ok(meanings.zip(parts).map(|(meaning, part)| named(meaning, part, body, options)).collect())
    }

    fn identity(&self, request: &Verified<'_>, _body: &Value, options: &Options) -> Identity {
        Standard.digest(request, options)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let mut signed = Standard.sign(outgoing, secret, options, id, now)?;
        if let Some(name) = options.event.as_ref().and_then(Place::header) {
            signed.headers.push(header(name, outgoing.event)?);
        }
        Ok(signed)
    }

    fn sample_secret(&self) -> Secret {
        Standard.sample_secret()
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(configured::SAMPLE)
    }

    fn sample_kind(&self) -> &'static str {
        "dataset.published"
    }
}

/// The meaning with the name of the event from the field `type`, of the part or of the body, unless an option
/// says where the name is.
fn named(meaning: Meaning, part: &Value, body: &Value, options: &Options) -> Meaning {
    if options.event.is_some() {
        return meaning;
    }
    let name = [part, body].into_iter().find_map(|value| {
        value.get("type").and_then(Value::as_arc_str).filter(|name| !name.is_empty())
    });
    match name {
        Some(name) => Meaning { kind: name.clone(), name: Some(name.clone()), ..meaning },
        None => meaning,
    }
}

static ABOUT: About = About {
    group: Group::Generic,
    setup: &[
        "Add an endpoint `https://HOST/hooks/NAME` at the sender, and copy its signing secret, \
              which starts with `whsec_`.",
    ],
    source: "provider: standard-webhooks\nsecrets: [{ env: WEBHOOK_SECRET }]",
    carries: "The kind is the body's `type`, unless `event` says otherwise; `each` and `action` are as for `token`; the delivery's id is \
              `webhook-id`, the same for every try. Id, time and body are signed. Senders through \
              Svix may write `svix-` for `webhook-`. A `whpk_` secret is an Ed25519 public key.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://github.com/standard-webhooks/standard-webhooks"],
};
