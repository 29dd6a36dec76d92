//! Asana. While a webhook is created, Asana sends a greeting with the secret that it will sign with, and
//! expects the header back. The gateway echoes it whether or not the source has a secret yet. That is
//! safe: the answer reveals nothing that was not in the request, and deliveries that are signed with
//! another secret are refused.

use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::authenticate::{Refusal, Unverified, headers};
use crate::model::{Secret, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;
use crate::providers::{Greeting, Handshake, Reply, Verification};

const SECRET: &str = "x-hook-secret";

static SIGNATURE: Mac = Mac::sha256("x-hook-signature");

/// Asana.
pub(in crate::providers) static ASANA: Sender = Sender {
    parts: Some(&["events"]),
    event: &[At::Part(&["resource", "resource_type"])],
    action: &[At::Part(&["action"])],
    handshake: Some(heartbeat),
    greet: Some(greeting),
    takes: &["learn_secret"],
    secret_headers: &[SECRET],
    samples: &[("task", include_str!("../samples/asana.json"))],
    ..Sender::new("asana", "Asana", &ABOUT, &SIGNATURE)
};

/// A body without events, which Asana sends now and then to see that the endpoint is there.
fn heartbeat(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    body.get("events")?.as_list()?.is_empty().then_some(Handshake::Acknowledge)
}

fn greeting(
    _sender: &Sender,
    request: &Unverified<'_>,
    _grounds: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    let name = HeaderName::from_static(SECRET);
    let is_greeting = *request.method == Method::POST && request.headers.contains_key(&name);
    is_greeting.then(|| {
        let secret = headers::one(request.headers, &name)?;
        let value = request.headers[&name].clone();
        Ok(Greeting {
            offered: Some(Secret::new(secret)),
            ..Greeting::new("a new webhook", Reply::empty(StatusCode::OK).with(name, value))
        })
    })
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "Create it with the API: `POST https://app.asana.com/api/1.0/webhooks` with `resource` \
         and `target` `https://HOST/hooks/asana`. The gateway answers the greeting that comes \
         meanwhile.",
        "The answer holds `X-Hook-Secret`: that is the secret. With `learn_secret: true` and \
         `secrets: [{ file: … }]` the gateway writes it there itself.",
    ],
    source: "provider: asana\nsecrets: [{ env: ASANA_HOOK_SECRET }]",
    carries: "Each of `events` is an event of its own, whose kind is the type of its resource \
              (`task`, …): `body.events[event.part]` is the one that a route looks at. A heartbeat has none, and starts nothing. The digest of \
              the body stands for the delivery's id. The body is signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://developers.asana.com/docs/webhooks-guide"],
};
