//! What routes say of events: a configuration in a few lines, a payload, and the explanation that comes of them.
//! No socket and no store.

mod blocks;
mod expressions;
mod patterns;

use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, kept};
use cdsw_gateway::config::{Live, Plan, check};
use cdsw_gateway::event::understand;
use cdsw_gateway::judge::{Detail, Judged, Mapped, judge};
use cdsw_gateway::model::{DeliveryId, Value};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

/// A configuration with one GitHub source `github`, one job `retrain`, and these routes.
fn text(source: &str, routes: &str) -> String {
    format!(
        "workbenches: {{ main: {{ url: \"http://127.0.0.1:8090\", api_keys: {{ alice: {{ env: WB }} }} }} }}\n\
         jobs: {{ retrain: {{ workbench: main, project: alice/risk-analysis, job: 208, api_key: alice }} }}\n\
         sources: {{ github: {{ provider: github, secrets: [{{ env: S }}]{source} }} }}\n\
         routes:\n{routes}\n"
    )
}

fn plan(source: &str, routes: &str) -> Arc<Plan> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    std::fs::write(&path, text(source, routes)).expect("written");
    let live = Live::start(&path).unwrap_or_else(|report| panic!("{}", report.render(false)));
    live.plan()
}

/// What `check` warns of, each with its hint.
fn warnings(source: &str, routes: &str) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    std::fs::write(&path, text(source, routes)).expect("written");
    let (report, _) = check(&path);
    assert!(report.faults.is_empty(), "{}", report.render(false));
    let told = report.warnings.iter().map(|warning| {
        format!("{} | {}", warning.message, warning.hint.as_deref().unwrap_or_default())
    });
    told.collect()
}

/// A push to this ref, by this account, that changes these files.
fn push(git_ref: &str, author: &str, files: &[&str]) -> Json {
    let id = "a".repeat(40);
    json!({
        "ref": git_ref, "before": "b".repeat(40), "after": id,
        "created": false, "deleted": false, "forced": false,
        "head_commit": { "id": id, "message": "fix typo" },
        "commits": [{ "id": id, "message": "fix typo", "added": [], "modified": files, "removed": [] }],
        "repository": { "full_name": "acme/risk", "default_branch": "main" },
        "pusher": { "name": author }, "sender": { "login": author },
    })
}

/// Judges an event of GitHub.
fn judged(plan: &Plan, event: &'static str, body: &Json) -> Judged {
    judged_at(plan, event, body, Timestamp::UNIX_EPOCH)
}

/// Judges an event of GitHub that was received at this time.
fn judged_at(plan: &Plan, event: &'static str, body: &Json, at: Timestamp) -> Judged {
    let mut headers = HeaderMap::new();
    headers.insert("x-github-event", HeaderValue::from_static(event));
    let (method, body) = (&Method::POST, &Bytes::from(body.to_string()));
    let (path, headers) = ("/hooks/github", &headers);
    let request = Unverified { method, path, rest: "", query: "", headers, body };
    let source = &plan.sources["github"];
    let verified = request.verified(kept::kept(Value::Null));
    let understood = understand(&verified, source.provider, &source.options, &source.name);
    let id = DeliveryId::new(at, 1);
    judge(plan, source, &understood.expect("readable"), id, Detail::Every)
}

/// The routes that matched.
fn matched(judged: &Judged) -> Vec<&str> {
    let routes = judged.explanation.routes.iter().filter(|route| route.matched);
    routes.map(|route| &*route.route).collect()
}

/// What a route that did not match says.
fn missed(judged: &Judged, name: &str) -> String {
    let route = judged.explanation.routes.iter().find(|route| &*route.route == name);
    let route = route.expect("the route was tested");
    assert!(!route.matched, "{name} matched");
    let words = route.words.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{}: {words}", route.test.as_deref().unwrap_or_default())
}
