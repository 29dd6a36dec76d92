//! The table of everything that can go wrong, from `faults.json`, under both policies for an
//! attempt of which nobody knows whether it started the job.

use std::sync::Arc;

use cdsw_gateway::model::{Outcome, RunId, RunState};
use cdsw_gateway::simulator::{Fault, FaultRule, Page};
use cdsw_gateway::store::Run;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::common::{PUSH, World, simulator};
use super::way::Way;
use super::{ROUTES, report, requests, started};

/// Cases that run at the same time.
const AT_ONCE: usize = 6;
/// Most characters of a reply that may be kept, with the mark of what was cut off.
const REPLY: usize = 501;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// What the workbench does; none where it does as it should.
    #[serde(default)]
    fault: Option<Fault>,
    /// What is between here and the workbench.
    #[serde(default)]
    way: Way,
    outcome: Outcome,
    status: Option<u16>,
    /// What the attempt's reason says.
    reason: String,
    /// What the kept reply begins with or holds; none where nothing may be kept.
    reply: Option<String>,
    /// Runs that the workbench has really started by then.
    runs: usize,
    /// The fault takes longer than the time-out, which is made small for it.
    #[serde(default)]
    times_out: bool,
    /// What is as good: the network decides how much there is to see of this fault.
    #[serde(default)]
    or: Option<Other>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    outcome: Outcome,
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Policy {
    Hold,
    Retry,
}

impl Row {
    /// The row as it reads for this outcome.
    fn seen(&self, outcome: Option<Outcome>) -> Self {
        match &self.or {
            Some(other) if outcome == Some(other.outcome) => {
                Self { outcome: other.outcome, reason: other.reason.clone(), ..self.clone() }
            }
            _ => self.clone(),
        }
    }

