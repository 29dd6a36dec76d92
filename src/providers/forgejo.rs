//! Forgejo: signs the JSON payload with HMAC-SHA-256; all else is in `gitea_family`.

use http::HeaderName;

use crate::providers::gitea_family::GiteaFamily;

/// Forgejo.
pub(super) static FORGEJO: GiteaFamily = GiteaFamily {
    name: "forgejo",
    title: "Forgejo",
    event: HeaderName::from_static("x-forgejo-event"),
    event_type: HeaderName::from_static("x-forgejo-event-type"),
    delivery: HeaderName::from_static("x-forgejo-delivery"),
    signature: HeaderName::from_static("x-forgejo-signature"),
};
