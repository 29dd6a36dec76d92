//! Shopify. The headers of its newer webhooks have no `X-`. A request with both signature headers is
//! refused, since it would not be clear which one counts.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{EitherHeader, Mac, Writing};

const NAMES: [&str; 2] = ["x-shopify-hmac-sha256", "shopify-hmac-sha256"];

static SIGNATURE: Mac = Mac { writing: Writing::Base64, ..Mac::sha256(NAMES[0]) };
static NEWER: Mac = Mac { writing: Writing::Base64, ..Mac::sha256(NAMES[1]) };
static BOTH: EitherHeader = EitherHeader(&SIGNATURE, &NEWER);

/// Shopify.
pub(in crate::providers) static SHOPIFY: Sender = Sender {
    event: &[At::Header("x-shopify-topic"), At::Header("shopify-topic")],
    id: &[At::EitherHeader("x-shopify-webhook-id", "shopify-webhook-id")],
    samples: &[("orders/create", include_str!("../samples/shopify.json"))],
    ..Sender::new("shopify", "Shopify", &ABOUT, &BOTH)
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the app's configuration, or with the Admin API: subscribe to topics with \
         `https://HOST/hooks/shopify`.",
        "The secret is the app's client secret; list the old one too while it is rotated.",
    ],
    source: "provider: shopify\nsecrets: [{ env: SHOPIFY_CLIENT_SECRET }]",
    carries: "The kind is `X-Shopify-Topic` (`orders/create`, …), the delivery's id \
              `X-Shopify-Webhook-Id`. The body is signed; the headers, and with them topic and \
              time, are not.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://shopify.dev/docs/apps/build/webhooks/verify-deliveries"],
};
