//! PagerDuty: webhooks of version 3. While a secret is rotated, the header may hold several signatures.

use http::HeaderMap;

use crate::model::Value;
use crate::providers::Handshake;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac =
    Mac { prefix: "v1=", separator: Some(','), ..Mac::sha256("x-pagerduty-signature") };

/// PagerDuty.
pub(in crate::providers) static PAGERDUTY: Sender = Sender {
    event: &[At::Field(&["event", "event_type"])],
    id: &[At::Field(&["event", "id"])],
    handshake: Some(ping),
    samples: &[("incident.triggered", include_str!("../samples/pagerduty.json"))],
    ..Sender::new("pagerduty", "PagerDuty", &ABOUT, &SIGNATURE)
};

/// What the button "Send Test Event" sends.
fn ping(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    (body.at(&["event", "event_type"])?.as_str()? == "pagey.ping").then_some(Handshake::Acknowledge)
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In Integrations > Generic Webhooks (v3) > New Webhook, `https://HOST/hooks/pagerduty`; \
         choose scope and events.",
        "Copy the signing secret, which is shown once.",
    ],
    source: "provider: pagerduty\nsecrets: [{ env: PAGERDUTY_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `event.event_type` (`incident.triggered`, …), the \
              delivery's id `event.id`. The body is signed; no time is. \
              A test event (`pagey.ping`) starts nothing.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://developer.pagerduty.com/docs/verifying-webhook-signatures"],
};
