//! Replicate. It follows Standard Webhooks. A whole account has one secret.

use http::HeaderMap;

use crate::model::Value;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Standard;

/// Replicate.
pub(in crate::providers) static REPLICATE: Sender = Sender {
    action: &[At::Field(&["status"])],
    kind: Some(kind),
    samples: &[("prediction", include_str!("../samples/replicate.json"))],
    ..Sender::new("replicate", "Replicate", &ABOUT, &Standard)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    body.get("status").map(|_| "prediction")
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "Set `webhook` to `https://HOST/hooks/replicate` when you create a prediction or \
         training.",
        "Read the secret with `GET https://api.replicate.com/v1/webhooks/default/secret`.",
    ],
    source: "provider: replicate\nsecrets: [{ env: REPLICATE_WEBHOOK_SECRET }]",
    carries: "The kind is `prediction`, the action the body's `status` (`starting`, \
              `succeeded`, …), the delivery's id `webhook-id`. Id, time and body are signed.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://replicate.com/docs/topics/webhooks/verify-webhook"],
};
