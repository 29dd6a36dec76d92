//! Sonatype Nexus Repository. It signs with HMAC-SHA-1 and offers nothing stronger.

use crate::authenticate::hmac::Algorithm;
use crate::model::{GitFacts, Value};
use crate::providers::Meaning;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::forges::facts::text;
use crate::providers::forges::images::image;
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac =
    Mac { algorithm: Algorithm::Sha1, ..Mac::sha256("x-nexus-webhook-signature") };

/// Sonatype Nexus Repository.
pub(in crate::providers) static NEXUS: Sender = Sender {
    event: &[At::Header("x-nexus-webhook-id")],
    action: &[At::Field(&["action"])],
    id: &[At::Header("x-nexus-webhook-delivery")],
    git_facts: Some(git_facts),
    samples: &[("rm:repository:asset", include_str!("../samples/nexus.json"))],
    ..Sender::new("nexus", "Sonatype Nexus Repository", &ABOUT, &SIGNATURE)
};

/// Only components of the format `docker` are images.
fn git_facts(meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let component = |name| text(body, &["component", name]);
    if component("format").as_deref() != Some("docker") {
        return Vec::new();
    }
    let deleted = meaning.action.as_deref() == Some("DELETED");
    let image = image(component("name"), component("version"));
    image.map(|facts| GitFacts { deleted, ..facts }).into_iter().collect()
}

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
    yields: "Facts of the image, for components of the format `docker`, as git facts: `repository`, `tag`, \
             `deleted`. The repository within Nexus is `body.repositoryName`.",
    proven: Proven::Documented,
    sources: &["https://help.sonatype.com/en/example-headers-and-payloads.html"],
};
