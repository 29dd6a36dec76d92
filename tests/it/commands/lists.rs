//! `jobs|routes|sources|keys|workbenches list`: what the running gateway has, with the state of each.

use serde_json::{Value, json};

use super::stage::{ROUTES, Stage};
use crate::common::ADMIN_TOKEN;

const LISTS: [(&str, &str, &str); 5] = [
    ("jobs", "jobs", "retrain"),
    ("routes", "routes", "retrain-on-push"),
    ("sources", "sources", "github"),
    ("keys", "keys", "main/alice"),
    ("workbenches", "workbenches", "main"),
];

/// The member of this name in a list's JSON.
fn named(list: &Value, what: &str, name: &str) -> Value {
    let all = list[what].as_array().unwrap_or_else(|| panic!("{what}: {list}"));
    all.iter().find(|one| one["name"] == name).cloned().unwrap_or_else(|| panic!("{name}: {list}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_the_gateway_has_is_listed_with_its_state() {
    let stage = Stage::new(ROUTES);
    let list = |what: &str| stage.run(&[what, "list", "--json"]).with(0).json();
    let idle = named(&list("jobs"), "jobs", "retrain");
    assert_eq!((&idle["last"], &idle["last_start"]), (&Value::Null, &Value::Null));
    let idle = named(&list("routes"), "routes", "retrain-on-push");
    assert_eq!((&idle["runs"], &idle["last_matched"]), (&json!(0), &Value::Null));
    let idle = named(&list("sources"), "sources", "github");
    assert_eq!((&idle["last_delivery"], &idle["last_refusal"]), (&Value::Null, &Value::Null));

    stage.push("one", "started").await;
    stage.push("two", "held").await;
    stage.send(&["--id", "x", "--wrong-secret"]).with(1);
    stage.run(&["jobs", "pause", "retrain", "--note", "an upgrade"]).with(0);

    let job = named(&list("jobs"), "jobs", "retrain");
    assert_eq!((&job["held"], &job["last"]["state"]), (&json!(1), &json!("held")));
    assert_eq!(job["api_key"], "main/alice");
    assert_eq!(job["routes"], json!(["retrain-on-push"]));
    assert!(job["last_start"].is_string(), "{job}");
    assert!(job["waits_for"].as_str().is_some_and(|why| why.contains("an upgrade")), "{job}");
    let other = named(&list("jobs"), "jobs", "report");
    assert_eq!((&other["last_start"], &other["waits_for"]), (&Value::Null, &Value::Null));

    let route = named(&list("routes"), "routes", "retrain-on-push");
    assert_eq!((&route["runs"], &route["job"]), (&json!(2), &json!("retrain")));
    assert!(route["last_matched"].is_string() && route["line"].as_u64() > Some(1), "{route}");
    assert_eq!(named(&list("routes"), "routes", "report-on-develop")["runs"], 0);

    let source = named(&list("sources"), "sources", "github");
    assert_eq!((&source["deliveries"], &source["path"]), (&json!(2), &json!("/hooks/github")));
    assert_eq!(source["last_refusal"]["status"], 401);
    assert_eq!(source["secrets"][0]["deliveries"], 2);

    let key = named(&list("keys"), "keys", "main/alice");
    assert!(key["last_accepted"].is_string() && key["paused"].is_null(), "{key}");
    stage.run(&["keys", "pause", "main/alice", "--note", "leaked"]).with(0);
    let key = named(&list("keys"), "keys", "main/alice");
    assert_eq!(key["paused"]["note"], "leaked");
    assert_eq!(key["last_refused"], Value::Null, "a person paused it");
    let bench = named(&list("workbenches"), "workbenches", "main");
    assert_eq!(bench["paused_keys"][0]["name"], "main/alice");
    assert_eq!(bench["circuit_breaker"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_the_workbench_refused_is_listed_with_the_time() {
    let stage = Stage::new(ROUTES);
    stage.fault(json!({ "reply": { "status": 401 } })).await;
    let sent = stage.send(&["--id", "one", "--json"]).with(0).json();
    let run = sent.pointer("/answer/runs/0/id").and_then(Value::as_str).expect("an id").to_owned();
    loop {
        let list = stage.run(&["keys", "list", "--json"]).with(0).json();
        let key = named(&list, "keys", "main/alice");
        if key["paused"].is_object() {
            assert_eq!(key["paused"]["who"], "gateway");
            assert_eq!(key["last_refused"], key["paused"]["since"], "{key}");
            break;
        }
    }
    stage.run(&["keys", "resume", "main/alice"]).with(0);
    stage.reaches(&run, "started").await;
    let list = stage.run(&["keys", "list", "--json"]).with(0).json();
    let key = named(&list, "keys", "main/alice");
    assert!(key["paused"].is_null() && key["last_refused"].is_string(), "{key}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_with_names_shows_those_in_full_and_a_name_of_nothing_is_status_five() {
    let stage = Stage::new(ROUTES);
    for (command, member, name) in LISTS {
        let one = stage.run(&[command, "list", name]).with(0);
        assert!(one.stdout.lines().count() > 4, "{one}");
        assert!(one.stdout.lines().next().is_some_and(|line| line.ends_with(name)), "{one}");
        let json = stage.run(&[command, "list", name, "--json"]).with(0).json();
        assert_eq!(json[member].as_array().map(Vec::len), Some(1), "{json}");
        let none = stage.run(&[command, "list", "nosuch"]).with(5);
        assert!(none.stderr.contains("nosuch") && none.stderr.contains(name), "{none}");
        let none = stage.run(&[command, "list", name, "nosuch", "--json"]).with(5).json();
        assert_eq!(none["error"]["code"], "not-found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_show_neither_secrets_nor_what_a_payload_says() {
    let stage = Stage::new(ROUTES);
    stage.push("one", "started").await;
    let secret = std::fs::read_dir(stage.directory().join("secrets")).expect("secrets");
    let secrets: Vec<String> = secret
        .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("read"))
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    assert!(!secrets.is_empty());
    for (command, ..) in LISTS {
        for more in [&[] as &[&str], &["--json"]] {
            let list = stage.run(&[&[command, "list"], more].concat()).with(0);
            let shows = |text: &str| list.stdout.contains(text);
            assert!(!secrets.iter().any(|secret| shows(secret)) && !shows(ADMIN_TOKEN), "{list}");
            assert!(!shows("acme/risk"), "{list}");
        }
    }
}
