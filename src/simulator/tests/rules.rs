//! What a workbench does when nothing goes wrong.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_start_in_order_names_an_engine_and_is_recorded() {
    let simulator = simulator().await;
    let body = r#"{"environment":{"START_DATE":"2017-01-01","END_DATE":"2017-01-31"}}"#;
    let answer = start_with(&simulator, KEY, PATH, body).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    assert_eq!(answer.headers()["transfer-encoding"], "chunked");
    assert!(answer.headers().get("content-length").is_none());
    let reply: Value = answer.json().await.expect("JSON");
    let runs = simulator.runs();
    assert_eq!(reply, json!({ "engine_id": runs[0].engine_id }));
    assert_eq!((runs.len(), runs[0].job.as_str()), (1, JOB));
    assert_eq!(runs[0].environment["START_DATE"], "2017-01-01");
    let entry = &simulator.requests()[0];
    assert_eq!((entry.number, entry.status, entry.key_known), (1, Some(200), true));
    assert_eq!(entry.path, format!("/api/v1/projects/{PATH}/start"));
    assert_eq!(entry.engine_id.as_ref(), Some(&runs[0].engine_id));
    assert_eq!(entry.environment, runs[0].environment);
}

#[tokio::test]
async fn checks_come_in_the_order_key_type_body_job() {
    let simulator = simulator().await;
    let untyped = |key: &'static str| {
        client()
            .post(start_url(&simulator, "nobody/nothing/jobs/1"))
            .basic_auth(key, Some(""))
            .body("{")
            .send()
    };
    assert_eq!(untyped("wrong").await.expect("an answer").status(), 401);
    assert_eq!(untyped(KEY).await.expect("an answer").status(), 415);
    assert_eq!(status(&simulator, KEY, "nobody/nothing/jobs/1", "{").await, 400);
    for path in ["nobody/nothing/jobs/1", "alice/nothing/jobs/208", "alice/risk-analysis/jobs/209"]
    {
        assert_eq!(status(&simulator, KEY, path, "{}").await, 404, "{path}");
    }
    assert_eq!(status(&simulator, KEY, "alice/risk-analysis/jobs/first", "{").await, 400);
    assert_eq!(status(&simulator, KEY, "alice/risk-analysis/jobs/first", "{}").await, 404);
    assert_eq!(simulator.runs(), []);
    assert!(simulator.requests().iter().all(|entry| entry.engine_id.is_none()));
}

#[tokio::test]
async fn a_refusal_is_json_with_a_message() {
    let simulator = simulator().await;
    let answer = start_with(&simulator, "wrong", PATH, "{}").await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    let reply: Value = answer.json().await.expect("JSON");
    assert!(reply["message"].is_string(), "{reply}");
}

#[tokio::test]
async fn a_body_is_blank_or_an_object_whose_environment_is_text() {
    let simulator = simulator().await;
    for body in ["", " \r\n", "{}", r#"{"environment":{}}"#, r#"{"environment":{"A":"1"},"x":2}"#] {
        assert_eq!(status(&simulator, KEY, PATH, body).await, 200, "{body}");
    }
    for body in [
        "{",
        "[]",
        "null",
        r#""text""#,
        r#"{"environment":null}"#,
        r#"{"environment":["A"]}"#,
        r#"{"environment":{"N":1}}"#,
        r#"{"environment":{"N":null}}"#,
    ] {
        assert_eq!(status(&simulator, KEY, PATH, body).await, 400, "{body}");
    }
}

