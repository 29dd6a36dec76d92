//! Gogs, of which Gitea is a fork. It signs the JSON payload with HMAC-SHA-256. Everything else is in
//! `gitea_family`.

use http::HeaderName;

use crate::providers::forges::gitea_family::GiteaFamily;
use crate::providers::{About, Group, Proven};

/// Gogs.
pub(in crate::providers) static GOGS: GiteaFamily = GiteaFamily {
    name: "gogs",
    title: "Gogs",
    about: &ABOUT,
    event: HeaderName::from_static("x-gogs-event"),
    event_type: None,
    delivery: HeaderName::from_static("x-gogs-delivery"),
    signature: HeaderName::from_static("x-gogs-signature"),
};

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository: Settings > Webhooks > Add a new webhook > Gogs.",
        "Payload URL `https://HOST/hooks/gogs`, content type `application/json`, and the secret.",
    ],
    source: "provider: gogs\nsecrets: [{ env: GOGS_WEBHOOK_SECRET }]",
    carries: "The kind is `X-Gogs-Event`, the delivery's id `X-Gogs-Delivery`. The JSON is signed, \
              also where it is sent as a form; event and id are not.",
    yields: "Git facts: `repository`, `branch`, `tag`, `sha`, `before`, `author`, `message`, \
             `pull_request`, `default_branch`, `deleted`, `fork`. Its list of commits is not known to be \
             whole, and `forced` is not known. [Git events](git.md) says which kind of event tells which.",
    proven: Proven::Literal,
    sources: &["gogs/gogs, internal/database/webhook.go"],
};
