//! Quay. It neither signs nor sends custom headers, so the secret must be in the address. It is neither
//! stored nor shown.

use http::HeaderMap;

use crate::model::{GitFacts, Value};
use crate::providers::Meaning;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::Sender;
use crate::providers::forges::facts::text;
use crate::providers::forges::images::images;
use crate::providers::mechanisms::FieldToken;

static ADDRESS: FieldToken = FieldToken { query: "token" };

/// Quay.
pub(in crate::providers) static QUAY: Sender = Sender {
    kind: Some(kind),
    git_facts: Some(git_facts),
    samples: &[("push", include_str!("../samples/quay.json"))],
    ..Sender::new("quay", "Quay", &ABOUT, &ADDRESS)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    body.get("updated_tags").map(|_| "push")
}

/// Older versions of Quay list the tags as a map from their names to image ids.
fn git_facts(_meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
    let updated = body.get("updated_tags");
    let listed = updated.and_then(Value::as_list).unwrap_or_default();
    let listed = listed.iter().filter_map(Value::as_arc_str).cloned();
    let mapped = updated.into_iter().flat_map(|tags| match tags {
        Value::Map(_) => tags.entries().map(|(name, _)| name.into()).collect(),
        _ => Vec::new(),
    });
    images(text(body, &["repository"]), listed.chain(mapped))
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
    yields: "Facts of the image, as git facts: `repository`, and for each tag `tag`.",
    proven: Proven::Documented,
    sources: &["https://docs.quay.io/guides/notifications.html"],
};