#[tokio::test]
async fn each_strictness_can_be_switched_off() {
    let mut options = options();
    options.strict_content_type = false;
    options.strict_json = false;
    options.strict_values = false;
    let simulator = Simulator::start(options).await.expect("starts");
    let untyped = client().post(start_url(&simulator, PATH)).basic_auth(KEY, Some("")).send().await;
    assert_eq!(untyped.expect("an answer").status(), 200);
    assert_eq!(status(&simulator, KEY, PATH, "{").await, 200);
    let numbers = r#"{"environment":{"N":1,"M":{"a":[]}}}"#;
    assert_eq!(status(&simulator, KEY, PATH, numbers).await, 200);
    let run = simulator.runs().pop().expect("a run");
    assert_eq!(
        (run.environment["N"].as_str(), run.environment["M"].as_str()),
        ("1", r#"{"a":[]}"#)
    );
}

#[tokio::test]
async fn a_key_comes_alone_and_a_name_with_its_password() {
    let mut options = options();
    options.users = vec![SimulatedUser::new("alice", KEY).with_password("her password")];
    let simulator = Simulator::start(options).await.expect("starts");
    for (user, password, wanted) in [
        (KEY, "", 200),
        ("alice", "her password", 200),
        ("alice", "", 401),
        ("", "", 401),
        (KEY, "her password", 401),
        (KEY, KEY, 401),
        ("her password", "", 401),
        ("bob", "her password", 401),
    ] {
        let request = client().post(start_url(&simulator, PATH)).basic_auth(user, Some(password));
        let answer = request.header("content-type", "application/json").send().await;
        assert_eq!(answer.expect("an answer").status(), wanted, "{user:?} {password:?}");
    }
    let digests: Vec<String> =
        simulator.requests().into_iter().map(|entry| entry.key_digest).collect();
    assert!(digests[0] != digests[1] && digests[0] != digests[4], "{digests:?}");
}

#[tokio::test]
async fn later_variables_take_the_place_of_earlier_ones() {
    let mut options = options();
    let give = |variables: &mut Variables, names: &str, value: &str| {
        variables.extend(names.chars().map(|name| (name.to_string(), value.to_owned())));
    };
    give(&mut options.site, "ABCD", "site");
    give(&mut options.projects[0].environment, "BCD", "project");
    give(&mut options.jobs[0].environment, "CD", "job");
    let simulator = Simulator::start(options).await.expect("starts");
    let body = r#"{"environment":{"D":"request"}}"#;
    assert_eq!(status(&simulator, KEY, PATH, body).await, 200);
    let merged: Vec<String> = simulator.runs()[0].environment.values().cloned().collect();
    assert_eq!(merged, ["site", "project", "job", "request"]);
    let entry = &simulator.requests()[0];
    assert_eq!(entry.merged, simulator.runs()[0].environment);
    assert_eq!(entry.environment.len(), 1);
}

#[tokio::test]
async fn reserved_names_are_flagged_but_for_those_that_the_gateway_sets() {
    let simulator = simulator().await;
    let body = r#"{"environment":{"LD_PRELOAD":"x","path":"p","GIT_SHA":"s",
        "GATEWAY_RUN_ID":"r","GATEWAY_DELIVERY_ID":"d","GATEWAY_OTHER":"o"}}"#;
    assert_eq!(status(&simulator, KEY, PATH, body).await, 200);
    assert_eq!(simulator.requests()[0].reserved, ["GATEWAY_OTHER", "LD_PRELOAD", "path"]);
}

#[tokio::test]
async fn the_pages_for_probes_ask_for_no_key() {
    let simulator = simulator().await;
    let api = simulator.api_url();
    let get = |path: &str| client().get(format!("{api}{path}")).send();
    let greeting = get("/api/v1").await.expect("an answer");
    assert_eq!(greeting.status(), 200);
    assert_eq!(greeting.text().await.expect("text"), "Sense API v1");
    assert_eq!(get("/internal/load-balancer/health-ping").await.expect("an answer").status(), 200);
    assert_eq!(get(&format!("/api/v1/projects/{PATH}")).await.expect("an answer").status(), 401);
}

#[tokio::test]
async fn a_job_tells_of_its_latest_run() {
    let mut options = options();
    options.jobs[0].status = Some("running".to_owned());
    let simulator = Simulator::start(options).await.expect("starts");
    let url = format!("{}/api/v1/projects/{PATH}", simulator.api_url());
    let look = || async {
        let answer = client().get(&url).basic_auth(KEY, Some("")).send().await.expect("an answer");
        answer.json::<Value>().await.expect("JSON")
    };
    assert_eq!(look().await, json!({ "id": 208, "latest": null }));
    start(&simulator).await.expect("an answer");
    let engine_id = simulator.runs()[0].engine_id.clone();
    let environment = &simulator.runs()[0].environment;
    let latest = json!({ "engine_id": engine_id, "status": "running", "environment": environment });
    assert_eq!(look().await, json!({ "id": 208, "latest": latest }));
    let unknown = client().get(url.replace("208", "9")).basic_auth(KEY, Some("")).send().await;
    assert_eq!(unknown.expect("an answer").status(), 404);
}

#[tokio::test]
async fn names_are_compared_as_they_were_before_they_were_escaped() {
    let (owner, project) = ("alice".to_owned(), "risk 50%".to_owned());
    let target = Target::V1 { owner, project, number: 1 };
    let simulator = Simulator::start(SimulatorOptions::single(KEY, target)).await;
    let simulator = simulator.expect("starts");
    assert_eq!(status(&simulator, KEY, "alice/risk%2050%25/jobs/1", "").await, 200);
    for path in ["alice/risk%2050%/jobs/1", "alice/risk%2/jobs/1", "alice/%ff/jobs/1"] {
        assert_eq!(status(&simulator, KEY, path, "").await, 404, "{path}");
    }
}

