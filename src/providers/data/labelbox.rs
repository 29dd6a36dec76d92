//! Labelbox. It signs the body with HMAC-SHA-1. What happened is only in a header, which it does not sign.

use crate::authenticate::hmac::Algorithm;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac =
    Mac { algorithm: Algorithm::Sha1, prefix: "sha1=", ..Mac::sha256("x-hub-signature") };

/// Labelbox.
pub(in crate::providers) static LABELBOX: Sender = Sender {
    event: &[At::Header("x-labelbox-event")],
    id: &[At::Header("x-labelbox-id")],
    samples: &[("LABEL_CREATED", include_str!("../samples/labelbox.json"))],
    ..Sender::new("labelbox", "Labelbox", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In the workspace's settings, or in the project's: Webhooks, and create one.",
        "URL `https://HOST/hooks/labelbox`, the secret, and the topics. With the Python SDK: \
         `Webhook.create(client, topics=…, url=…, secret=…, project=…)`.",
    ],
    source: "provider: labelbox\nsecrets: [{ env: LABELBOX_SECRET }]",
    carries: "The kind is `X-Labelbox-Event` (`LABEL_CREATED`, `LABEL_UPDATED`, `REVIEW_CREATED`, \
              `WORKFLOW_ACTION`, …), the delivery's id `X-Labelbox-Id`. The body is signed, with \
              HMAC-SHA-1; the headers are not.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &[
        "https://docs.labelbox.com/reference/webhook",
        "Labelbox/labelbox-python, labelbox/schema/webhook.py",
    ],
};
