//! `explain`: what a person has at hand is read as a running gateway would read it, and what is assumed is said.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{Ended, run, run_with};

fn site() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let config = include_str!("explained.yaml");
    std::fs::write(directory.path().join("gateway.yaml"), config).expect("written");
    directory
}

fn explained(directory: &Path, arguments: &[&str], payload: &str) -> Ended {
    run_with(directory, &[&["explain"], arguments].concat(), payload, |_| {})
}

#[test]
fn the_kind_is_what_the_body_says_and_an_assumption_is_called_one() {
    let site = site();
    let pull = include_str!("../../payloads/github/pull-request-synchronize.json");
    for (source, payload, kind, from) in [
        ("gitlab", include_str!("../../payloads/gitlab/pipeline.json"), "pipeline", "body"),
        ("circleci", include_str!("../../payloads/circleci/ping.json"), "ping", "body"),
        ("github", pull, "pull_request", "fields"),
        ("github", include_str!("../../payloads/github/release.json"), "release", "fields"),
        ("github", "{\"something\": 1}", "push", "usual"),
    ] {
        let said = explained(site.path(), &[source, "-", "--json"], payload).json();
        assert_eq!((&said["kind"], &said["kind_from"]), (&kind.into(), &from.into()), "{said}");
        let shown = explained(site.path(), &[source, "-"], payload);
        assert_eq!(shown.stdout.contains("assumed"), from != "body", "{shown}");
    }
    let event = ["github", "-", "--event", "pull_request", "--json"];
    let header = ["github", "-", "-H", "X-GitHub-Event: pull_request", "--json"];
    for given in [event, header] {
        let said = explained(site.path(), &given, pull).json();
        let found = (&said["kind"], &said["kind_from"]);
        assert_eq!(found, (&"pull_request".into(), &"request".into()), "{said}");
    }
}

#[test]
fn git_facts_are_in_the_json() {
    let site = site();
    let push = include_str!("../../common/push.json");
    let said = explained(site.path(), &["github", "-", "--json"], push).with(0).json();
    assert_eq!(said["git"][0]["branch"], "main", "{said}");
    assert_eq!(said["git"][0]["repository"], "acme/risk");
}

#[test]
fn claims_come_from_a_file_or_from_the_token_which_is_not_checked() {
    let site = site();
    let path = site.path().join("claims.json");
    std::fs::write(&path, r#"{"ref": "refs/heads/main"}"#).expect("written");
    let of_file = explained(site.path(), &["ci", "-", "--claims", "claims.json"], "{}").with(0);
    assert!(of_file.stdout.contains("not checked"), "{of_file}");
    // The head, the claims {"ref":"refs/heads/main"}, and a signature that is none.
    let token = "Authorization: Bearer e30.eyJyZWYiOiJyZWZzL2hlYWRzL21haW4ifQ.AAAA";
    let of_token = explained(site.path(), &["ci", "-", "-H", token], "{}").with(0);
    assert!(of_token.stdout.contains("from the token, which was not checked"), "{of_token}");
    let none = explained(site.path(), &["ci", "-"], "{}").with(1);
    assert!(none.stdout.contains("--claims FILE"), "{none}");
    let odd = explained(site.path(), &["github", "-", "--claims", "claims.json"], "{}").with(2);
    assert!(odd.stderr.contains("carry no token"), "{odd}");
}

#[test]
fn a_broken_file_of_routes_stands_first_and_decides_the_exit_status() {
    let site = site();
    let routes = site.path().join("routes.d");
    std::fs::create_dir(&routes).expect("made");
    std::fs::write(routes.join("team.yaml"), "routes: { mine: { on: { source: nosuch } } }\n")
        .expect("written");
    let push = include_str!("../../common/push.json");
    let shown = explained(site.path(), &["github", "-"], push).with(3);
    let at = |text: &str| shown.stdout.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(at("team.yaml") < at("source    github"), "{shown}");
    assert!(at("held back") < at("source    github"), "{shown}");
    assert!(shown.stdout.contains("would start retrain"), "the other routes are judged: {shown}");
    let said = explained(site.path(), &["github", "-", "--json"], push).with(3).json();
    assert!(said["faults"][0]["file"].as_str().is_some_and(|file| file.ends_with("team.yaml")));
}

#[test]
fn what_github_shows_of_a_delivery_is_a_saved_request() {
    let site = site();
    let push: Value = serde_json::from_str(include_str!("../../common/push.json")).expect("JSON");
    let pretty = serde_json::to_string_pretty(&push).expect("JSON");
    let block = format!(
        "Request URL: https://hooks.example.com/hooks/github\nRequest method: POST\nAccept: */*\n\
         Content-Type: application/x-www-form-urlencoded\nX-GitHub-Delivery: 72d3162e\n\
         X-GitHub-Event: push\nX-Hub-Signature-256: sha256=00\n\nPayload\n{pretty}\n"
    );
    std::fs::write(site.path().join("saved.txt"), block).expect("written");
    let said = run(site.path(), &["explain", "github", "saved.txt", "--json"]).with(0).json();
    assert_eq!((&said["kind"], &said["kind_from"]), (&"push".into(), &"request".into()));
    assert!(said["delivery_key"].as_str().is_some_and(|key| key.contains("72d3162e")), "{said}");
}

#[test]
fn line_ends_and_reversed_text_in_a_value_are_shown_as_escapes() {
    let site = site();
    let push = include_str!("../../common/push.json");
    let odd = push.replace("lower the learning rate", "first\\n\\nsecond\\u202eline");
    assert_ne!(odd, push);
    let shown = explained(site.path(), &["github", "-"], &odd).with(0);
    assert!(shown.stdout.contains(r"first\n\nsecond\u{202e}line"), "{shown}");
}
