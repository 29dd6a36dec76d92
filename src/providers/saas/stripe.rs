//! Stripe. The key is the secret's text as Stripe shows it, with its `whsec_`; it is not base64. A time too
//! far ahead of the gateway's clock is refused, like one too far behind.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Elements;

static SIGNATURE: Elements = Elements::sha256("stripe-signature");

/// Stripe.
pub(in crate::providers) static STRIPE: Sender = Sender {
    event: &[At::Field(&["type"])],
    id: &[At::Field(&["id"])],
    changing: &["pending_webhooks"],
    samples: &[("reporting.report_run.succeeded", include_str!("../samples/stripe.json"))],
    ..Sender::new("stripe", "Stripe", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the Dashboard: Developers > Webhooks > Add destination, \
         `https://HOST/hooks/stripe`; choose the events.",
        "Reveal the signing secret. While it is rolled, Stripe signs with both.",
    ],
    source: "provider: stripe\nsecrets: [{ env: STRIPE_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `type` (`reporting.report_run.succeeded`, …), the \
              delivery's id its `id`: a resend has the same one. Time and body are signed.",
    yields: "",
    proven: Proven::Literal,
    sources: &[
        "https://docs.stripe.com/webhooks/signature",
        "stripe-python, tests/test_webhook.py",
    ],
};
