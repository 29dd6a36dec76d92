//! Gitea. It signs the JSON payload with HMAC-SHA-256. Everything else is in `gitea_family`.

use http::HeaderName;

use crate::providers::forges::gitea_family::GiteaFamily;
use crate::providers::{About, Group, Proven};

/// Gitea.
pub(in crate::providers) static GITEA: GiteaFamily = GiteaFamily {
    name: "gitea",
    title: "Gitea",
    about: &ABOUT,
    event: HeaderName::from_static("x-gitea-event"),
    event_type: Some(HeaderName::from_static("x-gitea-event-type")),
    delivery: HeaderName::from_static("x-gitea-delivery"),
    signature: HeaderName::from_static("x-gitea-signature"),
};

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository: Settings > Webhooks > Add webhook > Gitea.",
        "Target URL `https://HOST/hooks/gitea`, method POST, content type `application/json`, and the secret.",
    ],
    source: "provider: gitea\nsecrets: [{ env: GITEA_WEBHOOK_SECRET }]",
    carries: "The kind is `X-Gitea-Event`, the delivery's id `X-Gitea-Delivery`. The JSON is signed, also where it is sent as a form; event and id are not. The button for a test sends a push that moves nothing, which starts nothing.",
    yields: "Git facts: `repository`, `branch`, `tag`, `sha`, `before`, `author`, `message`, `paths`, `pull_request`, `default_branch`, `deleted`, `fork`, `status`. `forced` is not known. [Git events](git.md) says which kind of event tells which.",
    proven: Proven::Literal,
    sources: &["go-gitea/gitea, services/webhook/deliver.go"],
};
