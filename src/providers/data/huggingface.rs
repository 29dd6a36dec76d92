//! The Hugging Face Hub. It signs nothing: the secret comes in a header, or in the address.

use crate::providers::about::{About, Group, Proven};
use crate::providers::mechanisms::{FieldToken, HeaderOrAddress, Token};
use crate::providers::sender::{At, Sender};

static TOKEN: HeaderOrAddress = HeaderOrAddress {
    header: Token { header: "x-webhook-secret", prefix: "" },
    address: FieldToken { query: "secret" },
};

/// Hugging Face Hub.
pub(in crate::providers) static HUGGINGFACE: Sender = Sender {
    event: &[At::Field(&["event", "scope"])],
    action: &[At::Field(&["event", "action"])],
    samples: &[("repo.content", include_str!("../samples/huggingface.json"))],
    ..Sender::new("huggingface", "Hugging Face Hub", &ABOUT, &TOKEN)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In your settings: Webhooks > Add a new webhook.",
        "Watch the repositories or users, target URL `https://HOST/hooks/huggingface`, and a \
         secret of ASCII letters; choose the scopes.",
    ],
    source: "provider: huggingface\nsecrets: [{ env: HF_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `event.scope` (`repo.content`, `discussion`, …), the \
              action its `event.action`. Deliveries have no id (`webhook.id` names the hook); \
              the digest of the body, which names the commits, stands for it. Nothing is \
              signed. A scope that is not known to you, such as `repo.content.x`, is an update \
              of the one before its last dot.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://huggingface.co/docs/hub/webhooks"],
};
