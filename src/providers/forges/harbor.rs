//! Harbor. It signs nothing. It sends the text that is configured as "Auth Header" in the header
//! `Authorization`.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Token;

static TOKEN: Token = Token { header: "authorization", prefix: "" };

/// Harbor.
pub(in crate::providers) static HARBOR: Sender = Sender {
    event: &[At::Field(&["type"])],
    samples: &[("PUSH_ARTIFACT", include_str!("../samples/harbor.json"))],
    ..Sender::new("harbor", "Harbor", &ABOUT, &TOKEN)
};

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the project: Webhooks > New Webhook, notify type `http`.",
        "Endpoint URL `https://HOST/hooks/harbor`; as Auth Header a long random text, which is \
         the secret.",
        "Choose the event types.",
    ],
    source: "provider: harbor\nsecrets: [{ env: HARBOR_AUTH_HEADER }]",
    carries: "The kind is the body's `type` (`PUSH_ARTIFACT`, …). No delivery has an id; the \
              digest of the body, which has a time, stands for it. Nothing is signed.",
    yields: "",
    proven: Proven::Assembled,
    sources: &[
        "https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/",
    ],
};
