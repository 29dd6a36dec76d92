//! Scalr. It signs the body, followed by the `Date` header, with HMAC-SHA-1. Its documentation does not say
//! how old the date may be, so the date is not checked.

use crate::authenticate::hmac::Algorithm;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender, Unnamed};
use crate::providers::mechanisms::{Mac, Part};

static SIGNATURE: Mac = Mac {
    algorithm: Algorithm::Sha1,
    signs: &[Part::Body, Part::Header("date")],
    ..Mac::sha256("x-signature")
};

/// Scalr.
pub(in crate::providers) static SCALR: Sender = Sender {
    event: &[At::Field(&["eventName"])],
    unnamed: Unnamed::Body,
    samples: &[("HostUp", include_str!("../samples/scalr.json"))],
    ..Sender::new("scalr", "Scalr", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In Scalr: Integrations > Webhooks; add an endpoint `https://HOST/hooks/scalr` and copy \
         its signing key.",
    ],
    source: "provider: scalr\nsecrets: [{ env: SCALR_SIGNING_KEY }]",
    carries: "The kind is the body's `eventName`. No delivery has an id; the digest of the body \
              stands for it. The body and the `Date` header are signed.",
    yields: "",
    proven: Proven::Literal,
    sources: &["adnanh/webhook, internal/hook/hook_test.go"],
};
