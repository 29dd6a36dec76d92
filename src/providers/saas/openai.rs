//! OpenAI. It follows Standard Webhooks.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Standard;

/// OpenAI.
pub(in crate::providers) static OPENAI: Sender = Sender {
    event: &[At::Field(&["type"])],
    samples: &[("response.completed", include_str!("../samples/openai.json"))],
    ..Sender::new("openai", "OpenAI", &ABOUT, &Standard)
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the platform's settings, for the project: Webhooks > Create, \
         `https://HOST/hooks/openai`; choose the events.",
        "Copy the signing secret (`whsec_…`), which is shown once.",
    ],
    source: "provider: openai\nsecrets: [{ env: OPENAI_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `type` (`response.completed`, …), the delivery's id \
              `webhook-id`, the same for every try. Id, time and body are signed. What \
              finished, `body.data.id` names.",
    yields: "",
    proven: Proven::Literal,
    sources: &[
        "https://platform.openai.com/docs/guides/webhooks",
        "openai/openai-python, tests/lib/test_webhooks.py",
    ],
};
