//! Fivetran. It writes the signature in capitals. When a webhook is created, Fivetran sends a test, which
//! is signed like any other delivery and starts no job. The test's content is not documented. The gateway
//! recognises it by the event name `test`, or by having neither an event name nor a sync.

use http::HeaderMap;

use crate::model::Value;
use crate::providers::Handshake;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Body, Sender};
use crate::providers::mechanisms::{Mac, Writing};

static SIGNATURE: Mac =
    Mac { writing: Writing::UpperHex, ..Mac::sha256("x-fivetran-signature-256") };

/// Fivetran.
pub(in crate::providers) static FIVETRAN: Sender = Sender {
    body: Body::JsonOrText,
    event: &[At::Field(&["event"])],
    action: &[At::Field(&["data", "status"])],
    handshake: Some(test),
    samples: &[("sync_end", include_str!("../samples/fivetran.json"))],
    ..Sender::new("fivetran", "Fivetran", &ABOUT, &SIGNATURE)
};

fn test(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let is_test = match body.get("event") {
        Some(event) => event.as_str() == Some("test"),
        None => body.get("sync_id").is_none(),
    };
    is_test.then_some(Handshake::Acknowledge)
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "Create it with the API: `POST https://api.fivetran.com/v1/webhooks/account` with the \
         URL `https://HOST/hooks/fivetran`, the events and a secret.",
        "Fivetran sends a test at once: the gateway must be reachable, with the secret set, \
         before.",
    ],
    source: "provider: fivetran\nsecrets: [{ env: FIVETRAN_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `event` (`sync_end`, …), the action `data.status`. A sync \
              that is retried ends twice, `FAILED` and then `SUCCESSFUL`: ask for `action: \
              SUCCESSFUL`. All events of a sync share its `sync_id`, so the digest of the body, which \
              holds the time (`created`), stands for the delivery's id. The body is signed. The \
              test starts nothing.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://fivetran.com/docs/rest-api/webhooks"],
};
