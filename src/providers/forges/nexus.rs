//! Sonatype Nexus Repository. It signs with HMAC-SHA-1 and offers nothing stronger.

use crate::authenticate::hmac::Algorithm;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac =
    Mac { algorithm: Algorithm::Sha1, ..Mac::sha256("x-nexus-webhook-signature") };

/// Sonatype Nexus Repository.
pub(in crate::providers) static NEXUS: Sender = Sender {
    event: &[At::Header("x-nexus-webhook-id")],
    action: &[At::Field(&["action"])],
    id: &[At::Header("x-nexus-webhook-delivery")],
    samples: &[("rm:repository:asset", include_str!("../samples/nexus.json"))],
    ..Sender::new("nexus", "Sonatype Nexus Repository", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In Administration > System > Capabilities: Create capability > Webhook: Repository (or \
         Global).",
        "URL `https://HOST/hooks/nexus`, the event types, and a secret key: without one nothing \
         is signed.",
    ],
    source: "provider: nexus\nsecrets: [{ env: NEXUS_WEBHOOK_SECRET }]",
    carries: "The kind is `X-Nexus-Webhook-Id` (`rm:repository:asset`), the action the body's \
              `action`, the delivery's id `X-Nexus-Webhook-Delivery`. The body is signed; the \
              headers are not.",
    yields: "",
    proven: Proven::Documented,
    sources: &["https://help.sonatype.com/en/example-headers-and-payloads.html"],
};
