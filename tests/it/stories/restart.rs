//! The gateway is stopped and started again, in this process. No test beside these may start
//! another one: a child has the lock on a store's file for as long as it takes to become itself.

use cdsw_gateway::model::{RunId, RunState};
use cdsw_gateway::simulator::{Fault, FaultRule};
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{Run, Store};

use super::common::{ON_PUSH, Site, World};
use super::push_that;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_queued_survives_and_is_started_by_the_next_one() {
    let world = World::start_with(ON_PUSH, "", "    circuit_breaker: { least: 1000 }").await;
    let (_, started) = push_that(&world, "started", RunState::Started).await;
    let (_, held) = push_that(&world, "held", RunState::Held).await;
    world
        .simulator
        .add_fault(FaultRule::always(Fault::busy_503().with_header("Retry-After", "300")));
    let mut queued = Vec::new();
    for number in 0..5 {
        let id = world.push(&format!("queued-{number}")).await;
        world.run_after(id, 1).await;
        queued.push(id);
    }
    world.simulator.clear_faults();
    let world = world.restart().await;
    for id in &queued {
        let run = world.run(*id).await;
        assert_eq!((run.brief.state, run.tries.len()), (RunState::Queued, 1), "{run:#?}");
    }
    world.clock.advance(std::time::Duration::from_secs(300));
    for id in queued {
        let run = world.run_in(id, RunState::Started).await;
        assert_eq!(run.tries.len(), 2);
    }
    assert_eq!(world.run(started).await.tries.len(), 1);
    assert_eq!(world.run(held).await.brief.state, RunState::Held);
    assert_eq!(world.simulator.runs().len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_the_answer_that_is_on_its_way() {
    let world = World::start_with(ON_PUSH, "", "    timeout: 30s").await;
    world.simulator.add_fault(FaultRule::once(Fault::HoldAnswer));
    let id = world.push("on-its-way").await;
    world.simulator.wait_for_requests(1).await;
    let World { site, simulator, gateway, .. } = world;
    let stopping = tokio::spawn(gateway.stop(std::time::Duration::from_secs(20)));
    simulator.release_held();
    stopping.await.expect("it stops");
    let run = read(&site, id).await;
    assert_eq!(run.brief.state, RunState::Started, "{run:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_does_not_get_its_answer_leaves_nothing_leased() {
    let world = World::start_with(ON_PUSH, "", "    timeout: 30s").await;
    world.simulator.add_fault(FaultRule::once(Fault::HoldAnswer));
    let id = world.push("on-its-way").await;
    world.simulator.wait_for_requests(1).await;
    let World { site, gateway, simulator: _simulator, .. } = world;
    gateway.stop(std::time::Duration::from_millis(50)).await;
    let run = read(&site, id).await;
    assert_eq!(run.brief.state, RunState::Held, "{run:#?}");
    assert!(run.tries[0].took_ms >= Some(50), "it says how long it was waited for: {run:#?}");
    let reason = run.brief.reason.expect("a reason");
    assert!(reason.contains("the gateway stopped while the request was on its way"), "{reason}");
}

/// A run as a stopped gateway has left it.
async fn read(site: &Site, id: RunId) -> Run {
    let store = SqliteStore::open(&site.path("gateway.db")).expect("nobody has it open");
    store.run(id).await.expect("read").expect("kept")
}
