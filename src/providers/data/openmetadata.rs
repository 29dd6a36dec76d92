//! OpenMetadata's generic webhook.

use http::{HeaderMap, StatusCode};

use crate::model::Value;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;
use crate::providers::{Handshake, Reply};

/// What the message of the button Test Connection begins with.
const TEST: &str = "This is a test message from OpenMetadata";

static SIGNATURE: Mac = Mac { prefix: "sha256=", ..Mac::sha256("x-om-signature") };

/// OpenMetadata.
pub(in crate::providers) static OPENMETADATA: Sender = Sender {
    event: &[At::Field(&["eventType"])],
    id: &[At::Field(&["id"])],
    handshake: Some(test),
    thanks: Some(thanks),
    samples: &[("entityUpdated", include_str!("../samples/openmetadata.json"))],
    ..Sender::new("openmetadata", "OpenMetadata", &ABOUT, &SIGNATURE)
};

fn test(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let is_test =
        body.get("eventType").is_none() && body.get("message")?.as_str()?.starts_with(TEST);
    is_test.then_some(Handshake::Acknowledge)
}

/// Newer versions send again what is answered with anything but 200, also with 202.
fn thanks(_body: &Value) -> Option<Reply> {
    Some(Reply::empty(StatusCode::OK))
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In Settings > Notifications (or Observability > Alerts) add an alert with a destination of type \
         Webhook.",
        "Endpoint `https://HOST/hooks/openmetadata`, method POST, and a secret key: without one nothing is \
         signed.",
        "Press Test there: it is acknowledged and starts nothing.",
    ],
    source: "provider: openmetadata\nsecrets: [{ env: OPENMETADATA_SECRET }]",
    carries: "The kind is the body's `eventType` (`entityCreated`, `entityUpdated`, `entityDeleted`, …), \
              `body.entityType` says of what (`table`, `testCase`, …). The delivery's id is `id`. The body \
              is signed. Each delivery is answered with 200 and no body.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &[
        "https://docs.open-metadata.org/main-concepts/metadata-standard/schemas/entity/events/webhook",
        "open-metadata/OpenMetadata, GenericPublisher.java and SubscriptionUtil.java",
    ],
};
