//! What stays in force if files change, break or are removed.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::*;
use crate::config::{Live, Watch};

fn route(name: &str, event: &str) -> String {
    format!("routes:\n  {name}: {{ on: {{ source: github, event: {event} }}, job: retrain }}\n")
}

fn names(live: &Live) -> Vec<String> {
    live.plan().routes.iter().map(|route| route.name.to_string()).collect()
}

#[test]
fn a_broken_file_of_routes_keeps_its_old_routes_and_the_rest_is_applied() {
    let site = Site::new(GOOD);
    site.write("routes.d/a.yaml", route("a", "push"));
    site.write("routes.d/b.yaml", route("b", "push"));
    let live = Live::start(&site.path()).expect("good");
    assert_eq!(names(&live), ["a", "b", "push"]);

    site.write("routes.d/a.yaml", "routes: [");
    site.write("routes.d/b.yaml", route("b2", "push"));
    let change = live.reload().expect("gateway.yaml is good");
    assert_eq!(names(&live), ["a", "b2", "push"]);
    assert_eq!(change.held_back.len(), 1);
    assert!(change.held_back[0].ends_with("a.yaml"));
    assert_eq!(live.faults(), 1);

    site.write("routes.d/a.yaml", route("a3", "push"));
    assert!(live.reload().expect("good").held_back.is_empty());
    assert_eq!(names(&live), ["a3", "b2", "push"]);
    assert_eq!(live.faults(), 0);
}

#[test]
fn a_broken_gateway_file_changes_nothing() {
    let site = Site::new(GOOD);
    let live = Live::start(&site.path()).expect("good");
    let version = live.plan().version.to_string();
    site.write("gateway.yaml", "nonsense: [");
    site.write("routes.d/a.yaml", route("a", "push"));
    assert!(!live.reload().expect_err("broken").is_good());
    assert_eq!(live.plan().version.to_string(), version);
    assert_eq!(names(&live), ["push"]);
    assert!(live.faults() > 0);
    std::fs::remove_file(site.path()).expect("removed");
    assert!(live.reload().is_err());
    assert_eq!(names(&live), ["push"]);
}

#[test]
fn a_broken_file_of_routes_does_not_keep_the_gateway_from_starting() {
    let site = Site::new(GOOD);
    site.write("routes.d/a.yaml", "routes: { a: { job: x } }");
    let live = Live::start(&site.path()).expect("gateway.yaml is good");
    assert_eq!(names(&live), ["push"]);
    assert!(live.faults() > 0);
    site.write("gateway.yaml", "x");
    assert!(Live::start(&site.path()).is_err());
}

fn two(one: &str, other: &str) -> String {
    let second = route(other, "tag").replacen("routes:\n", "", 1);
    format!("{}{second}", route(one, "push"))
}

#[test]
fn a_name_that_several_files_claim_is_held_back_in_each_and_nothing_else_is() {
    let site = Site::new(GOOD);
    site.write("routes.d/team-a.yaml", two("nightly", "other"));
    let live = Live::start(&site.path()).expect("good");
    assert_eq!(names(&live), ["nightly", "other", "push"]);

    // While it runs, and from the start: what is in force follows from the files alone.
    site.write("routes.d/00-evil.yaml", two("nightly", "extra"));
    let change = live.reload().expect("gateway.yaml is good");
    assert_eq!(names(&live), ["extra", "other", "push"]);
    assert_eq!(change.routes_held_back, ["nightly"]);
    assert!(change.held_back.is_empty(), "{change:?}");
    assert!(change.to_string().contains("held back: nightly"), "{change}");
    assert_eq!(live.faults(), 2);
    let again = Live::start(&site.path()).expect("good");
    assert_eq!(names(&again), ["extra", "other", "push"]);
    assert_eq!(again.plan().version, live.plan().version);

    // The main file is treated like any other, and a third file changes nothing.
    site.write("routes.d/third.yaml", two("push", "nightly"));
    live.reload().expect("gateway.yaml is good");
    assert_eq!(names(&live), ["extra", "other"]);

    std::fs::remove_file(site.directory.path().join("routes.d/00-evil.yaml")).expect("removed");
    site.write("routes.d/third.yaml", route("third", "push"));
    assert!(live.reload().expect("good").routes_held_back.is_empty());
    assert_eq!(names(&live), ["nightly", "other", "push", "third"]);
}

