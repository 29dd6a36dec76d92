//! Requests that go to an address that is no source's: people can find them, and what they name.

use reqwest::Method;
use serde_json::{Value, json};

use super::common::{PUSH, WEBHOOK_SECRET, World, github_signature};
use super::{Wire, kept, world};

/// A signed push to any path of the listener for webhooks.
fn push(world: &World, path: &str, id: &str) -> reqwest::RequestBuilder {
    world
        .client
        .post(format!("http://{}{path}", world.hooks()))
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
        .body(PUSH)
}

async fn listed(world: &World, path: &str) -> Vec<Value> {
    let (status, answer) = world.api(Method::GET, path, None).await;
    assert_eq!(status, 200, "{answer}");
    answer["refusals"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_to_a_wrong_address_is_listed_with_the_path_that_it_asked_for() {
    let world = world("").await;
    let paths = ["/github", "/webhooks/hooks/github", "/hooks/guthub", "/hooks/guthub/hunter2"];
    for path in paths {
        assert_eq!(world.send(push(&world, path, "one")).await.0, 404, "{path}");
    }
    let seen = listed(&world, "/api/refusals?unknown=true").await;
    let shown: Vec<&Value> = seen.iter().rev().map(|one| &one["path"]).collect();
    assert_eq!(
        shown,
        ["/github", "/webhooks/hooks/github", "/hooks/guthub", "/hooks/guthub/[hidden]"]
    );
    assert!(seen.iter().all(|one| one["source"].is_null() && one["status"] == json!(404)));
    assert_eq!(world.gateway.metrics().deliveries_of("unknown", "unknown_address"), 4);
    assert_eq!(world.gateway.metrics().deliveries_of("unknown", "unreadable"), 0);
    assert!(kept(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_list_has_the_refusals_of_all_sources_newest_first_and_what_the_requests_name() {
    let world = world("").await;
    let forged = |source: &str, id: &str| {
        push(&world, &format!("/hooks/{source}"), id)
            .header("x-extra", "1")
            .body(format!("{PUSH} "))
    };
    assert_eq!(world.send(forged("github", "72d3162e")).await.0, 401);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(world.send(forged("small", "0001")).await.0, 401);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(world.send(push(&world, "/github", "one")).await.0, 404);
    let seen = listed(&world, "/api/refusals").await;
    let sources: Vec<&Value> = seen.iter().map(|one| &one["source"]).collect();
    assert_eq!(sources, [&Value::Null, &json!("small"), &json!("github")]);
    assert_eq!(seen[2]["unverified_delivery_id"], "72d3162e");
    assert_eq!(seen[2]["unverified_repository"], "acme/risk");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_request_names_is_bounded_and_holds_no_secret() {
    let world = world("").await;
    assert_eq!(world.send(push(&world, "/hooks/github", "first")).await.0, 202);
    let forged = |id: &str| push(&world, "/hooks/github", id).body("{}");
    assert_eq!(world.send(forged(&"x".repeat(5000))).await.0, 401);
    assert_eq!(world.send(forged(&format!("a {WEBHOOK_SECRET} b"))).await.0, 401);
    let seen = listed(&world, "/api/refusals/github").await;
    assert_eq!(seen[0]["unverified_delivery_id"], Value::Null);
    let long = seen[1]["unverified_delivery_id"].as_str().expect("text");
    assert!(long.chars().count() < 150, "{long}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slash_at_the_end_and_a_configured_prefix_lead_to_the_source() {
    let world = world("  path_prefix: /gateway/").await;
    for (id, path) in
        ["/hooks/github/", "/gateway/hooks/github", "/gateway/hooks/github/", "/hooks/github"]
            .into_iter()
            .enumerate()
    {
        let (status, answer) = world.send(push(&world, path, &id.to_string())).await;
        assert_eq!(status, 202, "{path}: {answer}");
    }
    assert_eq!(world.send(push(&world, "/other/hooks/github", "x")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_path_is_answered_and_shown_escaped_and_short() {
    let world = world("").await;
    let long = "/a".repeat(3000);
    for path in ["//", "/%00%1b[31m", "/..%2f..", &long, "/hooks", "/hooks/"] {
        let mut wire = Wire::to(&world);
        wire.write(
            format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").as_bytes(),
        );
        assert_eq!(wire.answer().0, 404, "{path}");
    }
    for one in listed(&world, "/api/refusals?unknown=true").await {
        let path = one["path"].as_str().expect("text");
        assert!(path.len() < 200 && path.is_ascii() || path.ends_with('…'), "{path}");
    }
}
