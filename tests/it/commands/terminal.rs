//! What a person at a terminal meets: lists that fit, short ids, errors that scripts can read.

use super::stage::{ROUTES, Stage};
use super::{Ended, run, run_with};
use crate::common::ADMIN_TOKEN;

/// Runs a command as on a terminal of this many columns.
fn within(stage: &Stage, columns: &str, arguments: &[&str]) -> Ended {
    run_with(stage.directory(), arguments, "", |command| {
        command
            .env("COLUMNS", columns)
            .env("CDSW_GATEWAY_URL", format!("http://{}", stage.gateway.admin))
            .env("CDSW_GATEWAY_TOKEN", ADMIN_TOKEN);
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_fit_eighty_columns_and_tell_times_as_people_do() {
    let stage = Stage::new(ROUTES);
    let (_, held) = stage.push("held", "held").await;
    stage.push("started", "started").await;
    stage.run(&["jobs", "pause", "retrain", "--note", "the cluster is being upgraded this week"]);
    stage.send(&["--id", "x", "--wrong-secret"]).with(1);
    for arguments in [
        &["runs", "list"] as &[&str],
        &["deliveries", "list"],
        &["deliveries", "refused", "github"],
        &["jobs", "paused"],
        &["jobs", "list"],
        &["routes", "list"],
        &["sources", "list"],
        &["keys", "list"],
        &["workbenches", "list"],
        &["audit"],
        &["secrets"],
        &["providers"],
    ] {
        let list = within(&stage, "80", arguments).with(0);
        for line in list.stdout.lines() {
            let width = line.chars().count();
            assert!(width <= 80, "{width} columns: {line}\n{list}");
        }
        let whole = within(&stage, "80", &[arguments, &["--wide"]].concat()).with(0);
        assert!(!whole.stdout.contains('…'), "{whole}");
    }
    let list = within(&stage, "80", &["runs", "list"]).with(0);
    assert!(list.stdout.contains(&held[..13]) && !list.stdout.contains(&held), "{list}");
    assert!(list.stdout.contains(" ago") || list.stdout.contains("now"), "{list}");
    let dated = within(&stage, "80", &["runs", "list", "--absolute"]).with(0);
    assert!(!dated.stdout.contains(" ago") && dated.stdout.contains("Z "), "{dated}");
    let piped = stage.run(&["runs", "list"]).with(0);
    assert!(piped.stdout.contains(&held), "what no person reads is not shortened: {piped}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_beginning_of_an_id_is_enough_where_no_other_begins_so() {
    let stage = Stage::new(ROUTES);
    let (delivery, run) = stage.push("one", "held").await;
    let (_, other) = stage.push("two", "held").await;
    assert_ne!(run[..18], other[..18], "the ids differ in their first 18 characters");
    let shown = stage.run(&["runs", "show", &run[..18], "--json"]).with(0).json();
    assert_eq!(shown["id"], *run);
    let shown = stage.run(&["deliveries", "show", &delivery[..18], "--json"]).with(0).json();
    assert_eq!(shown["id"], *delivery);
    let replay = stage.run(&["deliveries", "replay", &delivery[..18], "--dry-run"]).with(0);
    assert!(replay.stdout.contains("would"), "{replay}");
    let ambiguous = stage.run(&["runs", "cancel", &run[..4]]).with(2);
    for id in [&run, &other] {
        assert!(ambiguous.stderr.contains(&**id), "the candidates are named: {ambiguous}");
    }
    let none = stage.run(&["runs", "show", "ffff-0000"]).with(5);
    assert!(none.stderr.contains("no run whose id begins with ffff-0000"), "{none}");
    let typed = stage.run(&["runs", "show", "retrain"]).with(2);
    assert!(typed.stderr.contains("not an id"), "{typed}");
    let list = stage.run(&["runs", "list", "--before", &other[..18], "--json"]).with(0).json();
    assert_eq!(list["runs"].as_array().map(Vec::len), Some(1), "{list}");

    let both = ["runs", "release", &run[..18], &other[..18], "--fail"];
    let failed = stage.run(&both).with(0);
    assert_eq!(failed.stdout.matches("failed").count(), 2, "{failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_cut_says_so_and_where_it_goes_on() {
    let stage = Stage::new(ROUTES);
    let (_, run) = stage.push("one", "started").await;
    let (_, newer) = stage.push("two", "started").await;
    let cut = stage.run(&["runs", "list", "-n", "1"]).with(0);
    assert!(cut.stdout.contains(&newer) && !cut.stdout.contains(&run), "{cut}");
    assert!(cut.stderr.contains(&format!("--before {newer}")), "{cut}");
    let cut = stage.run(&["runs", "list", "-n", "1", "--json"]).with(0).json();
    assert_eq!(cut["next"], *newer);
    let rest = stage.run(&["runs", "list", "--before", &newer, "--json"]).with(0).json();
    assert_eq!((&rest["runs"][0]["id"], rest.get("next")), (&run.into(), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_is_json_too_where_json_is_asked_for() {
    let stage = Stage::new(ROUTES);
    let id = "01000000-0000-7000-8000-000000000000";
    for (arguments, status, code) in [
        (&["runs", "show", id, "--json"] as &[&str], 5, "not-found"),
        (&["runs", "show", "x", "--json"], 2, "usage"),
        (&["--json", "nonsense"], 2, "usage"),
        (&["explain", "nowhere", "push.json", "--json"], 5, "not-found"),
        (&["providers", "gitlb", "--json"], 5, "not-found"),
        (&["jobs", "pause", "nosuch", "--json"], 5, "not-found"),
    ] {
        let ended = stage.run(arguments).with(status);
        let error = &ended.json()["error"];
        assert_eq!(error["code"], code, "{ended}");
        assert!(error["message"].as_str().is_some_and(|words| !words.is_empty()), "{ended}");
        assert!(error.get("hint").is_some(), "{ended}");
        assert!(!ended.stderr.is_empty(), "people read it too: {ended}");
    }
    let lost = stage.run_as("wrong", &["runs", "list", "--json"]).with(4).json();
    assert_eq!(lost["error"]["code"], "unreachable");
    assert!(lost["error"]["hint"].as_str().is_some_and(|hint| hint.contains("CDSW_GATEWAY_TOKEN")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_and_who_may_stand_before_the_command_and_a_run_is_waited_for() {
    let stage = Stage::new(ROUTES);
    let (_, run) = stage.push("one", "held").await;
    let token = stage.site.path("token");
    std::fs::write(&token, ADMIN_TOKEN).expect("written");
    let url = format!("http://{}", stage.gateway.admin);
    let token = token.to_str().expect("text");
    let before = ["--token-file", token, "--url", &url];
    for arguments in [
        [&before[..], &["runs", "show", &run, "--wait"]].concat(),
        [&["runs", "show", &run, "--wait"], &before[..]].concat(),
        [&["runs"], &before[..], &["show", &run, "--wait"]].concat(),
    ] {
        let shown = run_with(stage.directory(), &arguments, "", |_| {}).with(1);
        assert!(shown.stdout.contains("settle it:"), "a held run waits for a person: {shown}");
    }
    let retried = stage.run(&["release", &run, "--retry"]).with(0);
    assert!(retried.stdout.contains(&run), "{retried}");
    let shown = stage.run(&["runs", "show", &run, "--wait", "--json"]).with(0).json();
    assert_eq!(shown["state"], "started");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn send_waits_for_what_becomes_of_its_runs_and_else_says_where_to_look() {
    let stage = Stage::new(ROUTES);
    let sent = stage.send(&[]).with(0);
    assert!(sent.stdout.contains("cdsw-gateway runs show "), "{sent}");
    let waited = stage.send(&["--wait"]).with(0);
    assert!(waited.stdout.contains("  started"), "{waited}");
    let json = stage.send(&["--wait", "--json"]).with(0).json();
    assert_eq!((&json["status"], &json["runs"][0]["state"]), (&202.into(), &"started".into()));
    let to = format!("http://{}", stage.gateway.hooks);
    let ping = ["send", "github", "--event", "ping", "--to", &to, "--json"];
    let ping = stage.run(&ping).with(0).json();
    assert_eq!(ping["answer"]["runs"], serde_json::json!([]));
}

#[test]
fn a_sample_is_printed_and_what_routes_see_of_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let here = directory.path();
    let payload = run(here, &["sample", "github"]).with(0).json();
    assert_eq!(payload["repository"]["full_name"], "acme/risk");
    for arguments in [
        &["sample", "github", "--meaning", "--json"],
        &["providers", "github", "--sample", "--json"],
    ] {
        let said = run(here, arguments).with(0).json();
        assert_eq!(said["payload"], payload);
        assert_eq!(said["means"]["event"]["kind"], "push");
        assert_eq!(said["means"]["git"][0]["repository"], "acme/risk");
    }
    run(here, &["sample", "github", "nothing"]).with(5);
    let list = run(here, &["providers", "--json"]).with(0).json();
    assert!(list["providers"].as_array().is_some_and(|list| list.len() > 60));
    for provider in list["providers"].as_array().expect("a list") {
        let name = provider["name"].as_str().expect("a name");
        run(here, &["sample", name, "--meaning"]).with(0);
    }
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let directory = tempfile::tempdir().expect("a directory");
    run(directory.path(), &["man", "."]).with(0);
    for page in ["cdsw-gateway.1", "cdsw-gateway-runs-list.1", "cdsw-gateway-explain.1"] {
        let page = std::fs::read_to_string(directory.path().join(page)).expect(page);
        assert!(page.contains(".SH") && page.contains("cdsw"), "{page}");
    }
    run(directory.path(), &["man", "nowhere"]).with(1);
}
