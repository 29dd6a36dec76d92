//! Who may look and act: whoever has one of the tokens, and nobody else.

use reqwest::Method;
use serde_json::json;

use super::common::{ADMIN_TOKEN, ON_PUSH, WEBHOOK_SECRET, World};
use super::{edit, push_that, text};
use cdsw_gateway::model::RunState;

/// The API's paths and methods, read from where they are served.
fn paths() -> Vec<(Method, String)> {
    let source = include_str!("../../../src/admin/mod.rs");
    let piece = |line: &str| {
        let (path, method) = line.trim().strip_prefix(".route(\"")?.split_once("\", ")?;
        let method = if method.starts_with("get") { Method::GET } else { Method::POST };
        (!["/livez", "/readyz", "/metrics"].contains(&path))
            .then(|| (method, format!("/api{path}")))
    };
    source.lines().filter_map(piece).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_of_the_api_refuses_whoever_has_no_token() {
    let world = World::start(ON_PUSH).await;
    let (delivery, run) = push_that(&world, "held", RunState::Held).await;
    let paths = paths();
    assert_eq!(paths.len(), 17, "{paths:?}");
    let basic = format!("Basic {ADMIN_TOKEN}");
    let (cut, long) = (&ADMIN_TOKEN[1..], format!("Bearer {ADMIN_TOKEN}x"));
    let cut = format!("Bearer {cut}");
    let other = format!("Bearer {WEBHOOK_SECRET}");
    for (method, path) in paths {
        let id = if path.starts_with("/api/runs") { run.to_string() } else { delivery.clone() };
        let path = path.replace("{id}", &id).replace("{source}", "github");
        let url = world.admin(&path);
        for header in
            [None, Some("Bearer "), Some(&*basic), Some(&*cut), Some(&*long), Some(&*other)]
        {
            let mut request = world.client.request(method.clone(), &url);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let (status, problem) = world.send(request.json(&json!({ "do": "fail" }))).await;
            assert_eq!(status, 401, "{method} {path} with {header:?}: {problem}");
            assert!(text(&problem, "/error").starts_with("this needs a token"), "{problem}");
        }
        let with_query = world.client.request(method.clone(), format!("{url}?token={ADMIN_TOKEN}"));
        assert_eq!(world.send(with_query).await.0, 401, "{method} {path}");
        if method == Method::GET {
            let (status, view) = world.api(method, &path, None).await;
            assert_eq!(status, 200, "{path}: {view}");
        }
    }
    assert_eq!(world.run(run).await.brief.state, RunState::Held, "nobody has released it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_listener_has_webhooks_and_nothing_else() {
    let world = World::start(ON_PUSH).await;
    let hooks = world.hooks();
    for path in
        ["/", "/api/status", "/api/runs", "/metrics", "/readyz", "/livez", "/hooks", "/hooks/"]
    {
        let request = world.client.get(format!("http://{hooks}{path}")).bearer_auth(ADMIN_TOKEN);
        assert_eq!(world.send(request).await.0, 404, "{path}");
    }
    assert_eq!(world.send(world.client.get(world.hook("github"))).await.0, 405);
    assert_eq!(world.send(world.client.post(world.admin("/hooks/github"))).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_metrics_are_open_and_tell_no_more_than_they_should() {
    let world = World::start(ON_PUSH).await;
    push_that(&world, "a-telling-delivery-key", RunState::Started).await;
    for path in ["/livez", "/readyz", "/metrics"] {
        let answer = world.client.get(world.admin(path)).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        let text = answer.text().await.expect("text");
        assert!(!text.contains("a-telling-delivery-key"), "{path}: {text}");
        assert!(!text.contains("59b20b8d"), "{path}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_act_is_kept_with_the_name_of_the_token() {
    let world = World::start(ON_PUSH).await;
    let (_, run) = push_that(&world, "held", RunState::Held).await;
    world.site.private("second", "canary-second-admin-token-9");
    edit(
        &world.site,
        "admin_tokens: { ops:",
        "admin_tokens: { night-shift: { file: secrets/second }, ops:",
    );
    let change = world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    assert!(!change.needs_restart, "{change}");
    let request = world
        .client
        .post(world.admin(&format!("/api/runs/{run}/release")))
        .bearer_auth("canary-second-admin-token-9")
        .json(&json!({ "do": "fail" }));
    let (status, view) = world.send(request).await;
    assert_eq!((status, text(&view, "/acts/0/1/who")), (200, "night-shift"), "{view}");
    assert_eq!(text(&view, "/reason"), "given up by night-shift");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_usable_token_the_api_is_closed() {
    let world = World::start(ON_PUSH).await;
    edit(&world.site, "  admin_tokens: { ops: { file: secrets/admin } }\n", "");
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    for token in [ADMIN_TOKEN, ""] {
        let request = world.client.get(world.admin("/api/status")).bearer_auth(token);
        let (status, problem) = world.send(request).await;
        assert_eq!(status, 401);
        assert!(text(&problem, "/error").starts_with("the API is closed"), "{problem}");
    }
}
