//! What is not authentic, or authentic and not readable: refused, and kept nowhere.

use std::time::Duration;

use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::Outgoing;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::common::{PUSH, WEBHOOK_SECRET, World};
use super::{Wire, kept, world};

/// A request of the source that signs the time, signed so long before or after now.
fn signed_at(world: &World, id: &str, seconds: i64) -> reqwest::RequestBuilder {
    let plan = world.live.plan();
    let source = plan.sources.get("timed").expect("configured");
    let outgoing = Outgoing {
        method: &http::Method::POST,
        path: "/hooks/timed",
        event: "trained",
        body: PUSH.as_bytes(),
        access_token: None,
    };
    let time = world.clock.now() + SignedDuration::from_secs(seconds);
    let headers = source
        .provider
        .sign(&outgoing, &Secret::new(WEBHOOK_SECRET), &source.options, id, time)
        .expect("it signs");
    world.client.post(world.hook("timed")).headers(headers.headers.into_iter().collect()).body(PUSH)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_time_is_believed_for_five_minutes_in_both_directions() {
    let world = world("").await;
    for (seconds, status) in [(-301, 401), (-300, 202), (0, 202), (300, 202), (301, 401)] {
        let id = format!("at {seconds}");
        assert_eq!(world.send(signed_at(&world, &id, seconds)).await.0, status, "{seconds}");
    }
    assert_eq!(kept(&world).await.len(), 3);
    let refused = world.api(reqwest::Method::GET, "/api/refusals/timed", None).await.1;
    let reasons: Vec<&Value> =
        refused["refusals"].as_array().expect("a list").iter().map(|one| &one["reason"]).collect();
    assert_eq!(reasons, [&json!("future_timestamp"), &json!("stale_timestamp")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_recorded_is_stale_when_it_is_sent_again_later() {
    let world = world("").await;
    let recorded = signed_at(&world, "one", 0).build().expect("a request");
    let copy = recorded.try_clone().expect("a copy");
    world.clock.advance(Duration::from_secs(301));
    let answer = world.client.execute(copy).await.expect("an answer");
    assert_eq!(answer.status(), 401);
    assert_eq!(
        answer.json::<Value>().await.expect("JSON"),
        json!({ "error": "the request is not authentic" })
    );
    assert!(kept(&world).await.is_empty());
    // It was the time, and nothing else.
    assert_eq!(world.send(signed_at(&world, "one", 0)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_could_be_read_in_two_ways_are_refused() {
    let world = world("").await;
    let twice = [
        ("github", "x-github-event", "push"),
        ("github", "x-github-delivery", "another"),
        ("timed", "x-event", "another"),
        ("timed", "x-delivery", "another"),
        ("timed", "x-time", "1772366400"),
    ];
    for (source, header, value) in twice {
        let request = if source == "github" {
            world.github("push", "one", PUSH)
        } else {
            signed_at(&world, "one", 0)
        };
        let (status, answer) = world.send(request.header(header, value)).await;
        assert_eq!(status, 401, "{header}: {answer}");
        assert_eq!(answer, json!({ "error": "the request is not authentic" }), "{header}");
    }
    assert!(kept(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_looked_at_before_the_body_is() {
    let world = world("").await;
    let forged = world.signed("github", "push", "one", "not JSON", "canary-of-a-stranger");
    assert_eq!(world.send(forged).await.0, 401);
    let signed = world.signed("github", "push", "one", "not JSON", WEBHOOK_SECRET);
    assert_eq!(world.send(signed).await.0, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_authentic_and_cannot_be_read_is_named_and_kept_nowhere() {
    let world = world("").await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let form = "application/x-www-form-urlencoded";
    let cases: [(&[u8], &str, &str); 6] = [
        (deep.as_bytes(), "application/json", "line 1"),
        (b"{\"a\": \"\xf0\x28\"}", "application/json", "UTF-8"),
        (b"other=1", form, "line 1, column 1"),
        (b"payload=", form, "empty"),
        (b"payload=%7B%7D&payload=%7B%7D", form, "second field at byte 14"),
        (b"payload=%7B%22a%22%3A%22%FF%22%7D", form, "form field `payload`"),
    ];
    for (number, (body, content, says)) in cases.into_iter().enumerate() {
        let request = world.client.post(world.hook("github"));
        let request = request
            .header("content-type", content)
            .header("x-github-event", "push")
            .header("x-github-delivery", format!("bad-{number}"))
            .header("x-hub-signature-256", super::common::github_signature(body))
            .body(body.to_vec());
        let (status, answer) = world.send(request).await;
        assert_eq!(status, 400, "{says}: {answer}");
        let error = answer["error"].as_str().expect("words");
        assert!(error.contains(says), "case {number} wants `{says}`: {error}");
    }
    let without_event = world.client.post(world.hook("github")).body("{}");
    let without_event =
        without_event.header("x-hub-signature-256", super::common::github_signature(b"{}"));
    let (status, answer) = world.send(without_event).await;
    assert_eq!((status, &answer["error"]), (400, &json!("header `x-github-event` is missing")));
    assert!(kept(&world).await.is_empty());
    let database = rusqlite::Connection::open(world.site.path("gateway.db")).expect("opens");
    for table in ["deliveries", "claims", "runs"] {
        let rows: i64 = database
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .expect("read");
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_ends_before_its_announced_length_is_not_kept() {
    let world = world("").await;
    let mut wire = Wire::to(&world);
    wire.head("anyone", &["content-length: 100"]);
    wire.write(b"{}");
    wire.end();
    let rest = wire.rest();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 400 "), "{rest}");
    super::until(&world, "requests_in_flight", 0).await;
    assert!(kept(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_but_post_is_told_which_one_to_use() {
    let world = world("").await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "MKCOL"] {
        let method: reqwest::Method = method.parse().expect("a method");
        let request = world.client.request(method.clone(), world.hook("anyone")).body("{}");
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "POST", "{method}");
    }
    assert!(kept(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_captured_push_does_not_run_under_the_name_of_another_event() {
    let world = world("").await;
    let request = |event: &str| {
        world
            .client
            .post(world.hook("github"))
            .header("x-github-event", event)
            .header("x-github-delivery", format!("one-{event}"))
            .header("x-hub-signature-256", super::common::github_signature(PUSH.as_bytes()))
            .body(PUSH)
    };
    assert_eq!(world.send(request("push")).await.0, 202);
    let started = world.runs().await;
    for event in ["release", "pull_request", "create", "ping", "anything"] {
        let (status, answer) = world.send(request(event)).await;
        assert_eq!(status, 400, "{event}: {answer}");
        assert!(answer.to_string().contains("which is `push`"), "{answer}");
    }
    assert_eq!(world.runs().await, started);
}
