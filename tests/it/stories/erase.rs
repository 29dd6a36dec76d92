//! A person has the content of a delivery erased.

use cdsw_gateway::model::RunState;
use reqwest::Method;
use serde_json::{Value, json};

use super::common::{ON_PUSH, PUSH, World};
use super::{a_later_start, delivery, push_that, replay, text};

async fn erase(world: &World, id: &str) -> (u16, Value) {
    let ask = json!({ "note": "asked for by its author" });
    world.api(Method::POST, &format!("/api/deliveries/{id}/erase"), Some(ask)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_delivery_is_known_and_neither_shown_nor_replayed() {
    let world = World::start(ON_PUSH).await;
    let (id, run) = push_that(&world, "gone", RunState::Failed).await;
    let (status, view) = erase(&world, &id).await;
    assert_eq!((status, &view["left"]), (200, &Value::Null), "{view}");
    let shown = delivery(&world, &id).await;
    assert_eq!((text(&shown, "/erased/by"), &shown["headers"]), ("ops", &json!([])));
    let all = shown.to_string();
    for word in ["59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5", "acme/risk"] {
        assert!(PUSH.contains(word), "{word} was a part of it");
        assert!(!all.contains(word), "{word}: {all}");
    }
    let (status, gone) = world.api(Method::GET, &format!("/api/deliveries/{id}/body"), None).await;
    assert_eq!((status, text(&gone, "/code")), (410, "content-removed"), "{gone}");
    let (status, refused) = replay(&world, &id, json!({})).await;
    assert_eq!((status, text(&refused, "/code")), (409, "not-replayable"), "{refused}");
    // Its sender repeats it: it is known, and nothing is started.
    let (status, answer) = world.send(world.github("push", "gone", PUSH)).await;
    assert_eq!((status, &answer["duplicate"]), (200, &true.into()), "{answer}");
    assert_eq!(text(&answer, "/runs/0/state"), "failed");
    a_later_start(&world, "later").await;
    assert_eq!(world.run(run).await.brief.state, RunState::Failed);
    assert_eq!(world.simulator.runs().len(), 1);
    let (_, audit) = world.api(Method::GET, "/api/audit", None).await;
    let entry = &audit["acts"][0];
    assert_eq!(
        (text(entry, "/act"), text(entry, "/name"), text(entry, "/who")),
        ("erase", &*id, "ops")
    );
    assert_eq!(text(entry, "/note"), "asked for by its author");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_cancelled_before_its_delivery_is_erased() {
    let world = World::start(ON_PUSH).await;
    let (id, run) = push_that(&world, "held", RunState::Held).await;
    let (status, view) = erase(&world, &id).await;
    assert_eq!((status, &view["cancelled"]), (200, &json!([run.to_string()])), "{view}");
    let run = world.run(run).await;
    assert_eq!(run.brief.state, RunState::Cancelled);
    assert_eq!(run.acts.last().map(|(word, act)| (&**word, &*act.who)), Some(("cancel", "ops")));
    a_later_start(&world, "later").await;
    assert_eq!(world.simulator.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_delivery_that_there_is_can_be_erased() {
    let world = World::start(ON_PUSH).await;
    let unknown = "00000000-0000-7000-8000-000000000000";
    assert_eq!(erase(&world, unknown).await.0, 404);
    assert_eq!(erase(&world, "no-id").await.0, 400);
}
