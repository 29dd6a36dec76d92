//! How commands end: the exit status that the help promises, and what is said on the way.

use super::common::process::{Serving, program};
use super::common::{ADMIN_TOKEN, ON_PUSH, Site};
use super::stage::{ROUTES, Stage};
use super::{run, run_with};
use cdsw_gateway::model::Listen;
use cdsw_gateway::serving::Listener;

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_accepted_ends_with_four() {
    let stage = Stage::new(ROUTES);
    insta::assert_snapshot!(
        "wrong_token",
        stage.run_as("canary-wrong-token", &["runs", "list"]).with(4)
    );
    insta::assert_snapshot!("no_token", stage.run_as("", &["runs", "list"]).with(4));
    for arguments in [
        &["deliveries", "list"] as &[&str],
        &["deliveries", "show", NOBODY],
        &["deliveries", "refused", "github"],
        &["runs", "show", NOBODY],
        &["replay", NOBODY],
        &["replay", NOBODY, "--dry-run"],
        &["release", NOBODY, "--fail"],
    ] {
        let ended = stage.run_as("canary-wrong-token", arguments).with(4);
        assert!(ended.stdout.is_empty() && !ended.stderr.contains("canary"), "{ended}");
    }
    let file = stage.site.path("secrets/admin");
    let with_file = ["runs", "list", "--token-file", file.to_str().expect("text")];
    stage.run_as("", &with_file).with(0);
}

#[test]
fn a_gateway_that_is_not_there_ends_with_four() {
    // Bound and let go again, so that nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    let ended = run_with(site.directory.path(), &["runs", "list"], "", |command| {
        command
            .env("CDSW_GATEWAY_URL", format!("http://{address}"))
            .env("CDSW_GATEWAY_TOKEN", ADMIN_TOKEN);
    });
    insta::assert_snapshot!(ended.with(4));
    let to = format!("http://{address}");
    run(site.directory.path(), &["send", "github", "--to", &to]).with(4);
}

