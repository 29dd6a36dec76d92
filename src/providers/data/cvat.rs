//! CVAT, the annotation tool.

use http::HeaderMap;

use crate::model::Value;
use crate::providers::Handshake;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac = Mac { prefix: "sha256=", ..Mac::sha256("x-signature-256") };

/// CVAT.
pub(in crate::providers) static CVAT: Sender = Sender {
    event: &[At::Field(&["event"])],
    handshake: Some(ping),
    samples: &[("update:job", include_str!("../samples/cvat.json"))],
    ..Sender::new("cvat", "CVAT", &ABOUT, &SIGNATURE)
};

fn ping(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    (body.get("event")?.as_str()? == "ping").then_some(Handshake::Acknowledge)
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In the project or organization: Actions > Setup webhooks, and add one.",
        "Target URL `https://HOST/hooks/cvat`, content type `application/json`, and a secret: without one \
         nothing is signed. Choose the events.",
        "Press Ping there: it is acknowledged and starts nothing.",
    ],
    source: "provider: cvat\nsecrets: [{ env: CVAT_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `event` (`create:task`, `update:job`, `delete:issue`, …). An update \
              has the old values of what changed in `body.before_update`, so that `body.job.state` tells \
              a job that was completed. No delivery has an id (`webhook_id` names the hook); the digest \
              of the body, which has a time, stands for it. The body is signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &[
        "https://docs.cvat.ai/docs/administration/advanced/webhooks",
        "cvat-ai/cvat, cvat/apps/webhooks",
    ],
};
