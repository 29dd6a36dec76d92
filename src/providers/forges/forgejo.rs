//! Forgejo. It signs the JSON payload with HMAC-SHA-256. Everything else is in `gitea_family`.

use http::HeaderName;

use crate::providers::forges::gitea_family::GiteaFamily;
use crate::providers::{About, Group, Proven};

/// Forgejo.
pub(in crate::providers) static FORGEJO: GiteaFamily = GiteaFamily {
    name: "forgejo",
    title: "Forgejo",
    about: &ABOUT,
    event: HeaderName::from_static("x-forgejo-event"),
    event_type: Some(HeaderName::from_static("x-forgejo-event-type")),
    delivery: HeaderName::from_static("x-forgejo-delivery"),
    signature: HeaderName::from_static("x-forgejo-signature"),
};

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the repository: Settings > Webhooks > Add webhook > Forgejo.",
        "Target URL `https://HOST/hooks/forgejo`, method POST, content type `application/json`, and the secret.",
    ],
    source: "provider: forgejo\nsecrets: [{ env: FORGEJO_WEBHOOK_SECRET }]",
    carries: "The kind is `X-Forgejo-Event`, the delivery's id `X-Forgejo-Delivery`. The JSON is signed, also where it is sent as a form; event and id are not. The button for a test sends a push that moves nothing, which starts nothing.",
    yields: "Git facts: `repository`, `branch`, `tag`, `sha`, `before`, `author`, `message`, `paths`, `pull_request`, `default_branch`, `deleted`, `fork`, `status`. `forced` is not known. [Git events](git.md) says which kind of event tells which.",
    proven: Proven::Assembled,
    sources: &["https://forgejo.org/docs/latest/user/webhooks/"],
};
