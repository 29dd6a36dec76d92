//! What the path asks of the memory's manager: nothing for a route that does not match, and the labels of
//! the metrics where it is told what happened.
//!
//! A program of its own, since its allocator is one that counts.

use std::fmt::Write as _;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, kept};
use cdsw_gateway::config::{self, Plan};
use cdsw_gateway::event::{Understood, understand};
use cdsw_gateway::judge::{Detail, judge};
use cdsw_gateway::model::{DeliveryId, Value};
use cdsw_gateway::observe::{DeliveryKept, Observation, Observer, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;

static PUSH: Bytes = Bytes::from_static(include_bytes!("../benches/push.json"));

/// Routes that the push does not fit, for another reason each.
const OTHERS: [&str; 6] = [
    "on: { source: github, event: push, repository: acme/other }",
    "on: { source: github, event: push, branch: [\"release/**\", \"!release/old\"] }",
    "on: { source: github, event: push, tag: v* }",
    "on: { source: github, event: pull_request, action: opened }",
    "on: { source: github, event: push, deleted: true }",
    "on: { source: github, event: push }, if: body.ref == 'refs/heads/none'",
];

fn plan(others: usize) -> Plan {
    let mut text = String::from(
        "workbenches: { main: { url: \"https://cdsw.example.com\", api_keys: { alice: { env: KEY } } } }\n\
         jobs: { retrain: { workbench: main, project: alice/risk-analysis, job: 208, api_key: alice } }\n\
         sources: { github: { provider: github, secrets: [{ env: SECRET }] } }\nroutes:\n",
    );
    for number in 0..others {
        let other = OTHERS[number % OTHERS.len()];
        let _ = writeln!(text, "  other-{number}: {{ {other}, job: retrain }}");
    }
    text.push_str(
        "  retrain: { on: { source: github, event: push, branch: main }, job: retrain }\n",
    );
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("gateway.yaml");
    std::fs::write(&file, text).expect("written");
    config::load(&file).map_err(|report| report.render(false)).expect("in order").plan
}

fn understood(plan: &Plan) -> Understood {
    let headers = [("x-github-event", "push"), ("x-github-delivery", "an-id")];
    let headers: HeaderMap = headers
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect();
    let request = Unverified {
        method: &Method::POST,
        path: "/hooks/github",
        rest: "",
        query: "",
        headers: &headers,
        body: &PUSH,
    };
    let source = &plan.sources["github"];
    let verified = request.verified(kept::kept(Value::Null));
    understand(&verified, source.provider, &source.options, &source.name).expect("read")
}

/// Pieces of memory that judging the push takes.
fn taken(others: usize) -> u64 {
    let plan = plan(others);
    let (source, understood) = (&plan.sources["github"], understood(&plan));
    let id = DeliveryId::new(Timestamp::UNIX_EPOCH, 7);
    let judge = || judge(&plan, source, &understood, id, Detail::Kept);
    // What is made of the payload once stays with it.
    assert_eq!(judge().runs.len(), 1);
    allocation_counter::measure(|| drop(judge())).count_total
}

#[test]
fn a_route_that_does_not_match_takes_no_memory_of_its_own() {
    let (few, many) = (taken(OTHERS.len()), taken(OTHERS.len() * 15));
    // The list of what each said is one piece, and putting it in order may take another.
    assert!(many <= few + 2, "{few} with {} others, {many} with 15 times as many", OTHERS.len());
}

#[test]
fn telling_of_a_kept_delivery_takes_its_labels_and_no_more() {
    let observer = Observer::new();
    let kept = DeliveryKept {
        delivery: DeliveryId::new(Timestamp::UNIX_EPOCH, 7),
        source: "github",
        kind: "push",
        key: "an-id",
        verdict: Verdict::Accepted,
        runs: 1,
        size: PUSH.len(),
        remote: "127.0.0.1",
        secret: Some(0),
        took: std::time::Duration::from_millis(3),
    };
    // The first of its kind makes the counters.
    observer.tell(Observation::DeliveryKept(kept));
    let tell = || observer.tell(Observation::DeliveryKept(kept));
    let taken = allocation_counter::measure(tell).count_total;
    assert_eq!(taken, 2, "the source's name, for each of the two counters that have it as a label");
}
