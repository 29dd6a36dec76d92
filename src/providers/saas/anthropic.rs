//! Anthropic. It follows Standard Webhooks.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Standard;

/// Anthropic.
pub(in crate::providers) static ANTHROPIC: Sender = Sender {
    event: &[At::Field(&["data", "type"]), At::Field(&["type"])],
    samples: &[("session.status_idled", include_str!("../samples/anthropic.json"))],
    ..Sender::new("anthropic", "Anthropic", &ABOUT, &Standard)
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the Console: Settings > Webhooks > Add endpoint, `https://HOST/hooks/anthropic`; \
         choose the events.",
        "Copy the signing secret (`whsec_…`).",
    ],
    source: "provider: anthropic\nsecrets: [{ env: ANTHROPIC_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `data.type` (`session.status_idled`, …), the delivery's id \
              `webhook-id`, the same for every try. Id, time and body are signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["anthropics/anthropic-sdk-python"],
};
