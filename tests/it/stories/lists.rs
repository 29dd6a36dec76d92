//! Deliveries that are lists of events: each of them is matched, whatever its place.

use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::model::{RunState, Secret};
use cdsw_gateway::providers::Outgoing;
use serde_json::{Value, json};

use super::common::{WEBHOOK_SECRET, World};
use super::{delivery, run_of, text, with_sources};

const SOURCES: &str = "  hubspot: { provider: hubspot, public_url: \"https://hooks.example.com/hooks/hubspot\", secrets: [{ file: secrets/webhook }] }
  okta: { provider: okta, secrets: [{ file: secrets/webhook }] }
  event-grid: { provider: azure-event-grid, secrets: [{ file: secrets/webhook }] }
  asana: { provider: asana, secrets: [{ file: secrets/webhook }] }
  some-deals: { provider: hubspot, events: [deal.creation], public_url: \"https://hooks.example.com/hooks/some-deals\", secrets: [{ file: secrets/webhook }] }
";

const ROUTES: &str = r#"
  deals:
    on: { source: hubspot, event: deal.creation }
    job: retrain
    env: { ID: "${{ body[event.part].objectId }}", PART: "${{ event.part }}", KIND: "${{ event.kind }}" }
  logins:
    on: { source: okta, event: user.session.start }
    job: retrain
    env: { ID: "${{ body.data.events[event.part].uuid }}", PART: "${{ event.part }}", KIND: "${{ event.kind }}" }
  blobs:
    on: { source: event-grid, event: Microsoft.Storage.BlobCreated }
    job: retrain
    env: { ID: "${{ body[event.part].id }}", PART: "${{ event.part }}", KIND: "${{ event.kind }}" }
  stories:
    on: { source: asana, event: story, action: added }
    job: retrain
    env: { ID: "${{ body.events[event.part].resource.gid }}", PART: "${{ event.part }}", KIND: "${{ event.kind }}" }
  some:
    on: { source: some-deals }
    job: retrain
"#;

async fn world() -> World {
    with_sources(SOURCES, ROUTES).await
}

/// Sends it as the source's sender would, whose secret may stand in the address.
async fn send(world: &World, source: &str, body: &Value) -> Value {
    let plan = world.live.plan();
    let known = &plan.sources[source];
    let text = body.to_string();
    let outgoing = Outgoing {
        method: &http::Method::POST,
        path: &format!("/hooks/{source}"),
        event: "event",
        body: text.as_bytes(),
        access_token: None,
    };
    let signed = known
        .provider
        .sign(&outgoing, &Secret::new(WEBHOOK_SECRET), &known.options, "id-1", world.clock.now())
        .expect("it signs");
    let url = format!("{}?{}", world.hook(source), signed.query);
    let request = world.client.post(url).headers(signed.headers.into_iter().collect());
    let (status, answer) = world.send(request.body(text)).await;
    assert!(matches!(status, 200 | 202), "{answer}");
    answer
}

/// The second event alone is what the route asks for; the job is told of it, and of it alone.
async fn the_second_is_matched(source: &str, body: Value, kinds: [&str; 2], id: &str) {
    let world = world().await;
    let answer = send(&world, source, &body).await;
    assert_eq!(answer["runs"].as_array().map(Vec::len), Some(1), "{answer}");
    let run = world.run_in(run_of(&answer, 0), RunState::Started).await;
    let environment = run.environment.expect("made");
    assert_eq!(environment.get("ID"), Some(id));
    assert_eq!(environment.get("PART"), Some("1"));
    assert_eq!(environment.get("KIND"), Some(kinds[1]));
    let kept = delivery(&world, text(&answer, "/delivery")).await;
    assert_eq!(kept["kind"], kinds[0], "{kept}");
    let again = send(&world, source, &body).await;
    assert_eq!(again["duplicate"], true, "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_matches_the_second_event_of_hubspot() {
    let body = json!([
        { "subscriptionType": "contact.creation", "eventId": 1, "objectId": 10 },
        { "subscriptionType": "deal.creation", "eventId": 2, "objectId": 20 },
    ]);
    the_second_is_matched("hubspot", body, ["contact.creation", "deal.creation"], "20").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_matches_the_second_event_of_okta() {
    let body = json!({ "eventId": "e-1", "eventType": "com.okta.event_hook", "data": { "events": [
        { "eventType": "user.lifecycle.create", "uuid": "u-1" },
        { "eventType": "user.session.start", "uuid": "u-2" },
    ] } });
    let kinds = ["user.lifecycle.create", "user.session.start"];
    the_second_is_matched("okta", body, kinds, "u-2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_matches_the_second_event_of_event_grid() {
    let kinds = ["Microsoft.Storage.BlobDeleted", "Microsoft.Storage.BlobCreated"];
    let body = json!([
        { "id": "g-1", "eventType": kinds[0] },
        { "id": "g-2", "eventType": kinds[1] },
    ]);
    the_second_is_matched("event-grid", body, kinds, "g-2").await;
    // CloudEvents in a batch.
    let body = json!([{ "id": "c-1", "type": kinds[0] }, { "id": "c-2", "type": kinds[1] }]);
    the_second_is_matched("event-grid", body, kinds, "c-2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_matches_the_second_event_of_asana() {
    let body = json!({ "events": [
        { "action": "changed", "resource": { "gid": "1", "resource_type": "task" } },
        { "action": "added", "resource": { "gid": "2", "resource_type": "story" } },
    ] });
    the_second_is_matched("asana", body, ["task", "story"], "2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_differ_in_one_event_are_two_deliveries() {
    let world = world().await;
    let list = |second: &str| json!([{ "id": "g-1", "eventType": "a" }, { "id": second, "eventType": "a" }]);
    let first = send(&world, "event-grid", &list("g-2")).await;
    let other = send(&world, "event-grid", &list("g-3")).await;
    assert_ne!(first["delivery"], other["delivery"]);
    let again = send(&world, "event-grid", &list("g-2")).await;
    assert_eq!(again["delivery"], first["delivery"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_lists_its_events_takes_those_of_a_list_and_passes_over_the_others() {
    let world = world().await;
    let body = json!([
        { "subscriptionType": "contact.creation", "eventId": 1 },
        { "subscriptionType": "deal.creation", "eventId": 2 },
        { "subscriptionType": "deal.creation", "eventId": 3 },
    ]);
    let answer = send(&world, "some-deals", &body).await;
    assert_eq!(answer["runs"].as_array().map(Vec::len), Some(2), "{answer}");
}
