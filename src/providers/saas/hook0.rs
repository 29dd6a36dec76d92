//! Hook0, as a sender. Its newer signature covers headers too, in the order that it names them; where
//! it is there, it alone decides.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::hmac::{self, Algorithm, Encoding, mac};
use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::Secret;
use crate::providers::about::{About, Group, Proven};
use crate::providers::mechanisms::{Given, Mechanism};
use crate::providers::sender::{At, Sender};
use crate::providers::{
    Grounds, Identity, Options, Outgoing, SignFault, Signed, header, json_content,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-hook0-signature");
const EVENT_ID: HeaderName = HeaderName::from_static("x-event-id");
const EVENT_TYPE: HeaderName = HeaderName::from_static("x-event-type");
/// Headers that one signature may cover.
const MOST_COVERED: usize = 32;

/// Hook0.
pub(in crate::providers) static HOOK0: Sender = Sender {
    event: &[At::Header("x-event-type"), At::Field(&["event"])],
    id: &[At::Header("x-event-id")],
    samples: &[("user.created", include_str!("../samples/hook0.json"))],
    ..Sender::new("hook0", "Hook0", &ABOUT, &Covering)
};

/// Time, body, and the headers that the signature names.
struct Covering;

impl Covering {
    /// What is signed, up to the body: `{t}.`, or `{t}.{names}.{values}.` with dots between the
    /// values.
    fn front(given: &Given<'_>, headers: &HeaderMap) -> Result<String, Refusal> {
        let fault = |expected| Refusal::MalformedHeader { header: SIGNATURE, expected };
        let mut names = given.named("h");
        let (names, more) = (names.next().unwrap_or_default(), names.next());
        if more.is_some() {
            return Err(fault("a list that names the covered headers once"));
        }
        let mut text = format!("{}.{names}.", given.time);
        let list: Vec<&str> = names.split(' ').filter(|name| !name.is_empty()).collect();
        if list.len() > MOST_COVERED {
            return Err(fault("a list of at most 32 covered headers"));
        }
        for name in list {
            let name = name.parse().map_err(|_| fault("a list of header names"))?;
            let _ = write!(text, "{}.", headers::one(headers, &name)?);
        }
        Ok(text)
    }
}

impl Mechanism for Covering {
    fn takes(&self) -> &'static [&'static str] {
        &["tolerance"]
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        grounds: &Grounds<'_>,
    ) -> Result<Proof, Refusal> {
        let given = Given::read(&SIGNATURE, headers::one(request.headers, &SIGNATURE)?)?;
        timestamp::readable(&SIGNATURE, given.time, Unit::Seconds)?;
        let (version, front) = match given.named("v1").next() {
            Some(_) => ("v1", Self::front(&given, request.headers)?),
            None => ("v0", format!("{}.", given.time)),
        };
        let signatures = given.signatures(&SIGNATURE, version, Encoding::Hex)?;
        let signed = [front.as_bytes(), request.body];
        let secrets = grounds.secrets.iter().enumerate();
        let proof = hmac::verify(Algorithm::Sha256, secrets, &signed, &signatures)?;
        let tolerance = grounds.options.tolerance();
        timestamp::check(&SIGNATURE, given.time, Unit::Seconds, tolerance, grounds.now)?;
        Ok(proof)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let time = Unit::Seconds.write(now);
        let names = format!("{EVENT_ID} {EVENT_TYPE}");
        let front = format!("{time}.{names}.{id}.{}.", outgoing.event);
        let digest = mac(Algorithm::Sha256, secret.expose(), &[front.as_bytes(), outgoing.body]);
        let value = format!("t={time},h={names},v1={}", hex::encode(digest));
        Ok(vec![
            json_content(),
            header(&EVENT_ID, id)?,
            header(&EVENT_TYPE, outgoing.event)?,
            header(&SIGNATURE, value)?,
        ]
        .into())
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![SIGNATURE, EVENT_ID, EVENT_TYPE]
    }

    /// A new time is signed with every try.
    fn digest(&self, request: &Verified<'_>, _options: &Options) -> Identity {
        Identity::of_bytes(&[request.body()])
    }
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "Create a subscription with the target `https://HOST/hooks/hook0`, and copy its secret.",
    ],
    source: "provider: hook0\nsecrets: [{ env: HOOK0_SUBSCRIPTION_SECRET }]",
    carries: "The kind is `X-Event-Type`, the delivery's id `X-Event-Id`, which every try shares. Time and \
              body are signed, and so are the headers that the signature names.",
    yields: "",
    proven: Proven::Literal,
    sources: &["hook0/hook0, clients/conformance/signature.json"],
};