    /// Where the run stands after the attempt.
    fn state(&self, policy: Policy) -> RunState {
        match (self.outcome, policy) {
            (Outcome::Started, _) => RunState::Started,
            (Outcome::NotStartedForGood, _) => RunState::Failed,
            (Outcome::Unknown, Policy::Hold) => RunState::Held,
            (Outcome::NotStartedForNow, _) | (Outcome::Unknown, Policy::Retry) => RunState::Queued,
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is for whoever reads the test's output")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_ends_in_its_outcome_under_both_policies() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("faults.json")).expect("the table");
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut cases = JoinSet::new();
    for (position, row) in rows.into_iter().enumerate() {
        let row = Arc::new(row);
        for policy in [Policy::Hold, Policy::Retry] {
            let (row, room) = (Arc::clone(&row), Arc::clone(&room));
            cases.spawn(async move {
                let _place = room.acquire().await.expect("never closed");
                (position, policy, case(&row, policy).await)
            });
        }
    }
    let mut lines = cases.join_all().await;
    lines.sort();
    println!(
        "{:48} {:6} {:22} {:8} {:8} starts",
        "fault", "policy", "outcome", "the run", "at last"
    );
    for (_, _, line) in lines {
        println!("{line}");
    }
}

async fn case(row: &Row, policy: Policy) -> String {
    let timeout = if row.times_out { "    timeout: 1s" } else { "    timeout: 30s" };
    let world = row.way.world(ROUTES, timeout).await;
    if let Some(fault) = row.fault.clone() {
        world.simulator.add_fault(FaultRule::once(fault));
    }
    let id = match policy {
        Policy::Hold => world.push("case").await,
        Policy::Retry => report(&world, "case").await,
    };
    let run = world.run_after(id, 1).await;
    let what = format!("{} under {policy:?}", row.name);
    let row = &row.seen(run.tries[0].outcome);
    check(row, policy, &run, &what);
    assert_eq!(started(&world, id).len(), row.runs, "runs on the workbench after {what}");
    if run.brief.state == RunState::Queued && row.way.mend(&world).await {
        started_by_another_try(&world, &run, row, &what).await;
    }
    let starts = started(&world, id).len();
    // Promise 2, and what is given up for it.
    assert!(policy == Policy::Retry || starts <= 1, "{what}: {starts} starts");
    format!(
        "{:48} {:6} {:22} {:8} {:8} {starts}",
        row.name,
        format!("{policy:?}").to_lowercase(),
        row.outcome.to_string(),
        run.brief.state,
        world.run(id).await.brief.state,
    )
}

/// The attempt's record, and where it has left its run.
fn check(row: &Row, policy: Policy, run: &Run, what: &str) {
    let [attempt] = run.tries.as_slice() else { panic!("{what}: {run:#?}") };
    assert_eq!(attempt.outcome, Some(row.outcome), "{what}: {run:#?}");
    assert_eq!(attempt.status, row.status, "{what}: {attempt:#?}");
    let reason = attempt.reason.as_deref().unwrap_or_default();
    assert!(reason.contains(&row.reason), "{what}: {reason}");
    match (&row.reply, &attempt.reply) {
        (None, None) => {}
        (Some(wanted), Some(kept)) => {
            assert!(kept.contains(wanted), "{what}: {kept}");
            assert!(kept.chars().count() <= REPLY, "{what}: {kept}");
        }
        (wanted, kept) => panic!("{what}: wanted a reply of {wanted:?}, kept is {kept:?}"),
    }
    assert!(attempt.took_ms.is_some(), "{what}: {attempt:#?}");
    let brief = &run.brief;
    assert_eq!(brief.state, row.state(policy), "{what}: {run:#?}");
    assert_eq!(brief.engine_id.is_some(), brief.state == RunState::Started, "{what}: {run:#?}");
    if brief.state != RunState::Started {
        let why = brief.reason.as_deref().unwrap_or_default();
        assert!(why.contains(&row.reason), "{what}: the run says {why}");
    }
}

/// What is queued again is started once its time has come, under the name that it had.
async fn started_by_another_try(world: &World, run: &Run, row: &Row, what: &str) {
    let id = run.brief.id;
    world.advance_to(run.brief.due_at);
    if row.status == Some(401) {
        // Its key is paused, and the key that is refused is the right one.
        let key = serde_json::json!({ "kind": "key", "name": "main/alice" });
        let (status, _) = world.api(reqwest::Method::POST, "/api/resume", Some(key)).await;
        assert_eq!(status, 200);
    }
    let run = world.run_in(id, RunState::Started).await;
    assert_eq!(run.tries.len(), 2, "{what}: {run:#?}");
    let runs = started(world, id);
    assert_eq!(runs.len(), row.runs + 1, "runs on the workbench after {what} and another try");
    let delivery = run.brief.delivery.to_string();
    assert!(runs.iter().all(|run| run["GATEWAY_DELIVERY_ID"] == delivery), "{runs:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_of_an_attempt_keeps_the_beginning_of_a_long_page() {
    let world = World::start(ROUTES).await;
    let page = format!("<p>out of order</p>{}", " and so on".repeat(10_000));
    world.simulator.add_fault(FaultRule::once(Fault::reply(500, Page::Json(page))));
    let id = world.push("long").await;
    let run = world.run_in(id, RunState::Held).await;
    let kept = run.tries[0].reply.as_deref().expect("a reply");
    assert!(kept.starts_with("<p>out of order</p> and so on and so on"), "{kept}");
    assert!(kept.ends_with('…') && kept.chars().count() == REPLY, "{kept}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_redirect_is_followed_and_the_key_goes_nowhere_else() {
    let world = World::start(ROUTES).await;
    let elsewhere = simulator().await;
    let there =
        format!("{}/api/v1/projects/alice/risk-analysis/jobs/208/start", elsewhere.api_url());
    for status in [301, 302, 303, 307, 308] {
        let fault = Fault::status(status).with_header("Location", &there);
        world.simulator.add_fault(FaultRule::once(fault));
        let id = world.push(&format!("moved-{status}")).await;
        let run = world.run_in(id, RunState::Failed).await;
        let reason = run.brief.reason.expect("a reason");
        let words =
            format!("the workbench redirects to 127.0.0.1 ({status}), which is never followed");
        assert!(reason.starts_with(&words), "{reason}");
        assert_eq!(requests(&world, id).len(), 1);
    }
    assert_eq!(elsewhere.requests(), []);
    assert_eq!(elsewhere.runs(), []);
    assert_eq!(world.simulator.runs(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_start_says_which_run_and_which_delivery_it_is() {
    let world = World::start(ROUTES).await;
    for _ in 0..3 {
        world.simulator.add_fault(FaultRule::once(Fault::busy_503()));
    }
    let (_, answer) = world.send(world.github("push", "named", PUSH)).await;
    let text = |pointer: &str| {
        answer.pointer(pointer).and_then(|id| id.as_str()).expect("an id").to_owned()
    };
    let (delivery, run) = (text("/delivery"), text("/runs/0/id"));
    let id: RunId = run.parse().expect("an id");
    for attempt in 1..=3 {
        let run = world.run_after(id, attempt).await;
        world.advance_to(run.brief.due_at);
    }
    world.run_in(id, RunState::Started).await;
    let seen = world.simulator.requests();
    assert_eq!(seen.len(), 4);
    for request in &seen {
        assert_eq!(request.environment["GATEWAY_RUN_ID"], run);
        assert_eq!(request.environment["GATEWAY_DELIVERY_ID"], delivery);
        assert_eq!(request.environment["GIT_SHA"].len(), 40);
        assert_eq!(request.environment.len(), 3);
    }
}
