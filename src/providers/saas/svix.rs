//! Svix. It follows Standard Webhooks.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Standard;

/// Svix.
pub(in crate::providers) static SVIX: Sender = Sender {
    event: &[At::Field(&["type"])],
    samples: &[("dataset.published", include_str!("../samples/event.json"))],
    ..Sender::new("svix", "Svix", &ABOUT, &Standard)
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "At the service that sends through Svix: add the endpoint `https://HOST/hooks/svix` in \
         its webhook portal, and copy the signing secret (`whsec_…`).",
    ],
    source: "provider: svix\nsecrets: [{ env: SVIX_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `type` (`dataset.published`, …), the delivery's id \
              `webhook-id`, the same for every try. Id, time and body are signed.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://docs.svix.com/receiving/verifying-payloads/how"],
};
