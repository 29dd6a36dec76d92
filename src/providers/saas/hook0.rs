//! Hook0, as a sender. Its newer signature also covers headers, in the order in which it names them. Where
//! it is present, the older one is ignored. The older one covers only time and body, so it is accepted only
//! where the source allows it. Otherwise someone who can read a request with both could remove the newer
//! one, and change the event's name and the delivery's id.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::hmac::{self, Algorithm, Encoding, mac};
use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::Secret;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{Given, Mechanism};
use crate::providers::{
    Identity, Options, Outgoing, SignFault, Signed, Verification, header, json_content,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-hook0-signature");
const EVENT_ID: HeaderName = HeaderName::from_static("x-event-id");
const EVENT_TYPE: HeaderName = HeaderName::from_static("x-event-type");
/// Most headers that one signature may cover.
const MOST_COVERED: usize = 32;

/// Hook0.
pub(in crate::providers) static HOOK0: Sender = Sender {
    event: &[At::Header("x-event-type"), At::Field(&["event"])],
    id: &[At::Header("x-event-id")],
    samples: &[("user.created", include_str!("../samples/hook0.json"))],
    ..Sender::new("hook0", "Hook0", &ABOUT, &Covering)
};

/// A signature of time, body, and the headers that the signature names.
struct Covering;

impl Covering {
    /// What the newer signature covers before the body: `{t}.{names}.{values}.`, with dots between the
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

    fn names<'n>(mut names: impl Iterator<Item = &'n str>, wanted: &HeaderName) -> bool {
        names.any(|name| name.parse::<HeaderName>().is_ok_and(|name| name == *wanted))
    }
}

impl Mechanism for Covering {
    fn takes(&self) -> &'static [&'static str] {
        &["tolerance", "allow_older"]
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let given = Given::read(&SIGNATURE, headers::one(request.headers, &SIGNATURE)?)?;
        timestamp::readable(&SIGNATURE, given.time, Unit::Seconds)?;
        let (version, front) = match given.named("v1").next() {
            Some(_) => ("v1", Self::front(&given, request.headers)?),
            None if verification.options.allow_older => ("v0", format!("{}.", given.time)),
            None => return Err(Refusal::WeakScheme("an older signature, which signs no header")),
        };
        let signatures = given.signatures(&SIGNATURE, version, Encoding::Hex)?;
        let signed = [front.as_bytes(), request.body];
        let secrets = verification.secrets.iter().enumerate();
        let proof = hmac::verify(Algorithm::Sha256, secrets, &signed, &signatures)?;
        let tolerance = verification.options.tolerance();
        timestamp::check(&SIGNATURE, given.time, Unit::Seconds, tolerance, verification.now)?;
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

    /// Only headers that the newer signature names can be trusted.
    fn believes(&self, headers: &HeaderMap, name: &HeaderName) -> bool {
        let given = headers::one(headers, &SIGNATURE).ok();
        let given = given.and_then(|value| Given::read(&SIGNATURE, value).ok());
        given.is_some_and(|given| {
            let names = given.named("h").flat_map(|names| names.split(' '));
            given.named("v1").next().is_some() && Self::names(names, name)
        })
    }

    /// Hook0 signs a new time each time it sends a delivery, so the digest leaves the time out.
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
              body are signed, and so are the headers that the signature names (`h=`): one that it \
              does not name is not believed, and the body's `event` and digest stand for it. A \
              signature of the older kind alone (`v0`), which covers no header, must be allowed with \
              `allow_older: true`.",
    yields: "",
    proven: Proven::Literal,
    sources: &["hook0/hook0, clients/conformance/signature.json"],
};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderValue, Method};

    use super::*;
    use crate::event::{Understood, understand};

    const BODY: &[u8] = br#"{"event": "user.created"}"#;

    /// The headers of a request whose signature covers these headers, or none where it is the older one.
    fn signed(covered: &[(&str, &str)], older: bool) -> HeaderMap {
        let names: Vec<&str> = covered.iter().map(|(name, _)| *name).collect();
        let values: String = covered.iter().map(|(_, value)| format!("{value}.")).collect();
        let names = names.join(" ");
        let (front, between) = match older {
            true => ("0.".to_owned(), "v0=".to_owned()),
            false => (format!("0.{names}.{values}"), format!("h={names},v1=")),
        };
        let digest = mac(Algorithm::Sha256, b"hush", &[front.as_bytes(), BODY]);
        let value = format!("t=0,{between}{}", hex::encode(digest));
        let headers = covered.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let headers = headers.chain([(SIGNATURE.to_string(), value)]);
        headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn judge(headers: &HeaderMap, allow_older: bool) -> Result<Understood, Refusal> {
        let options = Options { allow_older, ..Options::default() };
        let request = Unverified {
            method: &Method::POST,
            path: "/hooks/hook0",
            rest: "",
            query: "",
            headers,
            body: &bytes::Bytes::from_static(BODY),
        };
        let secrets = [Secret::new("hush")];
        let verification = Verification::new(&secrets, &options, Timestamp::UNIX_EPOCH);
        let proof = crate::providers::Provider::authenticate(&HOOK0, &request, &verification)?;
        let verified = request.verified(proof);
        Ok(understand(&verified, &HOOK0, &options, &Arc::from("hook0")).unwrap())
    }

    #[test]
    fn an_older_signature_alone_is_refused_unless_it_is_allowed() {
        let headers = signed(&[], true);
        assert!(matches!(judge(&headers, false), Err(Refusal::WeakScheme(_))));
        assert!(judge(&headers, true).is_ok());
    }

    #[test]
    fn headers_that_the_signature_does_not_name_choose_neither_event_nor_delivery() {
        let mut only_id = signed(&[("x-event-id", "evt-1")], false);
        only_id.insert(EVENT_TYPE, HeaderValue::from_static("model.approved"));
        let understood = judge(&only_id, false).unwrap();
        assert_eq!(&*understood.kind, "user.created");
        assert_eq!(understood.identity, Identity::Sender("evt-1".into()));

        let mut older = signed(&[], true);
        older.insert(EVENT_TYPE, HeaderValue::from_static("model.approved"));
        older.insert(EVENT_ID, HeaderValue::from_static("evt-2"));
        let understood = judge(&older, true).unwrap();
        assert_eq!(&*understood.kind, "user.created");
        assert!(matches!(understood.identity, Identity::Digest(_)));
    }

    #[test]
    fn headers_that_the_signature_names_in_either_case_are_believed() {
        let covered = [("X-Event-Type", "model.approved"), ("X-Event-Id", "evt-1")];
        let understood = judge(&signed(&covered, false), false).unwrap();
        assert_eq!(&*understood.kind, "model.approved");
        assert_eq!(understood.identity, Identity::Sender("evt-1".into()));
    }
}
