//! Okta's event hooks. Okta signs nothing. It sends the text that is configured there in the header
//! `Authorization`. Once, it verifies the endpoint with a GET request.

use http::{HeaderName, Method};

use crate::authenticate::{Refusal, Unverified};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::greetings::challenge;
use crate::providers::mechanisms::Token;
use crate::providers::{Greeting, Reply, Verification};

const CHALLENGE: &str = "x-okta-verification-challenge";

static TOKEN: Token = Token { header: "authorization", prefix: "" };

/// Okta event hooks.
pub(in crate::providers) static OKTA: Sender = Sender {
    parts: Some(&["data", "events"]),
    event: &[At::Part(&["eventType"]), At::Field(&["eventType"])],
    id: &[At::Field(&["eventId"])],
    changing: &["eventTime"],
    takes: &["header"],
    greet: Some(verification),
    samples: &[("user.lifecycle.create", include_str!("../samples/okta.json"))],
    ..Sender::new("okta", "Okta event hooks", &ABOUT, &TOKEN)
};

fn verification(
    _sender: &Sender,
    request: &Unverified<'_>,
    _grounds: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    let name = HeaderName::from_static(CHALLENGE);
    let value = request.headers.get(&name).filter(|_| *request.method == Method::GET)?;
    let text = value.to_str().ok()?;
    Some(challenge(CHALLENGE, text).map(|text| {
        Greeting::new("verification", Reply::json(&serde_json::json!({ "verification": text })))
    }))
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the Admin Console: Workflow > Event Hooks > Create Event Hook.",
        "Endpoint URL `https://HOST/hooks/okta`, authentication field `Authorization`, and a \
         long random text as the secret; choose the events. For another field, write its name as \
         `header` of the source.",
        "Verify it there: Okta asks once, with GET.",
    ],
    source: "provider: okta\nsecrets: [{ env: OKTA_HOOK_SECRET }]",
    carries: "Each of `data.events` is an event of its own, of the kind that its `eventType` says \
              (`user.lifecycle.create`, …): `body.data.events[event.part]` is the one that a route \
              looks at. The delivery's id is `eventId`. Nothing is signed. Okta \
              wants an answer in 3 seconds and tries twice.",
    yields: "",
    proven: Proven::Assembled,
    sources: &["okta/okta-developer-docs, concepts/event-hooks"],
};