#[test]
fn a_broken_file_still_claims_its_names() {
    let site = Site::new(GOOD);
    site.write("routes.d/a.yaml", route("a", "push"));
    site.write("routes.d/b.yaml", route("a", "push").replace("retrain", "no-such-job"));
    let live = Live::start(&site.path()).expect("good");
    assert_eq!(names(&live), ["push"]);
    let version = live.plan().version.to_string();
    site.write("routes.d/b.yaml", "routes: [");
    let change = live.reload().expect("good");
    assert_eq!(names(&live), ["a", "push"]);
    assert_eq!((change.held_back.len(), change.routes_held_back.len()), (1, 0));
    assert_ne!(live.plan().version.to_string(), version);
}

#[test]
fn a_file_of_routes_that_lost_its_job_is_held_back_and_the_rest_is_applied() {
    let extra = GOOD.replace(
        "  retrain:",
        "  other: { workbench: main, project: a/b, job: 1, api_key: alice }\n  retrain:",
    );
    let site = Site::new(&extra);
    site.write("routes.d/a.yaml", route("a", "push").replace("retrain", "other"));
    let live = Live::start(&site.path()).expect("good");
    assert_eq!(names(&live), ["a", "push"]);
    site.write("gateway.yaml", GOOD);
    let change = live.reload().expect("gateway.yaml is good");
    assert_eq!(names(&live), ["push"]);
    assert_eq!(change.held_back.len(), 1);
}

#[test]
fn a_removed_file_takes_its_routes_along() {
    let site = Site::new(GOOD);
    site.write("routes.d/a.yaml", route("a", "push"));
    let live = Live::start(&site.path()).expect("good");
    std::fs::remove_file(site.directory.path().join("routes.d/a.yaml")).expect("removed");
    live.reload().expect("good");
    assert_eq!(names(&live), ["push"]);
}

#[test]
fn only_a_change_of_content_is_a_change() {
    let site = Site::new(GOOD);
    let live = Live::start(&site.path()).expect("good");
    site.write("gateway.yaml", GOOD);
    assert!(live.reload_if_changed().is_none());
    site.write("gateway.yaml", format!("{GOOD}\nserver: {{ listen: \"127.0.0.1:1\" }}\n"));
    let change = live.reload_if_changed().expect("changed").expect("good");
    assert!(change.needs_restart);
    assert_ne!(change.from, change.to);
    site.write("gateway.yaml", "broken: [");
    assert!(live.reload_if_changed().expect("changed").is_err());
    assert!(live.reload_if_changed().is_none(), "a fault is told once");
}

#[cfg(unix)]
#[test]
fn a_swapped_link_is_noticed_as_kubernetes_swaps_it() {
    let site = Site::new("");
    let at = |name: &str| site.directory.path().join(name);
    std::fs::remove_file(site.path()).expect("removed");
    site.write("..v1/gateway.yaml", GOOD);
    site.write("..v2/gateway.yaml", GOOD.replace("push:", "pushed:"));
    std::os::unix::fs::symlink("..v1", at("..data")).expect("linked");
    std::os::unix::fs::symlink("..data/gateway.yaml", site.path()).expect("linked");
    let live = Arc::new(Live::start(&site.path()).expect("good"));
    let (told, changes) = channel();
    let watch = Watch::start(Arc::clone(&live), move |result| {
        let _ = told.send(result);
    })
    .expect("a thread");
    std::os::unix::fs::symlink("..v2", at("..tmp")).expect("linked");
    std::fs::rename(at("..tmp"), at("..data")).expect("swapped");
    let change = changes.recv_timeout(Duration::from_secs(30)).expect("noticed");
    assert!(change.is_ok());
    assert_eq!(names(&live), ["pushed"]);
    drop(watch);
}

#[tokio::test]
async fn secrets_are_resolved_where_they_are_used() {
    let text = GOOD
        .replace("{ env: CDSW_ALICE }", "{ file: key }")
        .replace("{ env: GITHUB_SECRET }", "{ file: hook }, { file: old }");
    let site = Site::new(&text);
    site.write("key", "canary-of-the-key\n");
    site.write("hook", "def\n");
    let live = Live::start(&site.path()).expect("good");
    let plan = live.plan();
    assert_eq!(
        live.api_key(&plan.jobs["retrain"]).await.expect("there").expose(),
        b"canary-of-the-key"
    );
    let secrets = live.source_secrets(&plan.sources["github"]).await.expect("one of two");
    assert_eq!(secrets.len(), 1);
    assert!(!format!("{live:?}").contains("canary-of-the-key"));
    std::fs::remove_file(site.directory.path().join("hook")).expect("removed");
    live.reload().expect("good");
    let fault = live.source_secrets(&plan.sources["github"]).await.expect_err("none");
    assert!(fault.to_string().contains("hook"), "{fault}");
}
