//! Zendesk. The key is the secret's text, although it looks like base64. Zendesk signs tests of a webhook
//! that is not created yet with a publicly known secret, which is refused as a secret.

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::timestamp::{DEFAULT_TOLERANCE, Unit};
use crate::authenticate::{Proof, Refusal, Unverified};
use crate::model::Secret;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mechanism;
use crate::providers::mechanisms::{Mac, Part, Time, Writing};
use crate::providers::{Options, Outgoing, SignFault, Signed, Verification, filled};

const TIMESTAMP: &str = "x-zendesk-webhook-signature-timestamp";

/// The secret with which Zendesk signs tests before a webhook is created. Zendesk's documentation
/// publishes it.
const PUBLIC: &[u8] = b"dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";

static SIGNATURE: Mac = Mac {
    writing: Writing::Base64,
    signs: &[Part::Header(TIMESTAMP), Part::Body],
    time: Some(Time { header: TIMESTAMP, unit: Unit::DateOrSeconds, tolerance: DEFAULT_TOLERANCE }),
    ..Mac::sha256("x-zendesk-webhook-signature")
};

/// Zendesk.
pub(in crate::providers) static ZENDESK: Sender = Sender {
    event: &[At::Field(&["type"])],
    id: &[At::Header("x-zendesk-webhook-invocation-id")],
    samples: &[("zen:event-type:ticket.status_changed", include_str!("../samples/zendesk.json"))],
    ..Sender::new("zendesk", "Zendesk", &ABOUT, &NotPublic)
};

/// The signature, made with any secret other than the publicly known one.
struct NotPublic;

impl Mechanism for NotPublic {
    fn takes(&self) -> &'static [&'static str] {
        SIGNATURE.takes()
    }

    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        if secret.expose() == PUBLIC {
            return Err(
                "is the one of Zendesk's tests, which everyone knows; reveal the webhook's own"
                    .to_owned(),
            );
        }
        filled(secret)
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        SIGNATURE.authenticate(request, verification)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        SIGNATURE.sign(outgoing, secret, options, id, now)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        SIGNATURE.signed_headers(options)
    }
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the Admin Center: Apps and integrations > Webhooks > Create webhook, \
         `https://HOST/hooks/zendesk`, request format JSON.",
        "Reveal the signing secret on the webhook's page.",
    ],
    source: "provider: zendesk\nsecrets: [{ env: ZENDESK_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `type` (`zen:event-type:ticket.status_changed`, …); a \
              webhook that is connected to a trigger has the body that the trigger gives it. \
              The delivery's id is `X-Zendesk-Webhook-Invocation-Id`. Time and body are signed.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://developer.zendesk.com/documentation/webhooks/verifying/"],
};
