//! CircleCI's outbound webhooks. The header lists signatures by version, of which only `v1` exists. Unknown
//! versions are ignored, so that CircleCI can introduce another.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac =
    Mac { prefix: "v1=", separator: Some(','), ..Mac::sha256("circleci-signature") };

/// CircleCI.
pub(in crate::providers) static CIRCLECI: Sender = Sender {
    event: &[At::Header("circleci-event-type"), At::Field(&["type"])],
    action: &[At::Field(&["workflow", "status"]), At::Field(&["job", "status"])],
    id: &[At::Field(&["id"])],
    samples: &[("workflow-completed", include_str!("../samples/circleci.json"))],
    ..Sender::new("circleci", "CircleCI", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the project: Project Settings > Webhooks > Add Webhook.",
        "Receiver URL `https://HOST/hooks/circleci`, the events, and a secret token.",
        "Keep certificate verification on.",
    ],
    source: "provider: circleci\nsecrets: [{ env: CIRCLECI_WEBHOOK_SECRET }]",
    carries: "The kind is `circleci-event-type` (`workflow-completed`, `job-completed`), the \
              delivery's id the body's `id`. The body is signed. Deliveries may be repeated.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://circleci.com/docs/outbound-webhooks/"],
};
