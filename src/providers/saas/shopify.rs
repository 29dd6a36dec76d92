//! Shopify. The headers of its newer webhooks have no `X-`. A request with both signature headers is
//! refused, since it would not be clear which one counts.

use http::HeaderMap;

use crate::model::Value;
use crate::providers::Handshake;
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
    handshake: Some(test),
    id: &[At::EitherHeader("x-shopify-webhook-id", "shopify-webhook-id")],
    samples: &[("orders/create", include_str!("../samples/shopify.json"))],
    ..Sender::new("shopify", "Shopify", &ABOUT, &BOTH)
};

/// What the button "Send test notification" sends. The header is not signed: who changes it can keep a
/// delivery from starting anything, as who drops the delivery can.
fn test(headers: &HeaderMap, _body: &Value) -> Option<Handshake> {
    let marks = ["x-shopify-test", "shopify-test"].into_iter().filter_map(|name| headers.get(name));
    marks.into_iter().any(|mark| mark.as_bytes() == b"true").then_some(Handshake::Acknowledge)
}

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
              time, are not. A test notification starts nothing.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://shopify.dev/docs/apps/build/webhooks/verify-deliveries"],
};
