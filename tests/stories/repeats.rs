//! Which deliveries are one and the same: what a sender tries again is, and what it tells of another
//! moment is not, whatever the two have in common.

use serde_json::{Value, json};

use super::common::{WEBHOOK_SECRET, World};
use super::with_sources;

const SOURCES: &str = "  hubspot: { provider: hubspot, public_url: \"https://hooks.example.com/hooks/hubspot\", secrets: [{ file: secrets/webhook }] }
";

const EVERYTHING: &str = "
  everything:
    on: { source: [hubspot] }
    job: retrain
";

/// Sends what the source's sender would sign, and says whether it was taken for a repeat.
async fn is_repeat(world: &World, source: &str, body: &Value) -> bool {
    let request = world.signed(source, "event", "id-1", body.to_string(), WEBHOOK_SECRET);
    let (status, answer) = world.send(request).await;
    let repeat = answer["duplicate"] == true;
    assert_eq!(status, if repeat { 200 } else { 202 }, "{answer}");
    repeat
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hubspot_tries_again_is_one_delivery_and_starts_one_job() {
    let world = with_sources(SOURCES, EVERYTHING).await;
    let event = |id: u64, attempt: u64| {
        json!({
            "eventId": id, "subscriptionId": 12345, "portalId": 62515, "occurredAt": 1_763_888_400_000_u64,
            "subscriptionType": "deal.creation", "attemptNumber": attempt, "objectId": 123,
        })
    };
    // Of an association there is no `objectId`.
    let association = |attempt: u64| {
        json!([{
            "eventId": 1, "subscriptionId": 7, "occurredAt": 1_763_888_400_000_u64,
            "subscriptionType": "deal.associationChange", "attemptNumber": attempt,
            "fromObjectId": 1, "toObjectId": 2,
        }])
    };
    for (body, repeat) in [
        (json!([event(1, 0), event(2, 0)]), false),
        (json!([event(1, 1), event(2, 1)]), true),
        (json!([event(1, 2), event(2, 2)]), true),
        (json!([event(1, 0), event(3, 0)]), false),
        (association(0), false),
        (association(1), true),
    ] {
        assert_eq!(is_repeat(&world, "hubspot", &body).await, repeat, "{body}");
    }
    assert_eq!(world.runs().await, 3);
}
