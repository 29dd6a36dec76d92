//! Quay. It neither signs nor sends custom headers, so the secret must be in the address. It is neither
//! stored nor shown.

use http::HeaderMap;

use crate::model::Value;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::Sender;
use crate::providers::mechanisms::FieldToken;

static ADDRESS: FieldToken = FieldToken { query: "token" };

/// Quay.
pub(in crate::providers) static QUAY: Sender = Sender {
    kind: Some(kind),
    samples: &[("push", include_str!("../samples/quay.json"))],
    ..Sender::new("quay", "Quay", &ABOUT, &ADDRESS)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    body.get("updated_tags").map(|_| "push")
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository: Settings > Events and Notifications > Create Notification > Push to \
         Repository > Webhook POST.",
        "URL `https://HOST/hooks/quay?token=SECRET`, with a long random text as the secret; \
         `https://HOST/hooks/quay/SECRET` does too.",
    ],
    source: "provider: quay\nsecrets: [{ env: QUAY_TOKEN }]",
    carries: "A push is a `push`: the tags are `body.updated_tags`, the image \
              `body.docker_url`. Nothing in a push tells it from the next one of the same tags: \
              within ten minutes they count as one. Where each of them is to start something, \
              write `repeats: never`. Nothing is signed.",
    yields: "",
    proven: Proven::Documented,
    sources: &["https://docs.quay.io/guides/notifications.html"],
};
