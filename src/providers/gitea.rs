//! Gitea: signs the JSON payload with HMAC-SHA-256; all else is in `gitea_family`.

use http::HeaderName;

use crate::providers::gitea_family::GiteaFamily;

/// Gitea.
pub(super) static GITEA: GiteaFamily = GiteaFamily {
    name: "gitea",
    title: "Gitea",
    event: HeaderName::from_static("x-gitea-event"),
    event_type: HeaderName::from_static("x-gitea-event-type"),
    delivery: HeaderName::from_static("x-gitea-delivery"),
    signature: HeaderName::from_static("x-gitea-signature"),
};
