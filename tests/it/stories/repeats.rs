//! Which deliveries are one and the same: what a sender tries again is, and what it tells of another
//! moment is not, whatever the two have in common.

use std::time::Duration;

use cdsw_gateway::model::RunState;
use serde_json::{Value, json};

use super::common::{ADMIN_TOKEN, ON_PUSH, PUSH, WEBHOOK_SECRET, World};
use super::{delivery, push_with, run_of, text, with_sources};

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

async fn metrics(world: &World) -> String {
    let (_, text) = world.send(world.client.get(world.admin("/metrics"))).await;
    text.as_str().expect("text").to_owned()
}

async fn kept_body(world: &World, id: &str) -> Vec<u8> {
    let request = world.client.get(world.admin(&format!("/api/deliveries/{id}/body")));
    let answer = request.bearer_auth(ADMIN_TOKEN).send().await.expect("an answer");
    answer.bytes().await.expect("bytes").to_vec()
}

/// An id at GitHub is not signed, so it says nothing of the body that comes with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_id_with_three_bodies_is_three_deliveries_and_none_is_lost() {
    let routes = r#"
  on-push:
    on: { source: github, event: push }
    job: retrain
    env: { WHAT: "${{ body.what }}" }
"#;
    let world = World::start(routes).await;
    let push = |fields| push_with(fields).to_string();
    let bodies = [
        push(json!({ "no": "variable can be made of this" })),
        push(json!({ "what": "second" })),
        push(json!({ "what": "third" })),
    ];
    let mut deliveries = Vec::new();
    let mut runs = Vec::new();
    for body in &bodies {
        let (status, answer) = world.send(world.github("push", "one-id", body.as_bytes())).await;
        assert_eq!((status, answer.get("duplicate")), (202, None), "{answer}");
        deliveries.push(text(&answer, "/delivery").to_owned());
        runs.push(run_of(&answer, 0));
    }
    for (place, (id, body)) in deliveries.iter().zip(&bodies).enumerate() {
        assert_eq!(kept_body(&world, id).await, body.as_bytes());
        let first = if place == 0 { Value::Null } else { deliveries[0].clone().into() };
        assert_eq!(delivery(&world, id).await["same_id_as"], first);
    }
    // The run whose variables could not be made got none of another body.
    let failed = world.run(runs[0]).await;
    assert_eq!((failed.brief.state, failed.environment), (RunState::Failed, None));
    for run in &runs[1..] {
        world.run_in(*run, RunState::Started).await;
    }
    let metrics = metrics(&world).await;
    let counted = "cdsw_gateway_deliveries_same_id_total{source=\"github\"} 2\n";
    assert!(metrics.contains(counted), "{metrics}");
    // Each of them is known from now on.
    for (id, body) in deliveries.iter().zip(&bodies) {
        let (status, answer) = world.send(world.github("push", "one-id", body.as_bytes())).await;
        assert_eq!((status, &answer["duplicate"]), (200, &true.into()), "{answer}");
        assert_eq!(text(&answer, "/delivery"), id);
    }
    assert_eq!(world.runs().await, 3);
}

/// Nor is the name of the event signed: whoever sends a captured push under another name does not make the
/// gateway take the push itself for a repeat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_id_under_another_name_of_the_event_takes_nothing_away() {
    let world = World::start(ON_PUSH).await;
    let (status, answer) = world.send(world.github("ping", "one-id", PUSH)).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = world.send(world.github("push", "one-id", PUSH)).await;
    assert_eq!((status, answer.get("duplicate")), (202, None), "{answer}");
    world.run_in(run_of(&answer, 0), RunState::Started).await;
}

const UNNAMED: &str = "  dropbox: { provider: dropbox, secrets: [{ file: secrets/webhook }] }
  cron: { provider: token, header: X-Token, secrets: [{ file: secrets/webhook }] }
  each: { provider: token, header: X-Token, repeats: never, secrets: [{ file: secrets/webhook }] }
  daily: { provider: token, header: X-Token, repeats: { window: 1d }, secrets: [{ file: secrets/webhook }] }
";

const OF_UNNAMED: &str = "
  everything:
    on: { source: [dropbox, cron, each, daily] }
    job: retrain
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_neither_an_id_nor_a_time_is_known_for_ten_minutes() {
    let world = with_sources(UNNAMED, OF_UNNAMED).await;
    let body = json!({ "job": "nightly" });
    for source in ["dropbox", "cron"] {
        assert!(!is_repeat(&world, source, &body).await, "{source}");
        assert!(is_repeat(&world, source, &body).await, "{source}: sent again at once");
    }
    world.clock.advance(Duration::from_secs(599));
    for source in ["dropbox", "cron"] {
        assert!(is_repeat(&world, source, &body).await, "{source}: within ten minutes");
    }
    world.clock.advance(Duration::from_secs(1));
    for source in ["dropbox", "cron"] {
        assert!(!is_repeat(&world, source, &body).await, "{source}: ten minutes later");
    }
    assert_eq!(world.runs().await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_says_what_a_repeat_is() {
    let world = with_sources(UNNAMED, OF_UNNAMED).await;
    let body = json!({ "job": "nightly" });
    for _ in 0..3 {
        assert!(!is_repeat(&world, "each", &body).await, "each request stands for itself");
    }
    assert!(!is_repeat(&world, "daily", &body).await);
    world.clock.advance(Duration::from_secs(24 * 3600 - 1));
    assert!(is_repeat(&world, "daily", &body).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!is_repeat(&world, "daily", &body).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_for_a_repeat_is_seen_on_the_delivery_and_in_the_metrics() {
    let world = with_sources(UNNAMED, OF_UNNAMED).await;
    let body = json!({ "job": "nightly" });
    for _ in 0..3 {
        is_repeat(&world, "cron", &body).await;
        world.clock.advance(Duration::from_secs(60));
    }
    let (_, list) = world.api(reqwest::Method::GET, "/api/deliveries?source=cron", None).await;
    let listed = &list["deliveries"][0];
    assert_eq!(
        (&listed["repeats"], list["deliveries"].as_array().map(Vec::len)),
        (&2.into(), Some(1))
    );
    let (received, repeated) = (text(listed, "/received_at"), text(listed, "/repeated_at"));
    assert_eq!((received, repeated), ("2026-03-01T12:00:00Z", "2026-03-01T12:02:00Z"));
    let metrics = metrics(&world).await;
    let counted = "cdsw_gateway_deliveries_total{source=\"cron\",verdict=\"repeat\"} 2\n";
    assert!(metrics.contains(counted), "{metrics}");
}
