//! Flow control as people and workbenches meet it: bursts, pauses, the brake, a workbench that fails.

use std::time::Duration;

use cdsw_gateway::model::{RunId, RunState};
use cdsw_gateway::simulator::{Fault, FaultRule};
use reqwest::Method;
use serde_json::json;

use super::common::{ADMIN_TOKEN, PUSH, Site, World, simulator};

const ROUTES: &str = "  on-push:
    on: { source: github, event: push }
    job: retrain
    env: { GIT_SHA: \"${{ git.sha }}\" }
";

const LATEST: &str = "  on-push:
    on: { source: github, event: push }
    job: retrain
    latest_per: ${{ git.branch }}
    wait: 30s
    wait_at_most: 2m
    env: { GIT_SHA: \"${{ git.sha }}\" }
";

/// A world whose job `retrain` has these further lines, and its workbench those.
async fn with(routes: &str, job: &str, bench: &str) -> World {
    let simulator = simulator().await;
    let site = Site::with(&simulator.api_url(), routes, "", bench);
    let text = std::fs::read_to_string(site.config()).expect("read");
    site.write_config(&text.replace("    job: 208\n", &format!("    job: 208\n{job}\n")));
    World::on(site, simulator).await
}

async fn push_of(world: &World, id: &str, sha: &str) -> RunId {
    let body = PUSH.replace("\"after\": \"", &format!("\"after\": \"{sha}"));
    let (status, answer) = world.send(world.github("push", id, body)).await;
    assert_eq!(status, 202, "{answer}");
    answer["runs"][0]["id"].as_str().expect("an id").parse().expect("an id")
}

async fn notes(world: &World) -> String {
    let request = world.client.get(world.admin("/readyz")).bearer_auth(ADMIN_TOKEN);
    let (status, ready) = world.send(request).await;
    assert_eq!(status, 200, "{ready}");
    ready["notes"].to_string()
}

async fn metrics(world: &World) -> String {
    let (_, text) = world.send(world.client.get(world.admin("/metrics"))).await;
    text.as_str().expect("text").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_pushes_starts_the_job_once_with_the_newest() {
    let world = with(LATEST, "", "").await;
    let first = push_of(&world, "one", "1").await;
    world.clock.advance(Duration::from_secs(10));
    let second = push_of(&world, "two", "2").await;
    let newest = world.run(second).await;
    assert_eq!((newest.brief.state, newest.brief.stands_for), (RunState::Waiting, 2));
    let older = world.run(first).await.brief;
    assert_eq!((older.state, older.superseded_by), (RunState::Superseded, Some(second)));
    world.clock.advance(Duration::from_secs(30));
    world.run_in(second, RunState::Started).await;
    assert_eq!(world.simulator.runs().len(), 1);
    let delivery = older.delivery.to_string();
    let (_, kept) = world.api(Method::GET, &format!("/api/deliveries/{delivery}"), None).await;
    assert_eq!(kept["runs"][0]["superseded_by"], second.to_string(), "{kept}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_of_every_start_survives_a_restart_and_ends_with_a_resume() {
    let world = with(ROUTES, "", "").await;
    let stop = json!({ "kind": "all", "note": "incident" });
    let (status, view) = world.api(Method::POST, "/api/pause", Some(stop.clone())).await;
    assert_eq!(status, 200, "{view}");
    let id = push_of(&world, "one", "1").await;
    let world = world.restart().await;
    assert!(
        notes(&world).await.contains("every start has been paused since"),
        "{}",
        notes(&world).await
    );
    assert_eq!(world.run(id).await.brief.state, RunState::Queued);
    assert!(world.simulator.runs().is_empty());
    let (status, resumed) = world.api(Method::POST, "/api/resume", Some(stop)).await;
    assert_eq!((status, resumed), (200, json!({ "resumed": true, "rested": true })));
    world.run_in(id, RunState::Started).await;
    let (_, book) = world.api(Method::GET, "/api/audit", None).await;
    let acts: Vec<&str> = book["acts"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|act| act["act"].as_str())
        .collect();
    assert_eq!(acts, ["resume", "pause"]);
    assert_eq!(book["acts"][0]["origin"], "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_is_called_cannot_be_paused_or_resumed() {
    let world = with(ROUTES, "", "").await;
    for what in [
        json!({ "kind": "job", "name": "retrian" }),
        json!({ "kind": "route", "name": "nobody" }),
        json!({ "kind": "key", "name": "main/nobody" }),
    ] {
        for path in ["/api/pause", "/api/resume"] {
            let (status, problem) = world.api(Method::POST, path, Some(what.clone())).await;
            assert_eq!((status, &problem["code"]), (404, &json!("not-found")), "{what}: {problem}");
        }
    }
    let path = "/api/workbenches/nobody/resume";
    let (status, problem) = world.api(Method::POST, path, Some(json!({}))).await;
    assert_eq!((status, &problem["code"]), (404, &json!("not-found")), "{problem}");
    let (_, book) = world.api(Method::GET, "/api/audit", None).await;
    assert_eq!(book["acts"], json!([]), "nothing was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_key_stays_paused_across_a_restart_until_a_person_resumes_it() {
    let world = with(ROUTES, "", "").await;
    world.simulator.add_fault(FaultRule::once(Fault::status(401)));
    let refused = push_of(&world, "one", "1").await;
    world.run_after(refused, 1).await;
    let waits = push_of(&world, "two", "2").await;
    let world = world.restart().await;
    assert!(
        notes(&world).await.contains("API key main/alice has been paused"),
        "{}",
        notes(&world).await
    );
    assert_eq!(world.run(waits).await.tries.len(), 0);
    let key = json!({ "kind": "key", "name": "main/alice" });
    let (status, _) = world.api(Method::POST, "/api/resume", Some(key)).await;
    assert_eq!(status, 200);
    world.run_in(refused, RunState::Started).await;
    world.run_in(waits, RunState::Started).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_past_the_starts_of_a_minute_says_until_when_it_waits() {
    let world = with(ROUTES, "    starts_per_minute: 1", "").await;
    let first = push_of(&world, "one", "1").await;
    world.run_in(first, RunState::Started).await;
    let second = push_of(&world, "two", "2").await;
    let says = async {
        loop {
            let (_, run) = world.api(Method::GET, &format!("/api/runs/{second}"), None).await;
            if let Some(why) = run["waits_for"].as_str() {
                return why.to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    let why = tokio::time::timeout(Duration::from_secs(20), says).await.expect("it says");
    assert!(why.starts_with("job retrain has had as many starts as it may have"), "{why}");
    assert!(why.contains("the next is at 2"), "{why}");
    world.clock.advance(Duration::from_secs(60));
    world.run_in(second, RunState::Started).await;
    let (_, run) = world.api(Method::GET, &format!("/api/runs/{second}"), None).await;
    assert!(run["waits_for"].is_null(), "{run}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_brake_holds_further_runs_and_release_starts_them() {
    let world = with(ROUTES, "    starts_per_hour: 2", "").await;
    let mut runs = Vec::new();
    for number in 0..4 {
        runs.push(push_of(&world, &format!("push-{number}"), &number.to_string()).await);
    }
    for run in &runs[..2] {
        world.run_in(*run, RunState::Started).await;
    }
    for run in &runs[2..] {
        let held = world.run_in(*run, RunState::Held).await;
        assert!(held.brief.reason.expect("a reason").starts_with("the brake"));
    }
    let path = format!("/api/runs/{}/release", runs[2]);
    let (status, _) = world.api(Method::POST, &path, Some(json!({ "do": "retry" }))).await;
    assert_eq!(status, 200);
    world.run_in(runs[2], RunState::Started).await;
    let path = format!("/api/runs/{}/cancel", runs[3]);
    let (status, run) = world.api(Method::POST, &path, Some(json!({ "note": "no" }))).await;
    assert_eq!((status, &run["state"]), (200, &json!("cancelled")));
    assert_eq!(world.simulator.runs().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbench_that_keeps_failing_opens_its_breaker_and_one_start_closes_it() {
    let bench = "    circuit_breaker: { least: 3, open_for: 30s }";
    let world = with(ROUTES, "    on_unknown: hold", bench).await;
    world.simulator.add_fault(FaultRule::always(Fault::status(500)));
    for number in 0..3 {
        let id = push_of(&world, &format!("fails-{number}"), &number.to_string()).await;
        world.run_in(id, RunState::Held).await;
    }
    let waits = push_of(&world, "waits", "9").await;
    let metrics = metrics(&world).await;
    assert!(
        metrics.contains("cdsw_gateway_circuit_breaker_open{workbench=\"main\"} 1"),
        "{metrics}"
    );
    assert!(notes(&world).await.contains("kept failing"), "{}", notes(&world).await);
    let (_, view) = world.api(Method::GET, "/api/pauses", None).await;
    let (breaker, before) = (&view["circuit_breakers"][0], &view["resting"][0]);
    assert_eq!(
        (&breaker["workbench"], &breaker["state"]),
        (&json!("main"), &json!("open")),
        "{view}"
    );
    assert_eq!(
        (&before["workbench"], &before["until"]),
        (&json!("main"), &breaker["until"]),
        "{view}"
    );
    assert_eq!(world.simulator.requests().len(), 3);
    world.simulator.clear_faults();
    world.clock.advance(Duration::from_secs(30));
    world.run_in(waits, RunState::Started).await;
    assert_eq!(world.simulator.requests().len(), 4);
    let after = push_of(&world, "after", "8").await;
    world.run_in(after, RunState::Started).await;
    assert!(!notes(&world).await.contains("kept failing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_jobs_own_request_meets_is_not_held_against_its_workbench() {
    let bench = "    circuit_breaker: { least: 2, open_for: 30s }";
    let world = with(ROUTES, "", bench).await;
    world.simulator.add_fault(FaultRule::always(Fault::status(404)));
    for number in 0..5 {
        let id = push_of(&world, &format!("missing-{number}"), &number.to_string()).await;
        world.run_in(id, RunState::Failed).await;
    }
    world.simulator.clear_faults();
    let id = push_of(&world, "fine", "9").await;
    world.run_in(id, RunState::Started).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_old_is_not_started_any_more() {
    let world = with(ROUTES, "    max_age: 1h", "").await;
    let pause = json!({ "kind": "job", "name": "retrain" });
    world.api(Method::POST, "/api/pause", Some(pause.clone())).await;
    let old = push_of(&world, "at-two", "1").await;
    world.clock.advance(Duration::from_secs(3600));
    world.api(Method::POST, "/api/resume", Some(pause)).await;
    let run = world.run_in(old, RunState::Failed).await;
    assert!(run.brief.reason.expect("a reason").contains("max_age"), "it says why");
    assert!(world.simulator.runs().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_held_for_too_long_is_told_of() {
    let bench = "    timeout: 30s";
    let world = with(ROUTES, "", bench).await;
    world.simulator.add_fault(FaultRule::once(Fault::status(500)));
    let id = push_of(&world, "one", "1").await;
    world.run_in(id, RunState::Held).await;
    assert!(!notes(&world).await.contains("too long"));
    world.clock.advance(Duration::from_secs(3601));
    assert!(notes(&world).await.contains("1 run has been held for too long"));
    let metrics = metrics(&world).await;
    assert!(metrics.contains("cdsw_gateway_held_too_long 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paused_can_be_resumed_after_its_job_left_the_configuration() {
    let world = with(ROUTES, "", "").await;
    let pause = json!({ "kind": "job", "name": "retrain" });
    world.api(Method::POST, "/api/pause", Some(pause.clone())).await;
    let text = std::fs::read_to_string(world.site.config()).expect("read");
    world.site.write_config(&text.replace("retrain", "another"));
    world.live.reload().expect("good");
    let (status, resumed) = world.api(Method::POST, "/api/resume", Some(pause.clone())).await;
    assert_eq!((status, &resumed["resumed"]), (200, &json!(true)), "{resumed}");
    let (status, problem) = world.api(Method::POST, "/api/resume", Some(pause)).await;
    assert_eq!(status, 404, "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_can_end_the_wait_of_a_circuit_breaker() {
    let bench = "    circuit_breaker: { least: 2, open_for: 1m }";
    let world = with(ROUTES, "    on_unknown: hold", bench).await;
    let path = "/api/workbenches/main/resume";
    let (status, closed) = world.api(Method::POST, path, Some(json!({}))).await;
    assert_eq!((status, &closed["resumed"]), (200, &json!(false)), "{closed}");
    world.simulator.add_fault(FaultRule::always(Fault::status(500)));
    for number in 0..2 {
        let id = push_of(&world, &format!("fails-{number}"), &number.to_string()).await;
        world.run_in(id, RunState::Held).await;
    }
    let waits = push_of(&world, "waits", "9").await;
    let said = notes(&world).await;
    assert!(said.contains("1 run queued (workbenches resume main tries one start now)"), "{said}");
    // The workbench still fails: the breaker opens again, for longer.
    let (status, tried) =
        world.api(Method::POST, path, Some(json!({ "note": "it is back" }))).await;
    assert_eq!((status, &tried["resumed"]), (200, &json!(true)), "{tried}");
    world.run_in(waits, RunState::Held).await;
    assert!(notes(&world).await.contains("circuit breaker is open until 2026-03-01 12:02:00Z"));
    let waits = push_of(&world, "waits again", "8").await;
    world.simulator.clear_faults();
    world.api(Method::POST, path, Some(json!({}))).await;
    world.run_in(waits, RunState::Started).await;
    let (_, book) = world.api(Method::GET, "/api/audit", None).await;
    let acts = book["acts"].as_array().expect("a list");
    assert_eq!(acts.len(), 2, "{book}");
    let last = (&acts[1]["act"], &acts[1]["kind"], &acts[1]["name"], &acts[1]["note"]);
    assert_eq!(last, (&json!("resume"), &json!("workbench"), &json!("main"), &json!("it is back")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nights_backlog_says_how_fast_it_goes_and_is_gone_within_the_hour() {
    let world = with(ROUTES, "    starts_at_once: 64", "").await;
    let pause = json!({ "kind": "job", "name": "retrain" });
    world.api(Method::POST, "/api/pause", Some(pause.clone())).await;
    for number in 0..600 {
        push_of(&world, &format!("night-{number}"), &number.to_string()).await;
    }
    let said = notes(&world).await;
    assert!(said.contains("; 600 runs queued"), "{said}");
    world.api(Method::POST, "/api/resume", Some(pause)).await;
    // Twelve a minute, where ten would take an hour.
    world.simulator.wait_for_requests(12).await;
    let said = notes(&world).await;
    assert!(
        said.contains("are started at 12 a minute (resume_per_minute), the last at about"),
        "{said}"
    );
    let text = metrics(&world).await;
    for wanted in [
        "cdsw_gateway_backlog_starts_per_minute{job=\"retrain\"} 12\n",
        "cdsw_gateway_runs_expected_late{job=\"retrain\"} 0\n",
    ] {
        assert!(text.contains(wanted), "{wanted}{text}");
    }
    let (_, status) = world.api(Method::GET, "/api/status", None).await;
    let job = &status["jobs"][0];
    assert_eq!((&job["job"], &job["per_minute"]), (&json!("retrain"), &json!(12)), "{status}");
    let end: jiff::Timestamp =
        job["expected_end"].as_str().expect("a time").parse().expect("a time");
    let within = end.duration_since(cdsw_gateway::clock::Clock::now(&*world.clock));
    assert!(within.as_mins() < 60, "{job}");
    for minute in 1..50 {
        world.clock.advance(Duration::from_secs(60));
        world.simulator.wait_for_requests((minute + 1) * 12).await;
    }
    assert_eq!(world.simulator.requests().len(), 600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_in_which_deadlines_will_pass_says_so() {
    let world = with(ROUTES, "    resume_per_minute: 1\n    deadline: 10m", "").await;
    let pause = json!({ "kind": "job", "name": "retrain" });
    world.api(Method::POST, "/api/pause", Some(pause.clone())).await;
    for number in 0..15 {
        push_of(&world, &format!("night-{number}"), &number.to_string()).await;
    }
    world.api(Method::POST, "/api/resume", Some(pause)).await;
    world.simulator.wait_for_requests(1).await;
    let wanted =
        "the deadline of 14 of them is before that: raise resume_per_minute or the job's deadline";
    let said = async {
        loop {
            let said = notes(&world).await;
            if said.contains(wanted) {
                return;
            }
            assert!(said.contains("are started at 1 a minute"), "{said}");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), said).await.expect(wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_failed_is_in_notes_and_metrics_until_somebody_queues_it_again() {
    let routes = "  on-push:
    on: { source: github, event: push }
    job: retrain
    env: { GIT_SHA: \"${{ git.sha }}\", X: \"${{ body.nothing_here }}\" }
  on-create:
    on: { source: github, event: create }
    job: report
";
    let world = with(routes, "", "").await;
    let unmapped = push_of(&world, "unmapped", "1").await;
    world.run_in(unmapped, RunState::Failed).await;
    world.simulator.add_fault(FaultRule::once(Fault::status(404)));
    let (_, answer) = world.send(world.github("create", "missing", PUSH)).await;
    let missing: RunId = answer["runs"][0]["id"].as_str().expect("an id").parse().expect("an id");
    world.run_in(missing, RunState::Failed).await;
    let said = notes(&world).await;
    let wanted = "2 runs failed since 2026-03-01 12:00:00Z: 1 of report, 1 of retrain (runs list --state failed;";
    assert!(said.contains(wanted), "{said}");
    let text = metrics(&world).await;
    for wanted in [
        "cdsw_gateway_runs_settled_total{job=\"retrain\",state=\"failed\",cause=\"mapping\"} 1\n",
        "cdsw_gateway_runs_settled_total{job=\"report\",state=\"failed\",cause=\"attempt\"} 1\n",
        "cdsw_gateway_runs_failed_lately{job=\"report\"} 1\n",
        "cdsw_gateway_matches_total{route=\"on-push\"} 1\n",
    ] {
        assert!(text.contains(wanted), "{wanted}{text}");
    }
    let retry = |id| {
        let path = format!("/api/runs/{id}/release");
        let world = &world;
        async move { world.api(Method::POST, &path, Some(json!({ "do": "retry" }))).await }
    };
    let (status, _) = retry(missing).await;
    assert_eq!(status, 200);
    world.run_in(missing, RunState::Started).await;
    let (status, problem) = retry(unmapped).await;
    assert_eq!(status, 409, "{problem}");
    let why = problem["detail"].as_str().expect("words");
    assert!(why.contains("it has no variables") && why.contains("replay its delivery"), "{why}");
    assert!(notes(&world).await.contains("1 run failed since"), "one is left");
    world.clock.advance(Duration::from_secs(25 * 3600));
    assert!(!notes(&world).await.contains("failed since"), "it is a day ago");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_come_in_the_format_that_was_asked_for() {
    let world = with(ROUTES, "", "").await;
    let id = push_of(&world, "one", "1").await;
    world.run_in(id, RunState::Started).await;
    let ask = async |accept: Option<&str>| {
        let mut request = world.client.get(world.admin("/metrics"));
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let answer = request.send().await.expect("an answer");
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        (kind, answer.text().await.expect("text"))
    };
    let (kind, text) = ask(None).await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let about = "# TYPE cdsw_gateway_attempts_total counter\n";
    assert!(text.contains(about) && !text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
    let (kind, open) = ask(Some("application/openmetrics-text;version=1.0.0")).await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(open.ends_with("# EOF\n"), "{open}");
    let version = env!("CARGO_PKG_VERSION");
    for text in [text, open] {
        for wanted in [
            format!("cdsw_gateway_build_info{{version=\"{version}\"}} 1\n"),
            "cdsw_gateway_attempts_total{job=\"retrain\",outcome=\"started\"} 1\n".to_owned(),
            "cdsw_gateway_config_loaded_seconds 1772366400".to_owned(),
            "\nprocess_resident_memory_bytes ".to_owned(),
            "\nprocess_cpu_seconds_total ".to_owned(),
        ] {
            assert!(text.contains(&wanted), "{wanted}{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_finds_no_fault_in_either_format_of_the_metrics() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    if Command::new("promtool").arg("--version").output().is_err() {
        return super::common::skip::skip("promtool");
    }
    let world = with(ROUTES, "", "").await;
    let id = push_of(&world, "one", "1").await;
    world.run_in(id, RunState::Started).await;
    for accept in ["text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0"] {
        let request = world.client.get(world.admin("/metrics")).header("accept", accept);
        let text = request.send().await.expect("an answer").text().await.expect("text");
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool starts");
        promtool.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
        let found = promtool.wait_with_output().expect("it ends");
        let words = String::from_utf8_lossy(&found.stderr);
        assert!(found.status.success(), "{accept}: {words}{text}");
    }
}
