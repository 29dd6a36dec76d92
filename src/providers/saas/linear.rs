//! Linear. The signed time is in the body, in milliseconds.

use std::time::Duration;

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified};
use crate::model::{Secret, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{Mac, Mechanism};
use crate::providers::{Options, Outgoing, SignFault, Signed, Verification};

const TIME: &str = "webhookTimestamp";
/// The default tolerance, which is that of Linear's own library.
const TOLERANCE: Duration = Duration::from_secs(60);
const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("linear-signature");

static SIGNATURE: Mac = Mac::sha256("linear-signature");

/// Linear.
pub(in crate::providers) static LINEAR: Sender = Sender {
    event: &[At::Header("linear-event"), At::Field(&["type"])],
    action: &[At::Field(&["action"])],
    id: &[At::Header("linear-delivery")],
    changing: &["webhookTimestamp"],
    samples: &[("Issue", include_str!("../samples/linear.json"))],
    ..Sender::new("linear", "Linear", &ABOUT, &WithTime)
};

/// Checks the signature of the body, and then the time in the body.
struct WithTime;

impl Mechanism for WithTime {
    fn takes(&self) -> &'static [&'static str] {
        &["tolerance"]
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let proof = SIGNATURE.authenticate(request, verification)?;
        // The body is authentic from here on, so it may be parsed.
        let fault = Refusal::MalformedBody { expected: "JSON with `webhookTimestamp`" };
        let body = Value::parse_json(request.body).map_err(|_| fault.clone())?;
        let time = body.get(TIME).and_then(Value::as_u64).ok_or(fault)?.to_string();
        let tolerance = verification.options.tolerance.unwrap_or(TOLERANCE);
        timestamp::check(
            &SIGNATURE_HEADER,
            &time,
            Unit::Milliseconds,
            tolerance,
            verification.now,
        )?;
        Ok(proof)
    }

    /// The time is written into the body, which must be an object.
    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let no_object = || SignFault::Body("JSON with fields, to put the time into");
        let body = with_time(outgoing.body, now).ok_or_else(no_object)?;
        let outgoing = Outgoing { body: &body, ..*outgoing };
        let signed = SIGNATURE.sign(&outgoing, secret, options, id, now)?;
        Ok(Signed { body: Some(body), ..signed })
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        SIGNATURE.signed_headers(options)
    }
}

fn with_time(body: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let mut body: serde_json::Map<_, _> = serde_json::from_slice(body).ok()?;
    body.insert(TIME.to_owned(), now.as_millisecond().into());
    serde_json::to_vec(&body).ok()
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In Settings > API > Webhooks > New webhook, `https://HOST/hooks/linear`; choose the data.",
        "Copy the signing secret from the webhook's page.",
    ],
    source: "provider: linear\nsecrets: [{ env: LINEAR_WEBHOOK_SECRET }]",
    carries: "The kind is `Linear-Event` (`Issue`, `Comment`, …), the action the body's `action` \
              (`create`, `update`, `remove`), the delivery's id `Linear-Delivery`. The body is \
              signed, and the time in it; one minute is allowed. Linear tries again after a minute, \
              an hour and six hours, and whether with a new time is not documented: raise \
              `tolerance` if its tries are refused as stale.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://linear.app/developers/webhooks", "linear/linear, packages/sdk"],
};
