//! What is not started for now is tried again: later each time, as the workbench asks, and not for
//! ever.

use std::time::Duration;

use cdsw_gateway::clock::{Clock, between};
use cdsw_gateway::model::{Outcome, RunState};
use cdsw_gateway::simulator::{Fault, FaultRule};

use super::common::{Site, World, simulator};
use super::{ROUTES, a_look_at_the_queue, requests, started};

/// A workbench that is never given a rest.
const NO_REST: &str = "    circuit_breaker: { least: 1000 }";
const JOB: &str = "alice/risk-analysis/208";

fn always(fault: Fault) -> FaultRule {
    FaultRule { job: Some(JOB.to_owned()), ..FaultRule::always(fault) }
}

/// A world whose workbench is never given a rest.
async fn patient() -> World {
    World::start_with(ROUTES, "", NO_REST).await
}

/// A world whose job `retrain` has these further lines.
pub(crate) async fn with_job(lines: &str) -> World {
    let simulator = simulator().await;
    let site = Site::with(&simulator.api_url(), ROUTES, "", NO_REST);
    let text = std::fs::read_to_string(site.config()).expect("read");
    site.write_config(&text.replace("    job: 208\n", &format!("    job: 208\n{lines}\n")));
    World::on(site, simulator).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pauses_grow_up_to_twice_the_last_one_and_stay_within_their_bound() {
    let world = patient().await;
    world.simulator.add_fault(always(Fault::busy_503()));
    let id = world.push("patient").await;
    let mut pauses = Vec::new();
    for attempt in 1..=14 {
        let run = world.run_after(id, attempt).await;
        let ceiling = Duration::from_secs(1 << (attempt - 1).min(10)).min(Duration::from_secs(60));
        let pause = between(world.clock.now(), run.brief.due_at);
        assert!(pause >= Duration::from_millis(100), "attempt {attempt}: {pause:?}");
        assert!(pause <= ceiling, "attempt {attempt}: {pause:?} of {ceiling:?}");
        pauses.push(pause);
        world.advance_to(run.brief.due_at);
    }
    let early = pauses[..3].iter().max().expect("three");
    let late = pauses[7..].iter().max().expect("seven");
    assert!(*late > *early * 4, "the pauses do not grow: {pauses:?}");
    world.simulator.clear_faults();
    let run = world.run_after(id, 15).await;
    world.advance_to(run.brief.due_at);
    world.run_in(id, RunState::Started).await;
    assert_eq!(started(&world, id).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_again_before_its_time() {
    let world = World::start(ROUTES).await;
    world.simulator.add_fault(FaultRule::once_for_job(
        JOB,
        Fault::status(429).with_header("Retry-After", "600"),
    ));
    let id = world.push("early").await;
    let run = world.run_after(id, 1).await;
    world.clock.advance(Duration::from_secs(599));
    a_look_at_the_queue(&world, "look").await;
    assert_eq!(requests(&world, id).len(), 1, "sent a second too early");
    world.advance_to(run.brief.due_at);
    world.run_in(id, RunState::Started).await;
    assert_eq!(requests(&world, id).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbench_that_asks_for_a_rest_gets_it_within_an_hour() {
    let usual = Duration::from_millis(100)..=Duration::from_secs(1);
    let exactly = |seconds| Duration::from_secs(seconds)..=Duration::from_secs(seconds);
    for (status, asks, rest) in [
        (429, "120", exactly(120)),
        (503, "120", exactly(120)),
        (409, "7", exactly(7)),
        (429, "Sun, 01 Mar 2026 12:01:30 GMT", exactly(90)),
        (429, "Sunday, 01-Mar-26 12:01:30 GMT", exactly(90)),
        (429, "Sun Mar  1 12:01:30 2026", exactly(90)),
        (429, "99999999999999999999999999", exactly(3600)),
        (429, "Sun, 01 Mar 2026 11:00:00 GMT", usual.clone()),
        (429, "31536000", exactly(3600)),
        (429, "0", usual.clone()),
        (429, "in a while", usual.clone()),
        (429, "-120", usual.clone()),
        (429, "", usual.clone()),
    ] {
        let world = World::start(ROUTES).await;
        let fault = Fault::status(status).with_header("Retry-After", asks);
        world.simulator.add_fault(FaultRule::once(fault));
        let id = world.push("tired").await;
        let run = world.run_after(id, 1).await;
        let waits = between(world.clock.now(), run.brief.due_at);
        assert!(rest.contains(&waits), "{status} with `{asks}`: waits {waits:?}, not {rest:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_date_is_read_by_the_workbenchs_own_clock() {
    let world = World::start(ROUTES).await;
    let fault = Fault::status(503)
        .with_header("Date", "Sun, 01 Mar 2026 15:00:00 GMT")
        .with_header("Retry-After", "Sun, 01 Mar 2026 15:00:45 GMT");
    world.simulator.add_fault(FaultRule::once(fault));
    let id = world.push("elsewhen").await;
    let run = world.run_after(id, 1).await;
    assert_eq!(between(world.clock.now(), run.brief.due_at), Duration::from_secs(45));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_its_deadline_a_run_fails_with_its_whole_story() {
    let world = with_job("    deadline: 5m").await;
    world.simulator.add_fault(always(Fault::busy_503()));
    let id = world.push("late").await;
    let mut attempts = 0;
    let run = loop {
        attempts += 1;
        let run = world.run_after(id, attempts).await;
        if run.brief.state != RunState::Queued {
            break run;
        }
        world.advance_to(run.brief.due_at);
    };
    assert_eq!(run.brief.state, RunState::Failed, "{run:#?}");
    assert!(attempts > 4, "{run:#?}");
    let told = format!(
        "the next try would come after its deadline (attempts so far: {attempts}); last: the \
         workbench is not available (503)"
    );
    assert_eq!(run.brief.reason, Some(told));
    assert_eq!(run.tries.len(), attempts);
    for (position, attempt) in run.tries.iter().enumerate() {
        assert_eq!(attempt.number as usize, position + 1);
        assert_eq!(attempt.outcome, Some(Outcome::NotStartedForNow));
        assert_eq!(attempt.status, Some(503));
        assert_eq!(attempt.reason.as_deref(), Some("the workbench is not available (503)"));
        assert_eq!(attempt.reply.as_deref(), Some(r#"{"message":"simulated answer 503"}"#));
        assert!(attempt.begun_at < run.brief.deadline);
    }
    assert!(run.tries.windows(2).all(|pair| pair[0].begun_at < pair[1].begun_at));
    assert!(started(&world, id).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rest_beyond_the_deadline_is_not_waited_for() {
    let world = with_job("    deadline: 5m").await;
    let fault = Fault::status(503).with_header("Retry-After", "600");
    world.simulator.add_fault(FaultRule::once(fault));
    let id = world.push("hopeless").await;
    let run = world.run_in(id, RunState::Failed).await;
    let reason = run.brief.reason.expect("a reason");
    assert!(reason.starts_with("the next try would come after its deadline"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_deadline_passes_in_the_queue_fails_unsent() {
    let world = with_job("    deadline: 5m").await;
    let fault = Fault::status(503).with_header("Retry-After", "240");
    world.simulator.add_fault(FaultRule::once(fault));
    let id = world.push("asleep").await;
    world.run_after(id, 1).await;
    // The gateway's machine sleeps through the moment at which the run is due.
    world.clock.advance(Duration::from_secs(3600));
    let run = world.run_in(id, RunState::Failed).await;
    assert_eq!(run.tries.len(), 1, "{run:#?}");
    let reason = run.brief.reason.expect("a reason");
    assert!(reason.contains("deadline"), "{reason}");
    assert_eq!(requests(&world, id).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbench_that_is_switched_off_is_asked_until_it_is_back() {
    let world = World::start(ROUTES).await;
    world.simulator.set_listening(false);
    let address = world.simulator.api_url();
    let closed = async {
        while world.client.get(&address).send().await.is_ok_and(|_| true) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("it closes its port");
    let id = world.push("outage").await;
    for attempt in 1..=3 {
        let run = world.run_after(id, attempt).await;
        assert_eq!(run.brief.state, RunState::Queued, "{run:#?}");
        let last = run.tries.last().expect("an attempt");
        assert_eq!(last.outcome, Some(Outcome::NotStartedForNow));
        assert_eq!(last.status, None);
        let reason = last.reason.as_deref().unwrap_or_default();
        assert!(reason.starts_with("could not connect") && reason.contains("refused"), "{reason}");
        world.advance_to(run.brief.due_at);
    }
    let run = world.run_after(id, 4).await;
    world.simulator.set_listening(true);
    let open = async {
        while world.client.get(&address).send().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), open).await.expect("it opens its port");
    world.advance_to(run.brief.due_at);
    let run = world.run_in(id, RunState::Started).await;
    assert_eq!(run.tries.len(), 5);
    assert_eq!(started(&world, id).len(), 1);
}
