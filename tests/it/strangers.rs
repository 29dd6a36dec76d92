//! Commits that may be a stranger's: whoever may read a repository can have a forge or a build service send events
//! about a commit of their own. A route that does not say `fork:` starts nothing for them.
//!
//! `payloads/strangers.json` has events of each provider and kind that can be about such a commit, and beside them
//! events about the repository's own commits, so that a rule that refuses everything fails too.

use std::collections::BTreeSet;
use std::path::Path;

use cdsw_gateway::config::{Live, Plan};
use cdsw_gateway::event::{Event, Understood};
use cdsw_gateway::judge::{Detail, judge};
use cdsw_gateway::model::DeliveryId;
use cdsw_gateway::providers::{Options, Tells, can_tell, known_kinds};
use http::{HeaderMap, HeaderName};
use serde_json::Value as Json;

use crate::common::reading::reading;

const ROUTES: &str = "
workbenches: { main: { url: \"http://127.0.0.1:8090\", api_keys: { ada: { env: WB } } } }
jobs: { train: { workbench: main, project: ada/risk, job: 208, api_key: ada } }
sources: { forge: { provider: github, secrets: [{ env: S }] } }
routes:
  unsaid: { on: { source: forge }, job: train }
  own: { on: { source: forge, fork: false }, job: train }
  any: { on: { source: forge, fork: any }, job: train }
";

struct Case {
    provider: String,
    event: String,
    what: String,
    own: bool,
    body: String,
}

fn cases() -> Vec<Case> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/strangers.json");
    let text = std::fs::read_to_string(&file).expect("the file is there");
    let list: Vec<Json> = serde_json::from_str(&text).expect("JSON");
    let case = |case: &Json| {
        let text = |name: &str| case[name].as_str().expect("text").to_owned();
        Case {
            provider: text("provider"),
            event: text("event"),
            what: text("what"),
            own: case["own"].as_bool().expect("a flag"),
            body: case["body"].to_string(),
        }
    };
    list.iter().map(case).collect()
}

/// The provider's own reading of the event, as one of the source `forge`.
fn understood(case: &Case) -> Understood {
    let name = match &*case.provider {
        "bitbucket-cloud" | "bitbucket-server" => "x-event-key".to_owned(),
        "circleci" => "circleci-event-type".to_owned(),
        other => format!("x-{other}-event"),
    };
    let name: HeaderName = name.parse().expect("a header");
    let headers = HeaderMap::from_iter([(name, case.event.parse().expect("a header value"))]);
    reading(&case.provider, "forge", &Options::default(), &headers, case.body.as_bytes())
        .unwrap_or_else(|fault| panic!("{}, {}: {fault}", case.provider, case.what))
}

/// The routes that start their job.
fn started(plan: &Plan, understood: &Understood) -> Vec<String> {
    let delivery = DeliveryId::new(jiff::Timestamp::UNIX_EPOCH, 7);
    let judged = judge(plan, &plan.sources["forge"], understood, delivery, Detail::Every);
    let mut names: Vec<String> = judged.runs.iter().map(|run| run.route.name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn a_commit_that_may_be_a_strangers_starts_only_the_route_that_asks_for_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    std::fs::write(&path, ROUTES).expect("written");
    let live = Live::start(&path).unwrap_or_else(|report| panic!("{}", report.render(false)));
    let plan = live.plan();
    let mut wrong = Vec::new();
    for case in cases() {
        let understood = understood(&case);
        let [Event { git: Some(git), .. }] = &understood.events[..] else {
            panic!("{}, {}: one event with facts", case.provider, case.what);
        };
        // Gogs does not name the commit of a request that is open.
        let is_told = git.sha.is_some() || git.fork.is_some();
        assert!(is_told, "{}, {}: a commit", case.provider, case.what);
        let expected = if case.own { vec!["any", "own", "unsaid"] } else { vec!["any"] };
        let found = started(&plan, &understood);
        if found != expected {
            wrong.push(format!("{}, {}: {found:?}, fork={:?}", case.provider, case.what, git.fork));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_that_tells_a_commit_of_a_build_or_a_request_has_a_strangers_commit_here() {
    let seen: BTreeSet<(String, String)> = cases()
        .iter()
        .filter(|case| !case.own)
        .map(|case| (case.provider.clone(), understood(case).kind.to_string()))
        .collect();
    let forges: BTreeSet<&String> = seen.iter().map(|(provider, _)| provider).collect();
    for provider in forges {
        for kind in known_kinds(provider) {
            let tells = |fact| can_tell(provider, kind, fact) != Tells::Never;
            let is_about_a_commit = tells("sha") && (tells("status") || tells("pull_request"));
            let is_here = seen.contains(&(provider.clone(), kind.to_owned()));
            assert!(is_here || !is_about_a_commit, "{provider}, {kind}");
        }
    }
}
