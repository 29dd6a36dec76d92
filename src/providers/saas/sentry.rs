//! Sentry's integration platform. The time that it sends is not signed, so it is not checked.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac = Mac::sha256("sentry-hook-signature");

/// Sentry.
pub(in crate::providers) static SENTRY: Sender = Sender {
    event: &[At::Header("sentry-hook-resource")],
    action: &[At::Field(&["action"])],
    id: &[At::Header("request-id")],
    samples: &[("issue", include_str!("../samples/sentry.json"))],
    ..Sender::new("sentry", "Sentry", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In Settings > Developer Settings > Create New Integration, webhook URL \
         `https://HOST/hooks/sentry`; choose the resources.",
        "The secret is the integration's client secret.",
    ],
    source: "provider: sentry\nsecrets: [{ env: SENTRY_CLIENT_SECRET }]",
    carries: "The kind is `Sentry-Hook-Resource` (`issue`, `event_alert`, …), the action the \
              body's `action`, the delivery's id `Request-ID`. The body is signed; the headers \
              are not.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://docs.sentry.io/organization/integrations/integration-platform/webhooks/"],
};
