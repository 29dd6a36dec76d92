//! What happens is told: lines of the log of a real process, and numbers.

use std::process::Command;
use std::time::Duration;

use cdsw_gateway::model::RunState;
use cdsw_gateway::simulator::{Fault, FaultRule};
use reqwest::Method;
use serde_json::{Value, json};

use super::common::process::{Running, program};
use super::common::{ADMIN_TOKEN, ON_PUSH, PUSH, Site, World, client, github_signature, simulator};
use super::{edit, text};

/// A gateway as a process that writes its log into a file of its site.
struct Logged {
    running: Running,
    hooks: String,
    admin: String,
    site: Site,
}

impl Logged {
    fn on(site: Site) -> Self {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "exec \"$0\" \"$@\" 2>\"$LOG_FILE\""])
            .env("LOG_FILE", site.path("log"))
            .arg(program().get_program())
            .args(["serve", "--print-addresses", "--log", "info", "--log-format", "json"])
            .arg("--config")
            .arg(site.config());
        let mut running = Running::start(&mut shell);
        let mut address = |word: &str| {
            let line = running.line();
            line.strip_prefix(word).expect("in this order").to_owned()
        };
        let (hooks, admin) = (address("hooks "), address("admin "));
        Self { running, hooks, admin, site }
    }

    async fn push(&self, id: &str) -> Value {
        let request = client()
            .post(format!("http://{}/hooks/github", self.hooks))
            .header("x-github-event", "push")
            .header("x-github-delivery", id)
            .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
            .body(PUSH);
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    async fn act(&self, path: &str, body: Value) -> Value {
        let request = client().post(format!("http://{}{path}", self.admin)).json(&body);
        let answer = request.bearer_auth(ADMIN_TOKEN).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    async fn run_in(&self, id: &str, state: &str) {
        loop {
            let request = client().get(format!("http://{}/api/runs/{id}", self.admin));
            let answer = request.bearer_auth(ADMIN_TOKEN).send().await.expect("an answer");
            let run: Value = answer.json().await.expect("JSON");
            if run["state"] == state {
                return;
            }
        }
    }

    /// Its log, once it has ended.
    fn stopped(self) -> Vec<Value> {
        let Self { running, site, .. } = self;
        assert!(running.terminate().success());
        let log = std::fs::read_to_string(site.path("log")).expect("a log");
        log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

fn one<'l>(log: &'l [Value], message: &str) -> &'l Value {
    let found = log.iter().find(|line| text(line, "/message").starts_with(message));
    found.unwrap_or_else(|| panic!("no `{message}` in {log:#?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_is_in_the_log_with_who_did_it() {
    let simulator = simulator().await;
    simulator.add_fault(FaultRule::once(Fault::status(500)));
    let gateway = Logged::on(Site::new(&simulator.api_url(), ON_PUSH));
    let first = gateway.push("one").await;
    let (delivery, held) = (text(&first, "/delivery"), text(&first, "/runs/0/id"));
    gateway.run_in(held, "held").await;
    gateway.act(&format!("/api/runs/{held}/release"), json!({ "do": "fail" })).await;
    gateway.act("/api/pause", json!({ "kind": "job", "name": "retrain" })).await;
    gateway.act(&format!("/api/deliveries/{delivery}/replay"), json!({})).await;
    gateway.act(&format!("/api/runs/{held}/cancel"), json!({})).await;
    gateway.act("/api/resume", json!({ "kind": "job", "name": "retrain" })).await;
    gateway.push("one").await;
    gateway.act("/api/reload", json!({})).await;
    let log = gateway.stopped();
    let settled: Vec<(&str, &str)> = log
        .iter()
        .filter(|line| line["message"] == "run settled by a person")
        .map(|line| {
            assert_eq!((&line["run"], &line["who"]), (&json!(held), &json!("ops")));
            assert_eq!((&line["route"], &line["job"]), (&json!("on-push"), &json!("retrain")));
            (text(line, "/act"), text(line, "/state"))
        })
        .collect();
    assert_eq!(settled, [("release --fail", "failed"), ("cancel", "cancelled")]);
    for message in ["paused by a person", "resumed by a person"] {
        let line = one(&log, message);
        assert_eq!([&line["kind"], &line["name"], &line["who"]], ["job", "retrain", "ops"]);
    }
    let replayed = one(&log, "run replayed");
    assert_eq!([&replayed["run"], &replayed["what"]], [held, "queued again"]);
    assert_eq!([&replayed["delivery"], &replayed["who"]], [delivery, "ops"]);
    let attempt = one(&log, "attempt");
    assert_eq!([&attempt["run"], &attempt["next"], &attempt["level"]], [held, "held", "WARN"]);
    assert_eq!(one(&log, "delivery")["verdict"], "accepted");
    let version = &one(&log, "configuration loaded")["config"];
    assert_eq!(&one(&log, "ready")["config"], version);
    let reloaded = log.iter().filter(|line| text(line, "/message").ends_with("unchanged"));
    assert_eq!(reloaded.count(), 1, "{log:#?}");
    assert_eq!(log.last().expect("a line")["message"], "stopped");
}

async fn metrics(world: &World) -> String {
    let (_, answer) = world.send(world.client.get(world.admin("/metrics"))).await;
    answer.as_str().expect("text").to_owned()
}

async fn failed_by(world: &World, cause: &str) -> u64 {
    let line = format!("cdsw_gateway_runs_failed_total{{cause=\"{cause}\"}} ");
    let text = metrics(world).await;
    let count = text.lines().find_map(|other| other.strip_prefix(&line)).expect("a count");
    count.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_fail_are_counted_by_cause() {
    let routes = r#"
  of-pushes:
    on: { source: github, event: push }
    job: retrain
  of-tags:
    on: { source: github, event: create }
    job: retrain
    env: { SHA: "${{ body.there_is_no_such_field }}" }
"#;
    let world = World::start(routes).await;
    let (status, _) = world.send(world.github("create", "tag", PUSH)).await;
    assert_eq!(status, 202);
    assert_eq!(failed_by(&world, "mapping").await, 1);
    world.simulator.add_fault(FaultRule::once(Fault::status(404)));
    let wrong = world.push("wrong").await;
    world.run_in(wrong, RunState::Failed).await;
    // It is told once it is recorded.
    while failed_by(&world, "attempt").await == 0 {
        tokio::task::yield_now().await;
    }
    world.api(Method::POST, "/api/pause", Some(json!({ "kind": "all" }))).await;
    let late = world.push("late").await;
    world.clock.advance(Duration::from_secs(7 * 24 * 3600));
    world.run_in(late, RunState::Failed).await;
    while failed_by(&world, "deadline").await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!([failed_by(&world, "mapping").await, failed_by(&world, "attempt").await], [1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_by_a_person_is_counted_as_one_by_the_files_is() {
    let world = World::start(ON_PUSH).await;
    assert!(metrics(&world).await.contains("cdsw_gateway_config_faults 0\n"));
    edit(&world.site, "  on-push:\n", "  on-push:\n    nothing: 1\n");
    let (status, _) = world.api(Method::POST, "/api/reload", Some(json!({}))).await;
    assert_eq!(status, 409);
    assert!(metrics(&world).await.contains("cdsw_gateway_config_faults 1\n"));
    edit(&world.site, "    nothing: 1\n", "");
    let (status, _) = world.api(Method::POST, "/api/reload", Some(json!({}))).await;
    assert_eq!(status, 200);
    assert!(metrics(&world).await.contains("cdsw_gateway_config_faults 0\n"));
}

/// Asks until what the API says of the token `name` is so.
async fn token_until(
    gateway: &Logged,
    with: &str,
    name: &str,
    is: impl Fn(&Value) -> bool,
) -> Value {
    let looking = async {
        loop {
            let request = client().get(format!("http://{}/api/secrets", gateway.admin));
            let answer = request.bearer_auth(with).send().await.expect("an answer");
            let Ok(view) = answer.json::<Value>().await else { continue };
            let token =
                view["tokens"].as_array().into_iter().flatten().find(|token| token["name"] == name);
            if let Some(token) = token.filter(|token| is(token)) {
                return token.clone();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looking).await.expect("it comes to be so")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rotation_of_an_admin_token_leaves_a_trace_without_its_value() {
    const NEXT: &str = "canary-next-admin-token-9f8e7d6c5b";
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    site.private("next", NEXT);
    let both = "admin_tokens: { ops: { file: secrets/admin }, next: { file: secrets/next } }";
    edit(&site, "admin_tokens: { ops: { file: secrets/admin } }", both);
    let gateway = Logged::on(site);
    let unused = token_until(&gateway, ADMIN_TOKEN, "next", |_| true).await;
    assert_eq!(
        (&unused["uses"], &unused["last"], &unused["changed"]),
        (&json!(0), &Value::Null, &Value::Null)
    );
    assert_eq!(
        unused["reference"],
        format!("file {}", gateway.site.path("secrets/next").display())
    );
    // Whoever has the new one uses it; the old one is replaced, and is then refused.
    token_until(&gateway, NEXT, "next", |token| token["uses"].as_u64() > Some(0)).await;
    let used = token_until(&gateway, ADMIN_TOKEN, "ops", |token| token["last"].is_string()).await;
    assert_eq!(used["changed"], Value::Null);
    gateway.site.private("admin", "canary-replaced-admin-token-1a2b3c4d");
    token_until(&gateway, NEXT, "ops", |token| token["changed"].is_string()).await;
    let request = client().get(format!("http://{}/api/status", gateway.admin));
    let old = request.bearer_auth(ADMIN_TOKEN).send().await.expect("an answer");
    assert_eq!(old.status(), 401);
    let doctor = program()
        .args(["doctor", "--config"])
        .arg(gateway.site.config())
        .args(["--url", &format!("http://{}", gateway.admin)])
        .env("CDSW_GATEWAY_TOKEN", NEXT)
        .output()
        .expect("it runs");
    let words = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let ops = words.lines().find(|line| line.contains("admin token ops: used by"));
    assert!(ops.is_some_and(|line| line.contains("; its value changed at ")), "{words}");
    // With an empty file nobody can use the token, and the log says so.
    gateway.site.private("admin", "");
    tokio::time::timeout(Duration::from_secs(60), async {
        while !std::fs::read_to_string(gateway.site.path("log"))
            .expect("a log")
            .contains("cannot be read, so nobody")
        {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the log says it");
    let log = gateway.stopped();
    let changed: Vec<_> = log
        .iter()
        .filter(|line| text(line, "/message").starts_with("this admin token has changed"))
        .collect();
    assert_eq!(changed.len(), 1, "{log:#?}");
    assert_eq!((&changed[0]["token"], &changed[0]["level"]), (&json!("ops"), &json!("INFO")));
    let unreadable = one(&log, "this admin token cannot be read");
    assert_eq!((&unreadable["token"], &unreadable["level"]), (&json!("ops"), &json!("WARN")));
    let whole = format!("{log:?}{words}");
    assert!(!whole.contains("canary-"), "no value of a token is written");
}
