//! Real GitHub payloads: every example of the npm package `@octokit/webhooks-examples` (MIT) is
//! signed, posted to a running gateway with a route on every event, and kept; the git facts of all
//! push, pull_request, create, delete and release examples are snapshots.
//!
//! The package is fetched by `tests/run.sh` and never committed.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, kept};
use cdsw_gateway::event::understand;
use cdsw_gateway::providers::{self, Options};
use http::{HeaderMap, HeaderValue, Method};

use crate::common::World;
use crate::common::skip::skip;

/// An event's name and its examples.
type Examples = Vec<(String, Vec<serde_json::Value>)>;

/// None, and a skipped test, where the package was not fetched.
fn examples() -> Option<Examples> {
    let package = std::env::var_os("WEBHOOKS_EXAMPLES").map_or_else(
        || {
            let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target");
            target.join("webhooks-examples-7.6.1/package")
        },
        PathBuf::from,
    );
    let index = package.join("api.github.com/index.json");
    if !index.is_file() {
        skip("the npm package @octokit/webhooks-examples, which tests/run.sh fetches");
        return None;
    }
    let text = std::fs::read_to_string(&index).expect("read");
    let events: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    events
        .into_iter()
        .map(|event| {
            let name = event["name"].as_str().expect("a name").to_owned();
            (name, event["examples"].as_array().expect("a list").clone())
        })
        .collect::<Examples>()
        .into()
}

/// Every event, those about requests from forks too; one that deletes its ref matches only where that is written out.
const EVERYTHING: &str = r#"
  every-event:
    on: { source: github, fork: any }
    job: retrain
    env:
      EVENT: ${{ event.kind }}
      REPOSITORY: { value: "${{ git.repository }}", default: none }
  what-deletes:
    on: { source: github, deleted: true }
    job: retrain
    env:
      EVENT: ${{ event.kind }}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_real_payload_is_kept_and_asks_for_its_run() {
    let Some(examples) = examples() else {
        return;
    };
    let world = World::start(EVERYTHING).await;
    let (mut sent, mut handshakes) = (0, 0);
    for (event, payloads) in &examples {
        for (number, payload) in payloads.iter().enumerate() {
            let request = world.github(event, &format!("{event}-{number}"), payload.to_string());
            let (status, answer) = world.send(request).await;
            let what = format!("{event} {number}: {answer}");
            let runs = answer["runs"].as_array().unwrap_or_else(|| panic!("{what}"));
            if event == "ping" {
                assert_eq!((status, runs.len()), (200, 0), "{what}");
                handshakes += 1;
            } else {
                assert_eq!((status, runs.len()), (202, 1), "{what}");
                assert_eq!(runs[0]["state"], "queued", "{what}");
            }
            let id = answer["delivery"].as_str().expect("an id").parse().expect("an id");
            let kept = world.gateway.store().delivery(id).await.expect("read").expect("kept");
            assert_eq!(kept.body, payload.to_string(), "{what}");
            sent += 1;
        }
    }
    assert!(sent >= 300 && handshakes >= 1, "{sent} payloads, {handshakes} handshakes");
    println!("{sent} payloads of {} events kept", examples.len());
}

#[test]
fn the_git_facts_of_real_payloads_are_as_before() {
    let Some(examples) = examples() else {
        return;
    };
    let github = providers::find("github").expect("a known provider");
    let source: Arc<str> = Arc::from("github");
    for (event, payloads) in examples {
        if !matches!(&*event, "push" | "pull_request" | "create" | "delete" | "release") {
            continue;
        }
        let mut facts = String::new();
        for (number, payload) in payloads.iter().enumerate() {
            let body = Bytes::from(payload.to_string());
            let mut headers = HeaderMap::new();
            let name = HeaderValue::from_str(&event).expect("a header");
            headers.insert("x-github-event", name);
            headers.insert("x-github-delivery", HeaderValue::from_static("an-id"));
            let request = Unverified {
                method: &Method::POST,
                path: "/hooks/github",
                rest: "",
                query: "",
                headers: &headers,
                body: &body,
            };
            let verified = request.verified(kept::kept(cdsw_gateway::model::Value::Null));
            let understood = understand(&verified, github, &Options::default(), &source)
                .unwrap_or_else(|fault| panic!("{event} {number}: {fault}"));
            assert_eq!(understood.events.len(), 1, "{event} {number}");
            let (action, git) = (&understood.action, &understood.events[0].git);
            writeln!(facts, "{event} {number}: action {action:?}\n{git:#?}\n").expect("text");
        }
        insta::assert_snapshot!(format!("github-examples-{event}"), facts);
    }
}
