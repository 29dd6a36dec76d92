//! ElevenLabs. Its signatures have the version `v0`, and may be half an hour old.

use std::time::Duration;

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Elements;

static SIGNATURE: Elements = Elements {
    version: "v0",
    tolerance: Duration::from_secs(30 * 60),
    ..Elements::sha256("elevenlabs-signature")
};

/// ElevenLabs.
pub(in crate::providers) static ELEVENLABS: Sender = Sender {
    event: &[At::Field(&["type"])],
    samples: &[("speech_to_text.completed", include_str!("../samples/elevenlabs.json"))],
    ..Sender::new("elevenlabs", "ElevenLabs", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In the workspace settings: Webhooks > Add endpoint, `https://HOST/hooks/elevenlabs`. \
         Copy the secret.",
    ],
    source: "provider: elevenlabs\nsecrets: [{ env: ELEVENLABS_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `type`. No delivery has an id; the digest of the body \
              stands for it. Time and body are signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["elevenlabs/elevenlabs-python"],
};
