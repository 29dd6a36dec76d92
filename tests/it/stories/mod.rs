//! What people do with a gateway and what they see of it, as short stories: a real gateway, a
//! simulated workbench, signed requests over sockets.

mod addresses;
mod admin;
mod changed_routes;
mod chat;
mod chat_docs;
mod chat_handshakes;
mod erase;
mod flow;
mod forges;
mod greetings;
mod guards;
mod health_listener;
mod leaks;
mod lists;
mod mapping;
mod redelivery;
mod release;
mod reload;
mod repeats;
mod replay;
mod restart;
mod retention;
mod rotation;
mod senders;
mod slow_secrets;
mod told;
mod values;

use cdsw_gateway::model::{RunId, RunState};
use cdsw_gateway::simulator::{Fault, FaultRule};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{self, PUSH, Site, World, simulator};

/// A world with these lines under `sources:` beside the usual ones.
pub(crate) async fn with_sources(sources: &str, routes: &str) -> World {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), routes);
    edit(&site, "  open-ci:\n", &format!("{sources}  open-ci:\n"));
    World::on(site, simulator).await
}

/// Changes a piece of `gateway.yaml`.
pub(crate) fn edit(site: &Site, from: &str, to: &str) {
    let text = std::fs::read_to_string(site.config()).expect("read");
    assert!(text.contains(from), "{from} is not in the configuration");
    site.write_config(&text.replace(from, to));
}

/// A text in an answer.
pub(crate) fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {answer}"))
}

/// The run that an answer names.
pub(crate) fn run_of(answer: &Value, position: usize) -> RunId {
    text(answer, &format!("/runs/{position}/id")).parse().expect("an id")
}

/// A push whose run fails, is held or is started; gives its delivery and its run.
pub(crate) async fn push_that(world: &World, id: &str, state: RunState) -> (String, RunId) {
    match state {
        RunState::Failed => world.simulator.add_fault(FaultRule::once(Fault::status(403))),
        RunState::Held => world.simulator.add_fault(FaultRule::once(Fault::status(502))),
        RunState::Started => {}
        other => panic!("a push does not come to rest as {other}"),
    }
    let (status, answer) = world.send(world.github("push", id, PUSH)).await;
    assert_eq!(status, 202, "{answer}");
    let run = run_of(&answer, 0);
    world.run_in(run, state).await;
    (text(&answer, "/delivery").to_owned(), run)
}

/// Proves that the dispatcher has had every random to start what is due: it has started a run that
/// came later.
pub(crate) async fn a_later_start(world: &World, id: &str) {
    push_that(world, id, RunState::Started).await;
}

pub(crate) async fn replay(world: &World, delivery: &str, ask: Value) -> (u16, Value) {
    world.api(Method::POST, &format!("/api/deliveries/{delivery}/replay"), Some(ask)).await
}

pub(crate) async fn release(world: &World, run: RunId, ask: Value) -> (u16, Value) {
    world.api(Method::POST, &format!("/api/runs/{run}/release"), Some(ask)).await
}

/// A kept delivery as the API shows it.
pub(crate) async fn delivery(world: &World, id: &str) -> Value {
    let (status, view) = world.api(Method::GET, &format!("/api/deliveries/{id}"), None).await;
    assert_eq!(status, 200, "{view}");
    view
}

/// A push with further fields, as JSON.
pub(crate) fn push_with(fields: Value) -> Value {
    let mut push: Value = serde_json::from_str(PUSH).expect("JSON");
    let all = push.as_object_mut().expect("an object");
    all.extend(fields.as_object().expect("an object").clone());
    json!(push)
}
