//! Azure Event Grid, with its own schema or CloudEvents. It signs nothing. The secret is in the address,
//! and is neither stored nor shown.

use http::HeaderMap;

use crate::authenticate::{Refusal, Unverified};
use crate::model::Value;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::FieldToken;
use crate::providers::{Greeting, Handshake, Reply, Verification, greetings};

static ADDRESS: FieldToken = FieldToken { query: "code" };

/// Azure Event Grid.
pub(in crate::providers) static AZURE_EVENT_GRID: Sender = Sender {
    parts: Some(&[]),
    event: &[At::Part(&["eventType"]), At::Part(&["type"])],
    id: &[At::Part(&["id"])],
    handshake: Some(validation),
    greet: Some(permission),
    samples: &[("Microsoft.Storage.BlobCreated", include_str!("../samples/azure-event-grid.json"))],
    ..Sender::new("azure-event-grid", "Azure Event Grid", &ABOUT, &ADDRESS)
};

fn validation(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let first = body.as_list()?.first()?;
    let kind = first.get("eventType")?.as_str()?;
    let code = first.at(&["data", "validationCode"])?.as_str()?;
    let is_validation = kind == "Microsoft.EventGrid.SubscriptionValidationEvent";
    let answer = || Reply::json(&serde_json::json!({ "validationResponse": code }));
    is_validation.then(|| Handshake::Answer(answer()))
}

/// Before it sends anything, a sender of CloudEvents asks for permission with an OPTIONS request.
fn permission(
    _sender: &Sender,
    request: &Unverified<'_>,
    _verification: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    greetings::permission(request)
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "Create an event subscription with endpoint type Web Hook and endpoint \
         `https://HOST/hooks/azure-event-grid?code=SECRET`, with a long random text as the \
         secret.",
        "Event Grid asks at once whether the endpoint is meant; the gateway answers. `Max \
         events per batch` may be at most 1000.",
    ],
    source: "provider: azure-event-grid\nsecrets: [{ env: EVENT_GRID_CODE }]",
    carries: "In Event Grid's own schema, and for CloudEvents in batches, the body is a list, and \
              each thing in it an event of its own: `body[event.part]` is the one that a route looks \
              at. Its kind is its `eventType` (or `type`, of a CloudEvent); the `id` of all \
              together names the delivery. Nothing is signed.",
    yields: "",
    proven: Proven::Documented,
    sources: &[
        "https://learn.microsoft.com/azure/event-grid/webhook-event-delivery",
        "cloudevents/spec, http-webhook.md",
    ],
};
