//! What people see of it: the last refusals of each source, and numbers.

use std::fmt::Write as _;

use reqwest::Method;
use serde_json::{Value, json};

use super::common::{PUSH, World};
use super::world;

const FORGED: &str = "sha256=canary5c1e6d4f0000000000000000000000000000000000000000000000000000";

async fn refusals(world: &World, source: &str) -> Vec<Value> {
    let (status, answer) = world.api(Method::GET, &format!("/api/refusals/{source}"), None).await;
    assert_eq!(status, 200, "{answer}");
    answer["refusals"].as_array().expect("a list").clone()
}

fn forged(world: &World, source: &str, id: &str) -> reqwest::RequestBuilder {
    world
        .client
        .post(world.hook(source))
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", FORGED)
        .body("canary-of-a-body")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_names_the_headers_and_shows_none_of_their_values() {
    let world = world("").await;
    assert_eq!(refusals(&world, "github").await, Vec::<Value>::new());
    assert_eq!(world.send(forged(&world, "github", "canary-of-an-id")).await.0, 401);
    let unsigned = world.client.post(world.hook("github")).body("canary-of-a-body");
    assert_eq!(world.send(unsigned).await.0, 401);
    let seen = refusals(&world, "github").await;
    let reasons: Vec<&Value> = seen.iter().map(|one| &one["reason"]).collect();
    assert_eq!(reasons, [&json!("missing_header"), &json!("malformed_header")], "newest first");
    let first = &seen[1];
    assert_eq!((&first["status"], &first["remote"]), (&json!(401), &json!("127.0.0.1")));
    assert_eq!(first["at"], "2026-03-01T12:00:00Z");
    let headers = first["headers"].as_array().expect("a list");
    for name in ["x-github-event", "x-github-delivery", "x-hub-signature-256"] {
        assert!(headers.contains(&json!(name)), "{name}: {headers:?}");
    }
    assert_eq!(
        first["unverified_delivery_id"], "canary-of-an-id",
        "its sender can be asked for it"
    );
    let text = serde_json::to_string(&seen).expect("JSON").replace("canary-of-an-id", "");
    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains("push"), "not even the value of a harmless one: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_fifty_refusals_of_each_source_are_remembered() {
    let world = world("").await;
    assert_eq!(world.send(forged(&world, "small", "before")).await.0, 401);
    for number in 0..60 {
        let many = (0..number).fold(forged(&world, "github", "one"), |request, n| {
            request.header(format!("x-extra-{n}"), "1")
        });
        assert_eq!(world.send(many).await.0, 401);
    }
    let of_github = refusals(&world, "github").await;
    assert_eq!(of_github.len(), 50);
    let extra = |refusal: &Value| refusal["headers"].to_string().matches("x-extra-").count();
    assert_eq!((extra(&of_github[0]), extra(&of_github[49])), (59, 10), "the newest stay");
    assert!(of_github[0]["headers"].as_array().expect("a list").len() <= 64);
    assert_eq!(refusals(&world, "small").await.len(), 1, "one source does not crowd out another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_for_whoever_has_a_token_and_of_sources_that_there_are() {
    let world = world("").await;
    let request = world.client.get(world.admin("/api/refusals/github"));
    assert_eq!(world.send(request).await.0, 401);
    assert_eq!(world.api(Method::GET, "/api/refusals/nobody", None).await.0, 404);
    // Names that strangers make up are not remembered, nor counted one by one.
    for number in 0..3 {
        assert_eq!(world.send(forged(&world, &format!("made-up-{number}"), "one")).await.0, 404);
    }
    assert_eq!(world.api(Method::GET, "/api/refusals/made-up-0", None).await.0, 404);
    let text = metrics(&world).await;
    assert!(text.contains("refusals_total{source=\"unknown\",reason=\"unknown_source\"} 3\n"));
    assert!(!text.contains("made-up"), "{text}");
}

async fn metrics(world: &World) -> String {
    let answer = world.client.get(world.admin("/metrics")).send().await.expect("an answer");
    answer.text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verdict_and_every_refusal_is_counted() {
    let world = world("").await;
    for (event, id) in [("push", "1"), ("push", "1"), ("push", "2"), ("star", "3"), ("ping", "4")] {
        let (status, answer) = world.send(world.github(event, id, PUSH)).await;
        assert!(status < 300, "{event} {id}: {answer}");
    }
    assert_eq!(world.send(forged(&world, "github", "5")).await.0, 401);
    assert_eq!(world.send(world.github("push", "6", "{")).await.0, 400);
    assert_eq!(world.send(world.client.get(world.hook("github"))).await.0, 405);
    let large = world.signed("small", "push", "7", vec![b' '; 5000], "canary-any");
    assert_eq!(world.send(large).await.0, 413);
    let text = metrics(&world).await;
    let mut missing = String::new();
    for (source, verdict, count) in [
        ("github", "accepted", 2),
        ("github", "repeat", 1),
        ("github", "unmatched", 1),
        ("github", "handshake", 1),
        ("github", "refused", 1),
        ("github", "unreadable", 2),
        ("small", "unreadable", 1),
    ] {
        let line = format!(
            "cdsw_gateway_deliveries_total{{source=\"{source}\",verdict=\"{verdict}\"}} {count}\n"
        );
        if !text.contains(&line) {
            missing.write_str(&line).expect("text");
        }
    }
    for (source, reason) in [
        ("github", "malformed_header"),
        ("github", "unreadable"),
        ("github", "method"),
        ("small", "too_large"),
    ] {
        let line =
            format!("cdsw_gateway_refusals_total{{source=\"{source}\",reason=\"{reason}\"}} 1\n");
        if !text.contains(&line) {
            missing.write_str(&line).expect("text");
        }
    }
    assert!(missing.is_empty(), "not in the metrics:\n{missing}---\n{text}");
}
