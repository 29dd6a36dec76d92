//! X (Twitter). Its challenge asks for the HMAC of a token, made with the same secret that signs deliveries.
//! The challenge is not signed, so anyone who asks gets a valid signature of the token that they sent.
//! `countersign` says why no token can be the body of a delivery.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;

use crate::authenticate::{Refusal, Unverified};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::Sender;
use crate::providers::greetings::in_query;
use crate::providers::mechanisms::{Mac, Writing};
use crate::providers::{ChallengeToken, Countersign, Greeting, Reply, Verification};

const TOKEN: &str = "crc_token";

static SIGNATURE: Mac = Mac {
    writing: Writing::Base64,
    prefix: "sha256=",
    ..Mac::sha256("x-twitter-webhooks-signature")
};

/// X (Twitter).
pub(in crate::providers) static X_TWITTER: Sender = Sender {
    greet: Some(crc),
    countersign: Some(&PROOF),
    samples: &[("event", include_str!("../samples/x-twitter.json"))],
    ..Sender::new("x-twitter", "X (Twitter)", &ABOUT, &SIGNATURE)
};

fn crc(
    _sender: &Sender,
    request: &Unverified<'_>,
    _verification: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    if *request.method != Method::GET {
        return None;
    }
    in_query(request.query, TOKEN).map(|token| {
        let token = ChallengeToken::read(TOKEN, &token?)?;
        Ok(Greeting::to_sign("challenge", token))
    })
}

static PROOF: Countersign = Countersign {
    write: |_token, proof| {
        let response = format!("sha256={}", BASE64_STANDARD.encode(proof));
        Reply::json(&serde_json::json!({ "response_token": response }))
    },
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the developer portal, register the webhook `https://HOST/hooks/x-twitter` for your \
         app. X asks at once, and then every day.",
        "The secret is the app's consumer secret.",
    ],
    source: "provider: x-twitter\nsecrets: [{ env: X_CONSUMER_SECRET }]",
    carries: "Every event is of kind `event`; what it is about, the body's fields say \
              (`tweet_create_events`, …). The digest of the body stands for the delivery's id. \
              The body is signed, and must be a JSON object.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &[
        "https://developer.x.com/en/docs/x-api/enterprise/account-activity-api/guides/securing-webhooks",
    ],
};