#[test]
fn an_argument_that_cannot_be_read_is_told_how_to_write_it() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    for (arguments, says) in [
        (
            &["deliveries", "show", "nope"] as &[&str],
            "its first 4 digits or more, as the lists show it, such as 0193",
        ),
        (&["runs", "list", "--url", "127.0.0.1:8081"], "such as http://127.0.0.1:8081"),
        (&["runs", "list", "--url", "localhost:8081"], "such as http://127.0.0.1:8081"),
        (&["explain", "github", "a.har", "--entry", "x"], "counts from 1"),
    ] {
        let ended = run(site.directory.path(), arguments).with(2);
        assert!(ended.stderr.contains(says), "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_listener_for_webhooks_is_not_taken_for_the_admin_listener() {
    let stage = Stage::new(ROUTES);
    let hooks = format!("http://{}", stage.gateway.hooks);
    for arguments in
        [&["runs", "list", "--url", &hooks] as &[&str], &["replay", NOBODY, "--url", &hooks]]
    {
        let ended = stage.run(arguments).with(4);
        assert!(ended.stderr.contains("is --url its admin listener?"), "{ended}");
    }
}

const SECONDS: std::time::Duration = std::time::Duration::from_secs(10);

/// A server that is no gateway of this version: it answers every path of the API without a code.
async fn another(is_admin: bool, status: u16, body: &'static str) -> String {
    let status = http::StatusCode::from_u16(status).expect("a status");
    let answer = move || async move { (status, [("content-type", "application/json")], body) };
    let mut router = axum::Router::new().fallback(answer);
    if is_admin {
        router = router.route("/livez", axum::routing::get(|| async { "ok\n" }));
    }
    let place = Listen::Tcp("127.0.0.1:0".parse().expect("an address"));
    let listener = Listener::open(&place, &Default::default()).await.expect("it listens");
    let address = listener.bound().to_string();
    tokio::spawn(cdsw_gateway::serving::serve(
        listener,
        router,
        cdsw_gateway::serving::ListenerLimits {
            listener: "another",
            header_timeout: SECONDS,
            idle_timeout: SECONDS,
            body_rate: cdsw_gateway::serving::MinRate::per_second(1, SECONDS),
            write_rate: cdsw_gateway::serving::MinRate::per_second(1, SECONDS),
            connections: 16,
            connections_of_one: 16,
            is_proxy: std::sync::Arc::new(|_| false),
            grace: std::time::Duration::ZERO,
        },
        std::sync::Arc::default(),
        tokio_util::sync::CancellationToken::new(),
    ));
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_code_the_status_decides_where_an_admin_listener_answers_and_nothing_elsewhere() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    let missing = r#"{"error":"there is no run"}"#;
    for (is_admin, status, body, ends) in [
        (true, 404, missing, 5),
        (true, 409, r#"{"error":"it is started"}"#, 6),
        (true, 400, r#"{"error":"a note may have 500 bytes"}"#, 2),
        (true, 401, r#"{"error":"this needs a token"}"#, 4),
        (true, 503, r#"{"error":"the store cannot keep it now"}"#, 1),
        // What it says is that of a gateway; what it is, is not.
        (false, 404, missing, 4),
        (false, 405, "", 4),
        // A code counts for more than the status beside it.
        (true, 404, r#"{"code":"state-conflict","detail":"it is started"}"#, 6),
    ] {
        let url = another(is_admin, status, body).await;
        let ended = run_with(site.directory.path(), &["runs", "show", NOBODY], "", |command| {
            command.env("CDSW_GATEWAY_URL", &url).env("CDSW_GATEWAY_TOKEN", ADMIN_TOKEN);
        });
        let ended = ended.with(ends);
        assert!(ended.stdout.is_empty() && ended.stderr.starts_with("error: "), "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_exist_ends_with_five() {
    let stage = Stage::new(ROUTES);
    for arguments in [
        &["deliveries", "show", NOBODY] as &[&str],
        &["deliveries", "list", "--source", "nobody"],
        &["deliveries", "show", NOBODY, "--body"],
        &["deliveries", "refused", "nobody"],
        &["runs", "show", NOBODY],
        &["replay", NOBODY],
        &["replay", NOBODY, "--dry-run"],
        &["release", NOBODY, "--retry"],
        &["release", NOBODY, "--fail"],
        &["explain", "nobody", "push.json"],
        &["explain", "github", "no-such-file.json"],
        &["send", "nobody"],
    ] {
        let ended = stage.run(arguments).with(5);
        assert!(ended.stdout.is_empty(), "{ended}");
        assert!(ended.stderr.starts_with("error: "), "{ended}");
    }
    insta::assert_snapshot!(stage.run(&["runs", "show", NOBODY]).with(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_usage_ends_with_two() {
    let stage = Stage::new(ROUTES);
    for arguments in [
        &[] as &[&str],
        &["no-such-command"],
        &["serve", "--no-such-flag"],
        &["runs", "list", "--state", "lost"],
        &["runs", "list", "--before", "not-an-id"],
        &["runs", "show", "not-an-id"],
        &["deliveries", "show", "not-an-id"],
        &["replay", NOBODY, "--again", "--dry-run"],
        &["release", NOBODY],
        &["release", NOBODY, "--retry", "--fail"],
        &["release", NOBODY, "--started", " "],
        &["simulate", "--job", "no-slash"],
        &["explain", "github", "push.json", "--header", "no colon"],
    ] {
        let ended = stage.run(arguments).with(2);
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{ended}");
    }
}

#[test]
fn a_faulty_configuration_ends_with_three_whatever_was_asked() {
    let site = Site::new("http://127.0.0.1:9", "");
    site.write_config(include_str!("faulty.yaml"));
    std::fs::write(site.path("push.json"), super::common::PUSH).expect("written");
    for arguments in [
        &["check"] as &[&str],
        &["serve"],
        &["explain", "github", "push.json"],
        &["send", "github"],
        &["doctor"],
        &["check", "--config", "no-such-file.yaml"],
    ] {
        let ended = run(site.directory.path(), arguments).with(3);
        assert!(!ended.stderr.is_empty() || !ended.stdout.is_empty(), "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_allowed_as_things_stand_ends_with_six() {
    let stage = Stage::new(ROUTES);
    let (_, run) = stage.push("started", "started").await;
    for word in [&["--retry"] as &[&str], &["--fail"], &["--started", "e"]] {
        let ended = stage.run(&[&["release", &run], word].concat()).with(6);
        assert!(ended.stderr.contains("it is started, and only a held run"), "{ended}");
    }
}

#[test]
fn a_second_gateway_on_the_same_store_says_that_it_is_in_use() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    let first = Serving::on(&site);
    let second = run(site.directory.path(), &["serve", "--log", "off"]);
    insta::assert_snapshot!(second.with(1));
    assert!(first.running.terminate().success());
    // And it is free again at once.
    let third = Serving::on(&site);
    assert!(third.running.terminate().success());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    let text = std::fs::read_to_string(site.config()).expect("read");
    site.write_config(&text.replace("admin: 127.0.0.1:0", &format!("admin: {address}")));
    insta::assert_snapshot!(run(site.directory.path(), &["serve", "--log", "off"]).with(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_told_to_stop_ends_with_zero() {
    let Stage { gateway, .. } = {
        let stage = Stage::new(ROUTES);
        stage.push("one", "started").await;
        stage
    };
    assert_eq!(gateway.running.terminate().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_the_wire_past_the_grace_time_is_held_by_the_next_gateway() {
    let stage = Stage::with(ROUTES, "  shutdown_grace: 100ms", "    timeout: 60s");
    stage.fault(serde_json::json!("hold_answer")).await;
    let sent = stage.send(&["--json"]).with(0).json();
    let id = sent["answer"]["runs"][0]["id"].as_str().expect("an id");
    stage.workbench_says("requests").await;
    let stage = stage.restart();
    stage.reaches(id, "held").await;
    let run = stage.run(&["runs", "show", id, "--json"]).with(0).json();
    assert_eq!(run["tries"].as_array().map(Vec::len), Some(1), "{run}");
    assert_eq!(run["tries"][0]["outcome"], "unknown", "{run}");
    let reason = run["reason"].as_str().expect("a reason");
    let why = "the gateway stopped while the request was on its way";
    assert!(reason.contains(why), "{reason}");
    assert_eq!(stage.workbench_says("runs").await.len(), 1, "it is not started a second time");
}

#[test]
fn the_demo_accounts_for_six_deliveries() {
    let directory = tempfile::tempdir().expect("a directory");
    let demo = run(directory.path(), &["demo", "--once", "--json"]).with(0);
    let accounts = demo.json();
    let accounts = accounts.as_array().expect("a list");
    assert_eq!(accounts.len(), 6);
    for account in accounts {
        assert_eq!(account["as_it_should"], true, "{account}");
    }
    let left: Vec<_> = std::fs::read_dir(directory.path()).expect("listed").collect();
    assert!(left.is_empty(), "it leaves nothing behind: {left:?}");
}

#[test]
fn no_output_has_colour_where_it_is_not_welcome() {
    let site = Site::new("http://127.0.0.1:9", "");
    site.write_config(include_str!("faulty.yaml"));
    let mut command = program();
    command.env_remove("NO_COLOR").args(["check", "--config"]).arg(site.config());
    let output = command.output().expect("it runs");
    assert!(!output.stdout.contains(&0x1b), "standard output is no terminal");
    assert!(!output.stderr.contains(&0x1b), "standard error is no terminal");
}
