//! Typeform. Its signature is base64 after `sha256=`.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{Mac, Writing};

static SIGNATURE: Mac =
    Mac { writing: Writing::Base64, prefix: "sha256=", ..Mac::sha256("typeform-signature") };

/// Typeform.
pub(in crate::providers) static TYPEFORM: Sender = Sender {
    event: &[At::Field(&["event_type"])],
    id: &[At::Field(&["event_id"])],
    samples: &[("form_response", include_str!("../samples/typeform.json"))],
    ..Sender::new("typeform", "Typeform", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In the form: Connect > Webhooks > Add a webhook, `https://HOST/hooks/typeform`.",
        "Edit it, set a secret, and switch it on.",
    ],
    source: "provider: typeform\nsecrets: [{ env: TYPEFORM_SECRET }]",
    carries: "The kind is the body's `event_type` (`form_response`), the delivery's id \
              `event_id`. The body is signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://www.typeform.com/developers/webhooks/secure-your-webhooks/"],
};
