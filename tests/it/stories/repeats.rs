//! Which deliveries are one and the same: what a sender tries again is, and what it tells of another
//! moment is not, whatever the two have in common.

use serde_json::{Value, json};

use super::common::{WEBHOOK_SECRET, World};
use super::with_sources;

const SOURCES: &str = "  hubspot: { provider: hubspot, public_url: \"https://hooks.example.com/hooks/hubspot\", secrets: [{ file: secrets/webhook }] }
  fivetran: { provider: fivetran, secrets: [{ file: secrets/webhook }] }
  terraform-cloud: { provider: terraform-cloud, secrets: [{ file: secrets/webhook }] }
";

const EVERYTHING: &str = "
  everything:
    on: { source: [hubspot, fivetran, terraform-cloud] }
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
async fn what_hubspot_tries_again_is_one_delivery_and_starts_its_jobs_once() {
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
    // Two of each list, one of the association.
    assert_eq!(world.runs().await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terraform_run_that_needs_attention_twice_is_two_deliveries() {
    let world = with_sources(SOURCES, EVERYTHING).await;
    let told = |at: &str| {
        json!({
            "run_id": "run-1",
            "notifications": [{ "trigger": "run:needs_attention", "run_status": "planned", "run_updated_at": at }],
        })
    };
    for (at, repeat) in [
        ("2026-03-01T11:00:00Z", false),
        ("2026-03-01T11:00:00Z", true),
        ("2026-03-01T12:00:00Z", false),
    ] {
        assert_eq!(is_repeat(&world, "terraform-cloud", &told(at)).await, repeat, "{at}");
    }
    assert_eq!(world.runs().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fivetran_tells_of_one_sync_at_two_times_is_two_deliveries() {
    let world = with_sources(SOURCES, EVERYTHING).await;
    let told = |at: &str| {
        json!({
            "event": "sync_end", "created": at, "sync_id": "s-1", "connector_id": "c-1",
            "data": { "status": "FAILURE_WITH_TASK" },
        })
    };
    for (at, repeat) in [
        ("2026-03-01T11:00:00Z", false),
        ("2026-03-01T11:00:00Z", true),
        ("2026-03-01T12:00:00Z", false),
    ] {
        assert_eq!(is_repeat(&world, "fivetran", &told(at)).await, repeat, "{at}");
    }
    assert_eq!(world.runs().await, 2);
}
