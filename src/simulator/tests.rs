//! The stand-in behaves as the vendor's page says, and goes wrong as told.

use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::{Client, Response};

use super::*;

const KEY: &str = "uysgxtj7jzkps96njextnxxmq05usp0b";
const JOB: &str = "alice/risk-analysis/208";

async fn simulator() -> Simulator {
    Simulator::start(SimulatorOptions::single(KEY, "alice/risk-analysis", 208))
        .await
        .expect("starts on loopback")
}

fn client() -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .gzip(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client")
}

async fn start_with(
    simulator: &Simulator,
    key: &str,
    path: &str,
    body: &str,
) -> reqwest::Result<Response> {
    client()
        .post(format!("{}/api/v1/projects/{path}/start", simulator.api_url()))
        .basic_auth(key, Some(""))
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await
}

async fn start(simulator: &Simulator) -> reqwest::Result<Response> {
    start_with(simulator, KEY, "alice/risk-analysis/jobs/208", "{}").await
}

#[tokio::test]
async fn a_start_in_order_names_an_engine_and_is_recorded() {
    let simulator = simulator().await;
    let body = r#"{"environment":{"START_DATE":"2017-01-01"}}"#;
    let answer = start_with(&simulator, KEY, "alice/risk-analysis/jobs/208", body).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["transfer-encoding"], "chunked");
    let reply: serde_json::Value = answer.json().await.expect("JSON");
    let runs = simulator.runs();
    assert_eq!(reply["engine_id"], runs[0].engine_id.as_str());
    assert_eq!(runs[0].engine_id.len(), 16);
    assert_eq!(runs[0].environment["START_DATE"], "2017-01-01");
    assert_eq!(simulator.requests()[0].engine_id.as_ref(), Some(&runs[0].engine_id));
}

#[tokio::test]
async fn checks_come_in_the_order_key_type_body_job() {
    let simulator = simulator().await;
    let status = |key: &'static str, path: &'static str, body: &'static str| {
        let simulator = &simulator;
        async move { start_with(simulator, key, path, body).await.expect("an answer").status().as_u16() }
    };
    assert_eq!(status("wrong", "nobody/nothing/jobs/1", "{").await, 401);
    assert_eq!(status(KEY, "nobody/nothing/jobs/1", "{").await, 400);
    assert_eq!(status(KEY, "nobody/nothing/jobs/1", "{}").await, 404);
    let number = r#"{"environment":{"N":1}}"#;
    assert_eq!(status(KEY, "alice/risk-analysis/jobs/208", number).await, 400);
    assert_eq!(status(KEY, "alice/risk-analysis/jobs/209", "").await, 404);
    assert_eq!(status(KEY, "alice/risk-analysis/jobs/208", "").await, 200);
    let without_type = client()
        .post(format!("{}/api/v1/projects/alice/risk-analysis/jobs/208/start", simulator.api_url()))
        .basic_auth(KEY, Some(""))
        .send()
        .await
        .expect("an answer");
    assert_eq!(without_type.status(), 415);
}

#[tokio::test]
async fn the_log_knows_keys_by_digest_and_flags_reserved_names() {
    let simulator = simulator().await;
    let body = r#"{"environment":{"LD_PRELOAD":"x","GATEWAY_RUN_ID":"y"}}"#;
    start_with(&simulator, KEY, "alice/risk-analysis/jobs/208", body).await.expect("an answer");
    let entry = &simulator.requests()[0];
    assert_eq!(entry.reserved, ["LD_PRELOAD"]);
    assert_eq!(entry.key_digest.len(), 12);
    let written = serde_json::to_string(&simulator.requests()).expect("JSON");
    assert!(!written.contains(KEY) && !format!("{entry}").contains(KEY));
}

#[tokio::test]
async fn a_request_beats_job_and_project_variables() {
    let mut options = SimulatorOptions::single(KEY, "alice/risk-analysis", 208);
    for (name, value) in [("A", "project"), ("B", "project"), ("C", "project")] {
        options.projects[0].environment.insert(name.to_owned(), value.to_owned());
    }
    options.jobs[0].environment.insert("B".to_owned(), "job".to_owned());
    options.jobs[0].environment.insert("C".to_owned(), "job".to_owned());
    let simulator = Simulator::start(options).await.expect("starts");
    let body = r#"{"environment":{"C":"request"}}"#;
    start_with(&simulator, KEY, "alice/risk-analysis/jobs/208", body).await.expect("an answer");
    let merged: Vec<String> = simulator.runs()[0].environment.values().cloned().collect();
    assert_eq!(merged, ["project", "job", "request"]);
}

