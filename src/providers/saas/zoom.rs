//! Zoom. Its endpoint validation is signed like any event, and asks for proof that the gateway also holds
//! the secret.

use http::HeaderMap;

use crate::authenticate::timestamp::{DEFAULT_TOLERANCE, Unit};
use crate::model::Value;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender, Unnamed};
use crate::providers::mechanisms::{Mac, Part, Time};
use crate::providers::{ChallengeToken, Countersign, Handshake, Reply};

const TIMESTAMP: &str = "x-zm-request-timestamp";

static SIGNATURE: Mac = Mac {
    prefix: "v0=",
    signs: &[Part::Text("v0:"), Part::Header(TIMESTAMP), Part::Text(":"), Part::Body],
    time: Some(Time { header: TIMESTAMP, unit: Unit::Seconds, tolerance: DEFAULT_TOLERANCE }),
    ..Mac::sha256("x-zm-signature")
};

/// Zoom.
pub(in crate::providers) static ZOOM: Sender = Sender {
    event: &[At::Field(&["event"])],
    unnamed: Unnamed::Body,
    handshake: Some(validation),
    countersign: Some(&PROOF),
    samples: &[("meeting.started", include_str!("../samples/zoom.json"))],
    ..Sender::new("zoom", "Zoom", &ABOUT, &SIGNATURE)
};

fn validation(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let is_validation = body.get("event")?.as_str()? == "endpoint.url_validation";
    let token = body.at(&["payload", "plainToken"])?.as_str()?;
    // A token that may not be signed gets no proof, but it starts no job either.
    let token = ChallengeToken::read("plainToken", token);
    is_validation.then(|| token.map_or(Handshake::Acknowledge, Handshake::ProveBack))
}

/// The proof: an HMAC of the token. Only a sender that holds the secret gets one, since the handshake is
/// signed.
static PROOF: Countersign = Countersign {
    write: |token, proof| {
        Reply::json(&serde_json::json!({
            "plainToken": token.as_str(),
            "encryptedToken": hex::encode(proof),
        }))
    },
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the Zoom App Marketplace, in your app: Feature > Event Subscriptions > Add.",
        "Endpoint URL `https://HOST/hooks/zoom`; the secret is the app's Secret Token. Validate \
         it there once the gateway runs.",
    ],
    source: "provider: zoom\nsecrets: [{ env: ZOOM_SECRET_TOKEN }]",
    carries: "The kind is the body's `event` (`meeting.started`, …). Deliveries have no \
              documented id; the digest of the body, which has a time, stands for it. Time and \
              body are signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["zoom/webhook-sample, index.js"],
};