#[tokio::test]
async fn time_comes_from_the_options_and_without_a_clock_there_is_no_date() {
    let without = start(&simulator().await).await.expect("an answer");
    assert!(without.headers().get("date").is_none());
    let mut options = options();
    let moment: Timestamp = "2017-07-10T12:00:00Z".parse().expect("a time");
    options.now = Arc::new(move || moment);
    let simulator = Simulator::start(options).await.expect("starts");
    let answer = start(&simulator).await.expect("an answer");
    assert_eq!(answer.headers()["date"], "Mon, 10 Jul 2017 12:00:00 GMT");
    assert_eq!(simulator.requests()[0].at, moment);
}

#[tokio::test]
async fn engine_ids_follow_from_the_seed_and_a_count() {
    let ids = |seed| async move {
        let mut options = options();
        options.seed = seed;
        let simulator = Simulator::start(options).await.expect("starts");
        for _ in 0..3 {
            start(&simulator).await.expect("an answer");
        }
        simulator.runs().into_iter().map(|run| run.engine_id).collect::<Vec<_>>()
    };
    let first = ids(7).await;
    assert_eq!(first, ids(7).await);
    assert!(ids(8).await.iter().all(|id| !first.contains(id)));
}

#[tokio::test]
async fn no_key_and_no_password_is_ever_written_down() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("simulator.jsonl");
    let mut options = options();
    options.log_file = Some(file.clone());
    options.users.push(SimulatedUser::new("bob", "bobs-key").with_password("bobs-password"));
    let debug = format!("{:?}", options.users);
    let simulator = Simulator::start(options).await.expect("starts");
    start(&simulator).await.expect("an answer");
    start_with(&simulator, "canary-wrong-key", PATH, "{}").await.expect("an answer");
    let request = client().post(start_url(&simulator, PATH));
    request.basic_auth("bob", Some("bobs-password")).send().await.expect("an answer");
    let entries = simulator.requests();
    assert_eq!(entries[0].key_digest, digest(KEY));
    let shown: String = entries.iter().map(|entry| format!("{entry}\n{entry:?}\n")).collect();
    let log = client().get(format!("{}/requests", simulator.control_url())).send().await;
    let log = log.expect("an answer").text().await.expect("text");
    let written = std::fs::read_to_string(file).expect("a log file");
    assert_eq!(written.lines().count(), 3);
    for text in [debug, shown, log, written] {
        for secret in [KEY, "bobs-key", "bobs-password", "canary-wrong-key", &AUTHORIZATION[6..]] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

fn digest(key: &str) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(key))[..12].to_owned()
}

#[tokio::test]
async fn a_log_file_is_appended_to_and_reads_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("simulator.jsonl");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let mut options = options();
        options.log_file = Some(file.clone());
        let simulator = Simulator::start(options).await.expect("starts");
        start(&simulator).await.expect("an answer");
        seen.extend(simulator.requests());
        simulator.shutdown().await;
    }
    let written = std::fs::read_to_string(file).expect("a log file");
    let written: Vec<LogEntry> =
        written.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect();
    assert_eq!(written, seen);
}

#[tokio::test]
async fn the_oldest_requests_and_runs_give_way() {
    let mut options = options();
    options.remembered = 2;
    let simulator = Simulator::start(options).await.expect("starts");
    for _ in 0..5 {
        start(&simulator).await.expect("an answer");
    }
    let numbers: Vec<u64> = simulator.requests().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [4, 5]);
    assert_eq!(simulator.requests_after(4).len(), 1);
    assert_eq!(simulator.requests_after(u64::MAX).len(), 0);
    assert_eq!(simulator.runs().len(), 2);
}

#[tokio::test]
async fn an_entry_is_one_line_for_people() {
    let simulator = with(Fault::busy_503().with_run_started()).await;
    let long = "x".repeat(1000);
    let body = json!({ "environment": { "NOTE": "a\nb", "PATH": long } }).to_string();
    start_with(&simulator, KEY, PATH, &body).await.expect("an answer");
    let entry = &simulator.requests()[0];
    let engine_id = entry.engine_id.as_deref().expect("an engine");
    let line = format!(
        "   1  1970-01-01T00:00:00Z  503  POST /api/v1/projects/{PATH}/start  engine {engine_id}  \
         fault reply  reserved PATH  NOTE=\"a\\nb\"  PATH=\"{}\"…",
        "x".repeat(60)
    );
    assert_eq!(entry.to_string(), line);
}

#[tokio::test]
async fn what_cannot_be_listened_on_or_written_to_is_named() {
    let simulator = simulator().await;
    let mut taken = options();
    taken.listen = simulator.api_addr();
    let error = Simulator::start(taken).await.err().expect("taken").to_string();
    assert!(error.contains(&simulator.api_addr().to_string()), "{error}");
    let mut nowhere = options();
    nowhere.log_file = Some("/nonexistent/simulator.jsonl".into());
    let error = Simulator::start(nowhere).await.err().expect("nowhere").to_string();
    assert!(error.contains("/nonexistent/simulator.jsonl"), "{error}");
}