#[tokio::test]
async fn resets_happen_before_after_and_with_the_run_started() {
    let simulator = simulator().await;
    for (fault, runs) in
        [(Fault::ResetBeforeRead, 0), (Fault::ResetAfterRead, 0), (Fault::StartedAnswerLost, 1)]
    {
        simulator.add_fault(FaultRule::once(fault));
        assert!(start(&simulator).await.is_err());
        assert_eq!(simulator.runs().len(), runs);
    }
    assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn replies_are_as_told() {
    let simulator = simulator().await;
    simulator.add_fault(FaultRule::once(Fault::reply(502, Page::Html)));
    let answer = start(&simulator).await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.expect("text").contains("nginx")),
        (502, true)
    );

    simulator.add_fault(FaultRule::once(Fault::busy_503().with_header("Retry-After", "7")));
    let answer = start(&simulator).await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (503, &"7".parse().expect("a value"))
    );

    simulator.add_fault(FaultRule::once(Fault::reply(200, Page::Gzip)));
    let answer: serde_json::Value =
        start(&simulator).await.expect("an answer").json().await.expect("gzip");
    assert_eq!(answer["engine_id"], simulator.runs()[0].engine_id.as_str());

    simulator.add_fault(FaultRule::once(Fault::Truncated));
    assert!(start(&simulator).await.expect("a head").bytes().await.is_err());

    simulator.add_fault(FaultRule::once(Fault::reply(204, Page::Empty)));
    assert_eq!(start(&simulator).await.expect("an answer").status(), 204);
}

#[tokio::test]
async fn a_fault_for_one_job_spares_the_others() {
    let mut options = SimulatorOptions::single(KEY, "alice/risk-analysis", 208);
    options.add_job("alice/risk-analysis", 209);
    let simulator = Simulator::start(options).await.expect("starts");
    simulator.add_fault(FaultRule::once_for_job(JOB, Fault::busy_503()));
    let other = start_with(&simulator, KEY, "alice/risk-analysis/jobs/209", "").await;
    assert_eq!(other.expect("an answer").status(), 200);
    assert_eq!(start(&simulator).await.expect("an answer").status(), 503);
    assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_held_answer_comes_when_it_is_let_go() {
    let simulator = simulator().await;
    simulator.add_fault(FaultRule::once(Fault::HoldAnswer));
    let (answer, ()) = tokio::join!(start(&simulator), async {
        simulator.wait_for_requests(1).await;
        assert_eq!(simulator.runs().len(), 1);
        simulator.release_held();
    });
    assert_eq!(answer.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_closed_port_refuses_connections_and_opens_again() {
    let simulator = simulator().await;
    simulator.set_listening(false);
    while TcpStream::connect(simulator.api).is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(start(&simulator).await.expect_err("refused").is_connect());
    simulator.set_listening(true);
    while TcpStream::connect(simulator.api).is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_the_wire_harms_nobody() {
    let simulator = simulator().await;
    let mut stream = TcpStream::connect(simulator.api).expect("connects");
    stream.write_all(b"\x16\x03\x01 this is TLS, perhaps\r\n\r\n").expect("writes");
    stream.shutdown(std::net::Shutdown::Write).expect("no more");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn the_control_api_seeds_breaks_and_tells() {
    let simulator = simulator().await;
    let control = simulator.control_url();
    let seed = serde_json::json!({
        "users": [{ "name": "bob", "key": "bobs-key" }],
        "projects": [{ "name": "bob/churn" }],
        "jobs": [{ "project": "bob/churn", "id": 7 }],
    });
    let posted = client().post(format!("{control}/seed")).json(&seed).send().await.expect("sent");
    assert_eq!(posted.status(), 204);
    let rules = serde_json::json!([{ "fault": { "reply": { "status": 429 } }, "times": 1 }]);
    client().post(format!("{control}/faults")).json(&rules).send().await.expect("sent");
    let path = "bob/churn/jobs/7";
    assert_eq!(start_with(&simulator, "bobs-key", path, "").await.expect("sent").status(), 429);
    assert_eq!(start_with(&simulator, "bobs-key", path, "").await.expect("sent").status(), 200);
    let log: Vec<LogEntry> = client()
        .get(format!("{control}/requests?after=1"))
        .send()
        .await
        .expect("sent")
        .json()
        .await
        .expect("JSON");
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].path, "/api/v1/projects/bob/churn/jobs/7/start");
}
