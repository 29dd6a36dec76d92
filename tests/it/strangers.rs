//! Commits that may be a stranger's: of every sender that tells of commits, in the forms in which it writes them.
//! `payloads/strangers.json` has an event for each form. A route that says nothing of forks takes none of them.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, open};
use cdsw_gateway::config::Live;
use cdsw_gateway::event::understand;
use cdsw_gateway::judge::{Detail, judge};
use cdsw_gateway::model::DeliveryId;
use cdsw_gateway::providers::{self, Options};
use http::{HeaderMap, HeaderName, Method};
use serde_json::Value as Json;

const CONFIGURATION: &str = "
workbenches: { main: { url: \"http://127.0.0.1:8090\", api_keys: { alice: { env: WB } } } }
jobs: { retrain: { workbench: main, project: alice/risk-analysis, job: 208, api_key: alice } }
sources: { ci: { provider: token, header: x-token, secrets: [{ env: S }] } }
routes:
  unsaid: { on: { source: ci }, job: retrain, env: { SHA: \"${{ git.sha }}\" } }
  own: { on: { source: ci, fork: false }, job: retrain, env: { SHA: \"${{ git.sha }}\" } }
  any: { on: { source: ci, fork: any }, job: retrain, env: { SHA: \"${{ git.sha }}\" } }
";

/// The headers in which the forges name an event.
const NAMED_IN: [&str; 5] =
    ["x-github-event", "x-gitlab-event", "x-gitea-event", "x-forgejo-event", "x-event-key"];

/// The routes that this event starts.
fn starts(live: &Live, provider: &str, event: Option<&str>, body: &Json) -> Vec<String> {
    let named = NAMED_IN.into_iter().zip(event.into_iter().cycle());
    let headers: HeaderMap = named
        .map(|(name, event)| (HeaderName::from_static(name), event.parse().expect("a header")))
        .collect();
    let body = Bytes::from(body.to_string());
    let request = Unverified {
        method: &Method::POST,
        path: "/hooks/ci",
        rest: "",
        query: "",
        headers: &headers,
        body: &body,
    };
    let verified = request.verified(open::dangerously_unauthenticated());
    let known = providers::find(provider).expect("a known provider");
    let understood = understand(&verified, known, &Options::default(), &Arc::from("ci"))
        .unwrap_or_else(|fault| panic!("{provider}: {fault}"));
    let plan = live.plan();
    let delivery = DeliveryId::new(jiff::Timestamp::UNIX_EPOCH, 7);
    let judged = judge(&plan, &plan.sources["ci"], &understood, delivery, Detail::Every);
    judged.runs.iter().map(|run| run.route.name.to_string()).collect()
}

#[test]
fn a_commit_that_may_be_a_strangers_starts_only_routes_that_say_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    std::fs::write(&path, CONFIGURATION).expect("written");
    let live = Live::start(&path).unwrap_or_else(|report| panic!("{}", report.render(false)));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/strangers.json");
    let text = std::fs::read_to_string(file).expect("the payloads");
    let list: Vec<Json> = serde_json::from_str(&text).expect("JSON");
    assert!(list.len() > 30, "of every sender that tells of commits");
    let mut wrong = Vec::new();
    for case in &list {
        let provider = case["provider"].as_str().expect("a provider");
        let started = starts(&live, provider, case["event"].as_str(), &case["body"]);
        if started != ["any"] {
            wrong.push(format!("{provider}, {}: {started:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
