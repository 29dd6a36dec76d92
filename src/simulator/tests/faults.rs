//! Each fault, as a client sees it, and what is recorded of it.

use serde_json::json;

use super::*;

async fn reply_of(simulator: &Simulator) -> (u16, String) {
    let answer = start(simulator).await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

#[tokio::test]
async fn resets_leave_no_answer_and_differ_in_what_was_read_and_started() {
    for (fault, name, read, runs) in [
        (Fault::RefuseConnection, "refuse_connection", false, 0),
        (Fault::ResetBeforeRead, "reset_before_read", false, 0),
        (Fault::ResetAfterRead, "reset_after_read", true, 0),
        (Fault::StartedAnswerLost, "started_answer_lost", true, 1),
    ] {
        let simulator = with(fault).await;
        let (error, told) = failure(&simulator).await;
        assert!(error.is_request() && !error.is_timeout(), "{name}: {told}");
        assert_eq!(simulator.runs().len(), runs, "{name}");
        let entry = simulator.requests().pop().expect("remembered");
        assert_eq!((entry.fault.as_deref(), entry.status), (Some(name), None));
        assert_eq!((!entry.path.is_empty(), entry.key_known), (read, read), "{name}");
        assert_eq!(entry.engine_id.is_some(), runs == 1, "{name}");
        assert_eq!(start(&simulator).await.expect("an answer").status(), 200, "{name}");
    }
}

#[tokio::test]
async fn a_reset_is_a_reset_on_the_wire() {
    let simulator = with(Fault::ResetAfterRead).await;
    let mut stream = connect(&simulator).await;
    stream.write_all(raw_start("", "").as_bytes()).await.expect("written");
    let error = stream.read(&mut [0; 16]).await.expect_err("a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_reset_before_reading_also_befalls_a_connection_that_was_used_before() {
    let simulator = simulator().await;
    let mut stream = connect(&simulator).await;
    stream.write_all(raw_start("", "").as_bytes()).await.expect("written");
    read_until(&mut stream, "\r\n0\r\n\r\n").await;
    simulator.add_fault(FaultRule::once(Fault::ResetBeforeRead));
    stream.write_all(raw_start("", "").as_bytes()).await.expect("written");
    let error = stream.read(&mut [0; 16]).await.expect_err("a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(simulator.runs().len(), 1);
}

#[tokio::test]
async fn a_closed_port_refuses_connections_and_opens_again() {
    let simulator = simulator().await;
    let mut idle = connect(&simulator).await;
    idle.write_all(raw_start("", "").as_bytes()).await.expect("written");
    read_until(&mut idle, "\r\n0\r\n\r\n").await;
    for _ in 0..3 {
        simulator.stop_listening().await;
        let (error, told) = failure(&simulator).await;
        assert!(error.is_connect() && told.contains("ConnectionRefused"), "{told}");
        simulator.listen_again().await;
        assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
    }
    assert_eq!(idle.read(&mut [0; 16]).await.expect("an orderly end"), 0);
}

#[tokio::test]
async fn a_closed_port_is_kept_from_others() {
    let simulator = simulator().await;
    simulator.stop_listening().await;
    let other = tokio::net::TcpListener::bind(simulator.api_addr()).await;
    assert_eq!(other.expect_err("taken").kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_held_answer_comes_when_it_is_let_go() {
    let simulator = with(Fault::HoldAnswer).await;
    let (answer, ()) = tokio::join!(start(&simulator), async {
        simulator.wait_for_requests(1).await;
        assert_eq!(simulator.runs().len(), 1);
        simulator.release_held();
    });
    assert_eq!(answer.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_request_that_is_never_answered_ends_without_one() {
    let simulator = with(Fault::NeverAnswer).await;
    let ((error, told), ()) = tokio::join!(failure(&simulator), async {
        simulator.wait_for_requests(1).await;
        simulator.release_held();
    });
    assert!(error.is_request(), "{told}");
    let entry = &simulator.requests()[0];
    assert_eq!((entry.status, entry.engine_id.as_ref()), (None, None));
}

#[tokio::test]
async fn a_client_that_gives_up_waiting_leaves_what_was_started() {
    for (fault, runs) in
        [(Fault::SlowHead { millis: 60_000 }, 1), (Fault::HoldAnswer, 1), (Fault::NeverAnswer, 0)]
    {
        let simulator = with(fault).await;
        tokio::select! {
            answer = start(&simulator) => panic!("{answer:?}"),
            () = simulator.wait_for_requests(1) => {}
        }
        assert_eq!(simulator.runs().len(), runs);
    }
}

#[tokio::test]
async fn slow_answers_within_a_clients_patience_are_whole() {
    for fault in [Fault::SlowHead { millis: 1 }, Fault::Trickle { millis: 1 }] {
        let simulator = with(fault).await;
        let reply: Value = start(&simulator).await.expect("a head").json().await.expect("JSON");
        assert_eq!(reply["engine_id"], simulator.runs()[0].engine_id.as_str());
    }
}

#[tokio::test]
async fn a_trickled_body_comes_after_a_whole_head() {
    let simulator = with(Fault::Trickle { millis: 60_000 }).await;
    let mut stream = connect(&simulator).await;
    stream.write_all(raw_start("", "").as_bytes()).await.expect("written");
    let text = read_until(&mut stream, "\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(!text.contains("engine_id"), "{text}");
}

#[tokio::test]
async fn a_truncated_answer_has_a_good_head_and_no_end() {
    let simulator = with(Fault::Truncated).await;
    let answer = start(&simulator).await.expect("a head");
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());
    assert_eq!(simulator.runs().len(), 1);
}

#[tokio::test]
async fn a_huge_body_is_as_long_as_told() {
    let simulator = with(Fault::HugeBody { bytes: 100_000_000 }).await;
    let mut answer = start(&simulator).await.expect("a head");
    assert_eq!(answer.content_length(), Some(100_000_000));
    let mut length = 0;
    while let Some(part) = answer.chunk().await.expect("a part") {
        length += part.len();
    }
    assert_eq!(length, 100_000_000);
}

#[tokio::test]
async fn any_status_comes_as_json_or_as_the_page_of_a_proxy() {
    let simulator = simulator().await;
    for status in [301, 400, 403, 404, 409, 413, 422, 429, 500, 501, 502, 503, 504, 599] {
        simulator.add_fault(FaultRule::once(Fault::status(status)));
        simulator.add_fault(FaultRule::once(Fault::reply(status, Page::Html)));
        let (seen, body) = reply_of(&simulator).await;
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((seen, body["message"].is_string()), (status, true));
        let (seen, body) = reply_of(&simulator).await;
        assert_eq!((seen, body.contains("<center>nginx</center>")), (status, true));
    }
    assert_eq!(simulator.runs(), []);
}

#[tokio::test]
async fn headers_are_added_or_take_the_usual_ones_place() {
    let simulator = simulator().await;
    for value in ["7", "Sun, 06 Nov 1994 08:49:37 GMT", "in a while"] {
        simulator.add_fault(FaultRule::once(Fault::busy_503().with_header("Retry-After", value)));
        let answer = start(&simulator).await.expect("an answer");
        assert_eq!(answer.headers()["retry-after"], value);
    }
    let there = "https://elsewhere.invalid/";
    let fault = Fault::status(307).with_header("Location", there);
    simulator.add_fault(FaultRule::once(fault.with_header("content-type", "text/plain")));
    let answer = start(&simulator).await.expect("an answer");
    assert_eq!(answer.headers()["location"], there);
    let kinds: Vec<_> = answer.headers().get_all("content-type").iter().collect();
    assert_eq!(kinds, ["text/plain"]);
}

#[tokio::test]
async fn replies_of_200_without_an_engine_are_as_told_and_start_nothing() {
    let simulator = simulator().await;
    for (page, body) in [
        (Page::Json("{}".to_owned()), "{}"),
        (Page::Json(r#"{"engine_id":208}"#.to_owned()), r#"{"engine_id":208}"#),
        (Page::Empty, ""),
    ] {
        simulator.add_fault(FaultRule::once(Fault::reply(200, page)));
        assert_eq!(reply_of(&simulator).await, (200, body.to_owned()));
    }
    simulator.add_fault(FaultRule::once(Fault::skipped()));
    let (status, body) = reply_of(&simulator).await;
    assert_eq!((status, body.contains("ENGINE_SKIPPED")), (200, true));
    simulator.add_fault(FaultRule::once(Fault::already_active(208)));
    let (status, body) = reply_of(&simulator).await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let wanted = json!({ "message": "job run for job 208 already active", "code": 9 });
    assert_eq!((status, body), (400, wanted));
    assert_eq!(simulator.runs(), []);
}

#[tokio::test]
async fn a_reply_that_names_the_engine_comes_with_a_run() {
    let simulator = simulator().await;
    let text = r#"{"engine_id":"{engine_id}","more":{"a":[]}}"#.to_owned();
    for (status, page) in [
        (200, Page::Json(text.clone())),
        (201, Page::Json(text.clone())),
        (202, Page::Json(text)),
        (200, Page::Gzip),
    ] {
        simulator.add_fault(FaultRule::once(Fault::reply(status, page)));
        let (seen, body) = reply_of(&simulator).await;
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let run = simulator.runs().pop().expect("a run");
        assert_eq!((seen, &body["engine_id"]), (status, &Value::from(run.engine_id)));
    }
    assert_eq!(simulator.runs().len(), 4);
}

#[tokio::test]
async fn gzip_is_said_to_be_gzip() {
    let simulator = with(Fault::reply(200, Page::Gzip)).await;
    let text = raw_start("Connection: close\r\n", "");
    let mut stream = connect(&simulator).await;
    stream.write_all(text.as_bytes()).await.expect("written");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("read");
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("\r\nContent-Encoding: gzip\r\n"), "{text}");
    assert!(bytes.windows(3).any(|part| part == [0x1f, 0x8b, 8]));
}

#[tokio::test]
async fn a_run_may_be_started_whatever_is_answered() {
    let simulator = simulator().await;
    for fault in [Fault::reply(502, Page::Html), Fault::reply(204, Page::Empty)] {
        simulator.add_fault(FaultRule::once(fault.with_run_started()));
        let answer = start(&simulator).await.expect("an answer");
        let entry = simulator.requests().pop().expect("remembered");
        assert_eq!(entry.status, Some(answer.status().as_u16()));
        assert_eq!(entry.engine_id, simulator.runs().pop().map(|run| run.engine_id));
    }
    assert_eq!(simulator.runs().len(), 2);
}

#[tokio::test]
async fn a_204_has_no_body_and_the_connection_goes_on() {
    let simulator = with(Fault::status(204)).await;
    let text = format!("{}{}", raw_start("", ""), raw_start("Connection: close\r\n", ""));
    let text = answers(&simulator, text.as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 204 No Content\r\n"), "{text}");
    assert!(text.contains("\r\n\r\nHTTP/1.1 200 OK\r\n"), "{text}");
}

#[tokio::test]
async fn faults_happen_in_their_order_and_as_often_as_told() {
    let simulator = simulator().await;
    simulator.add_fault(FaultRule { times: Some(2), ..FaultRule::always(Fault::status(429)) });
    simulator.add_fault(FaultRule { times: Some(0), ..FaultRule::always(Fault::status(418)) });
    simulator.add_fault(FaultRule::always(Fault::busy_503()));
    for wanted in [429, 429, 503, 503, 503] {
        assert_eq!(reply_of(&simulator).await.0, wanted);
    }
    simulator.clear_faults();
    assert_eq!(reply_of(&simulator).await.0, 200);
}

#[tokio::test]
async fn a_fault_for_one_job_spares_the_others() {
    let mut options = options();
    options.add_job(job(209));
    let simulator = Simulator::start(options).await.expect("starts");
    for fault in [Fault::busy_503(), Fault::ResetBeforeRead] {
        simulator.add_fault(FaultRule::once_for_job(JOB, fault));
        let other = status(&simulator, KEY, "alice/risk-analysis/jobs/209", "").await;
        assert_eq!(other, 200);
        assert_ne!(start(&simulator).await.ok().map(|answer| answer.status().as_u16()), Some(200));
        assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
    }
}

#[tokio::test]
async fn a_fault_spares_requests_that_are_not_in_order() {
    let simulator = with(Fault::busy_503()).await;
    assert_eq!(status(&simulator, "wrong", PATH, "{}").await, 401);
    assert_eq!(status(&simulator, KEY, PATH, "{").await, 400);
    assert_eq!(simulator.faults().len(), 1);
    assert_eq!(status(&simulator, KEY, PATH, "{}").await, 503);
    assert_eq!(simulator.faults(), []);
}

#[tokio::test]
async fn chance_follows_from_the_seed() {
    let statuses = |seed| async move {
        let mut options = options();
        options.seed = seed;
        let simulator = Simulator::start(options).await.expect("starts");
        let rule = FaultRule { probability: Some(0.5), ..FaultRule::always(Fault::busy_503()) };
        simulator.add_fault(rule);
        let mut seen = Vec::new();
        for _ in 0..32 {
            seen.push(reply_of(&simulator).await.0);
        }
        seen
    };
    let first = statuses(3).await;
    assert!(first.contains(&200) && first.contains(&503), "{first:?}");
    assert_eq!(first, statuses(3).await);
    assert_ne!(first, statuses(4).await);
}

#[tokio::test]
async fn a_delayed_fault_is_remembered_before_it_is_felt() {
    let simulator = simulator().await;
    let rule = FaultRule {
        delay_millis: Some(60_000),
        ..FaultRule::once(Fault::status(502).with_run_started())
    };
    simulator.add_fault(rule);
    let mut stream = connect(&simulator).await;
    stream.write_all(raw_start("", "").as_bytes()).await.expect("written");
    simulator.wait_for_requests(1).await;
    assert_eq!(simulator.runs().len(), 1);
    let mut byte = [0];
    assert!(
        stream
            .try_read(&mut byte)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    );
    simulator.add_fault(FaultRule { delay_millis: Some(1), ..FaultRule::once(Fault::busy_503()) });
    assert_eq!(reply_of(&simulator).await.0, 503);
}

#[test]
fn faults_are_written_in_snake_case_and_read_back() {
    let rule = FaultRule {
        probability: Some(0.5),
        delay_millis: Some(5),
        ..FaultRule::once_for_job(JOB, Fault::busy_503().with_header("Retry-After", "7"))
    };
    let written = serde_json::to_value(&rule).expect("JSON");
    let reply = json!({
        "status": 503, "page": "message", "headers": { "Retry-After": "7" }, "started_anyway": false
    });
    let wanted = json!({
        "fault": { "reply": reply }, "times": 1, "probability": 0.5, "job": JOB, "delay_millis": 5
    });
    assert_eq!(written, wanted);
    assert_eq!(serde_json::from_value::<FaultRule>(written).expect("a rule"), rule);
}

#[test]
fn a_faults_name_is_the_one_that_it_is_written_with() {
    let reply = Fault::busy_503();
    for fault in [
        Fault::RefuseConnection,
        Fault::ResetBeforeRead,
        Fault::ResetAfterRead,
        Fault::StartedAnswerLost,
        Fault::NeverAnswer,
        Fault::HoldAnswer,
        Fault::SlowHead { millis: 1 },
        Fault::Trickle { millis: 1 },
        Fault::Truncated,
        Fault::HugeBody { bytes: 1 },
        reply,
    ] {
        let name = match serde_json::to_value(&fault).expect("JSON") {
            Value::String(name) => name,
            Value::Object(fields) => fields.keys().next().expect("a name").clone(),
            other => panic!("{other}"),
        };
        assert_eq!(name, fault.name());
    }
}
