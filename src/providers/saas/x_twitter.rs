//! X (Twitter). Its challenge asks for the HMAC of a token, made with the same secret that signs deliveries.
//! So anyone who asks gets a valid signature of the text that they sent. That is why the gateway answers
//! only tokens that cannot be the body of a delivery.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;

use crate::authenticate::hmac::Algorithm;
use crate::authenticate::hmac::mac;
use crate::authenticate::{Refusal, Unverified};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::Sender;
use crate::providers::greetings::{challenge, in_query};
use crate::providers::mechanisms::{Mac, Writing};
use crate::providers::{Greeting, Reply, Verification};

const TOKEN: &str = "crc_token";

static SIGNATURE: Mac = Mac {
    writing: Writing::Base64,
    prefix: "sha256=",
    ..Mac::sha256("x-twitter-webhooks-signature")
};

/// X (Twitter).
pub(in crate::providers) static X_TWITTER: Sender = Sender {
    greet: Some(crc),
    samples: &[("event", include_str!("../samples/x-twitter.json"))],
    ..Sender::new("x-twitter", "X (Twitter)", &ABOUT, &SIGNATURE)
};

fn crc(
    _sender: &Sender,
    request: &Unverified<'_>,
    verification: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    if *request.method != Method::GET {
        return None;
    }
    in_query(request.query, TOKEN).map(|token| {
        let token = challenge(TOKEN, &token?)?.to_owned();
        // A delivery is a JSON object, which always has characters other than these.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.".contains(&byte);
        if !token.bytes().all(plain) {
            return Err(Refusal::MissingField(TOKEN));
        }
        let secret = verification.secrets.first().ok_or(Refusal::NoUsableSecret)?;
        let proof = mac(Algorithm::Sha256, secret.expose(), &[token.as_bytes()]);
        let response = format!("sha256={}", BASE64_STANDARD.encode(proof));
        Ok(Greeting::new(
            "challenge",
            Reply::json(&serde_json::json!({ "response_token": response })),
        ))
    })
}

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
              The body is signed.",
    yields: "",
    proven: Proven::Literal,
    sources: &[
        "https://developer.x.com/en/docs/x-api/enterprise/account-activity-api/guides/securing-webhooks",
    ],
};
