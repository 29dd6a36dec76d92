//! `kill -9` between any two steps of the path: the program stops at a place, is killed there, and
//! the next one finds what the last one has left.
//!
//! A program of its own, since it needs the gateway built with the feature `failpoints`.
#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a test binary has no readers from environs, and says what it saw"
)]

mod common;

use cdsw_gateway::failpoint;
use cdsw_gateway::model::RunState;
use cdsw_gateway::simulator::Simulator;
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{Run, RunFilter, Store};
use common::process::{Serving, program};
use common::{HOLD_AND_RETRY as ROUTES, Site, github_signature, no_push};

/// What a job does when nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Hold,
    Retry,
    /// Holds what it could not look up.
    Probe,
}

impl Policy {
    fn event(self) -> &'static str {
        if self == Self::Retry { "create" } else { "push" }
    }
}

/// What is left after a kill at a place: the run's state, and how often the job was started.
fn expected(place: &str, policy: Policy) -> (RunState, usize) {
    let unknown = |started: usize| match policy {
        Policy::Hold => (RunState::Held, started),
        Policy::Retry => (RunState::Started, started + 1),
        Policy::Probe if started == 1 => (RunState::Started, 1),
        Policy::Probe => (RunState::Held, 0),
    };
    match place {
        // Nothing was on the wire; the next one begins it.
        "receive.judged" | "accept.written" | "accept.committed" | "lease.written" => {
            (RunState::Started, 1)
        }
        "lease.committed" => unknown(0),
        "attempt.answered" | "finish.written" => unknown(1),
        "finish.committed" => (RunState::Started, 1),
        other => panic!("{other} is a place that nothing is said of"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_any_two_steps_loses_nothing_and_doubles_nothing() {
    println!("{:18} {:6} {:9} {:8} starts", "killed at", "policy", "2xx before", "the run");
    for place in failpoint::ALL {
        for policy in [Policy::Hold, Policy::Retry, Policy::Probe] {
            killed_at(place, policy).await;
        }
    }
}

async fn killed_at(place: &str, policy: Policy) {
    let simulator = Simulator::start(common::simulator_options()).await.expect("starts");
    let site = Site::new(&simulator.api_url(), ROUTES);
    if policy == Policy::Probe {
        let text = std::fs::read_to_string(site.config()).expect("read");
        site.write_config(&text.replace("    job: 208\n", "    job: 208\n    probe: latest-run\n"));
    }
    let mut stopping = program();
    stopping.env("CDSW_GATEWAY_FAILPOINT", place);
    let mut first = Serving::with(&site, stopping);
    let sending = tokio::spawn(send(first.hooks.clone(), policy));
    let first = tokio::task::spawn_blocking(move || {
        assert!(first.running.line().starts_with("at "));
        first
    });
    first.await.expect("it came there").kill();
    let before = sending.await.expect("the sender ends");

    let second = Serving::on(&site);
    // Whoever was not told that it is kept sends it again, and so may anyone else.
    let again = send(second.hooks.clone(), policy).await.expect("an answer");
    if let Some(before) = &before {
        assert_eq!(before, &again, "{place}: a 2xx before the kill names what is kept after it");
    }
    second.settled().await;
    second.kill();

    let run = only_run(&site).await;
    assert_eq!(run.brief.id.to_string(), again, "{place}");
    let starts = simulator.runs();
    let (state, times) = expected(place, policy);
    let what = format!("killed at {place} under {policy:?}");
    assert_eq!((run.brief.state, starts.len()), (state, times), "{what}: {run:#?}");
    assert!(starts.iter().all(|start| start.environment["GATEWAY_RUN_ID"] == again), "{what}");
    assert!(policy == Policy::Retry || starts.len() <= 1, "{what}");
    println!(
        "{place:18} {:6} {:10} {:8} {}",
        format!("{policy:?}").to_lowercase(),
        if before.is_some() { "yes" } else { "no" },
        run.brief.state,
        starts.len()
    );
}

/// The run that a 2xx names; none where there was no answer.
async fn send(hooks: String, policy: Policy) -> Option<String> {
    let answer = common::client()
        .post(format!("http://{hooks}/hooks/github"))
        .header("x-github-event", policy.event())
        .header("x-github-delivery", "the-one")
        .header("x-hub-signature-256", github_signature(no_push().as_bytes()))
        .body(no_push())
        .send()
        .await
        .ok()?;
    assert!(answer.status().is_success(), "{answer:?}");
    let body: serde_json::Value = answer.json().await.ok()?;
    Some(body["runs"][0]["id"].as_str().expect("a run").to_owned())
}

async fn only_run(site: &Site) -> Run {
    let store = SqliteStore::open(&site.path("gateway.db")).expect("opens after SIGKILL");
    let all = store.runs(RunFilter { limit: 10, ..RunFilter::default() }).await.expect("read");
    let [only] = all.as_slice() else { panic!("{all:#?}") };
    store.run(only.id).await.expect("read").expect("kept")
}
