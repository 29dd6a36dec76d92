//! Intercom, with HMAC-SHA-1.

use http::HeaderMap;

use crate::authenticate::hmac::Algorithm;
use crate::model::Value;
use crate::providers::Handshake;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac =
    Mac { algorithm: Algorithm::Sha1, prefix: "sha1=", ..Mac::sha256("x-hub-signature") };

/// Intercom.
pub(in crate::providers) static INTERCOM: Sender = Sender {
    event: &[At::Field(&["topic"])],
    id: &[At::Field(&["id"])],
    handshake: Some(ping),
    changing: &["delivery_attempts", "delivery_status", "delivered_at", "first_sent_at"],
    samples: &[("conversation.admin.replied", include_str!("../samples/intercom.json"))],
    ..Sender::new("intercom", "Intercom", &ABOUT, &SIGNATURE)
};

/// What Intercom sends to see that the endpoint is there.
fn ping(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    (body.get("topic")?.as_str()? == "ping").then_some(Handshake::Acknowledge)
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the Developer Hub, in your app: Webhooks, endpoint `https://HOST/hooks/intercom`; \
         choose the topics.",
        "The secret is the app's client secret.",
    ],
    source: "provider: intercom\nsecrets: [{ env: INTERCOM_CLIENT_SECRET }]",
    carries: "The kind is the body's `topic`, the delivery's id its `id`. The body is signed. A \
              `ping` starts nothing.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://developers.intercom.com/docs/webhooks/setting-up-webhooks"],
};
