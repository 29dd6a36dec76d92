//! What a workbench, or the network before it, can do to a start, and what the gateway makes of it:
//! a real gateway, a simulated workbench that goes wrong as told, and a clock that is moved.

mod faults;
mod keys;
mod pace;
mod probe;
mod retries;
mod way;

use std::collections::BTreeMap;

use cdsw_gateway::model::{RunId, RunState};
use cdsw_gateway::simulator::LogEntry;

pub(crate) use crate::common::HOLD_AND_RETRY as ROUTES;
use crate::common::{self, PUSH, World};

/// A delivery that starts `report`.
pub(crate) async fn report(world: &World, id: &str) -> RunId {
    let (status, answer) = world.send(world.github("create", id, PUSH)).await;
    assert_eq!(status, 202, "{answer}");
    answer["runs"][0]["id"].as_str().expect("a run").parse().expect("an id")
}

/// The start requests of one run that the workbench has read, oldest first.
pub(crate) fn requests(world: &World, run: RunId) -> Vec<LogEntry> {
    let run = run.to_string();
    let mut all = world.simulator.requests();
    all.retain(|entry| entry.environment.get("GATEWAY_RUN_ID") == Some(&run));
    all
}

/// The variables of the runs that the workbench has started for one of ours.
pub(crate) fn started(world: &World, run: RunId) -> Vec<BTreeMap<String, String>> {
    let run = run.to_string();
    let all = world.simulator.runs().into_iter().map(|started| started.environment);
    all.filter(|environment| environment.get("GATEWAY_RUN_ID") == Some(&run)).collect()
}

/// Proves that the dispatcher has looked at its queue since this was called: it has started
/// another job's run.
pub(crate) async fn a_look_at_the_queue(world: &World, id: &str) {
    let fence = report(world, id).await;
    world.run_in(fence, RunState::Started).await;
}
