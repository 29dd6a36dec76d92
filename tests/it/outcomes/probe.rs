//! `probe: latest-run`: an unknown outcome is looked up, and only a clear answer settles it.

use cdsw_gateway::model::{Outcome, RunState};
use cdsw_gateway::simulator::{Fault, FaultRule, Page};

use super::retries::with_job;
use super::{requests, started};

const PROBE: &str = "    probe: latest-run\n    starts_at_once: 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_whose_answer_was_lost_is_found() {
    let world = with_job(PROBE).await;
    world.simulator.add_fault(FaultRule::once(Fault::StartedAnswerLost));
    let id = world.push("lost").await;
    let run = world.run_in(id, RunState::Started).await;
    assert_eq!(run.brief.engine_id, Some(world.simulator.runs()[0].engine_id.clone()));
    let [attempt] = run.tries.as_slice() else { panic!("{run:#?}") };
    assert_eq!(attempt.outcome, Some(Outcome::Started));
    let reason = attempt.reason.as_deref().expect("a reason");
    assert!(reason.contains("ended without an answer"), "{reason}");
    assert!(reason.contains("looked up: it runs as engine"), "{reason}");
    assert_eq!(started(&world, id).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_latest_run_that_is_not_ours_settles_nothing() {
    let world = with_job(PROBE).await;
    let first = world.push("first").await;
    world.run_in(first, RunState::Started).await;
    // Nothing was started, and the latest run is the one before.
    world.simulator.add_fault(FaultRule::once(Fault::reply(502, Page::Html)));
    let id = world.push("unknown").await;
    let run = world.run_in(id, RunState::Held).await;
    let reason = run.brief.reason.expect("a reason");
    assert!(reason.contains("the workbench answered 502"), "{reason}");
    assert!(reason.contains("looked up without result"), "{reason}");
    assert_eq!((started(&world, id).len(), requests(&world, id).len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_probe_nothing_is_looked_up() {
    let world = with_job("").await;
    world.simulator.add_fault(FaultRule::once(Fault::StartedAnswerLost));
    let id = world.push("lost").await;
    world.run_in(id, RunState::Held).await;
    assert!(world.simulator.requests().iter().all(|request| request.method != "GET"));
}
