//! Who may look and act: whoever has one of the tokens, and nobody else.

use reqwest::Method;
use serde_json::{Value, json};

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
    assert_eq!(paths.len(), 26, "{paths:?}");
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
            // Whoever sends many wrong tokens in a short time is told to wait.
            world.clock.advance(std::time::Duration::from_secs(2));
            let (status, problem) = world.send(request.json(&json!({ "do": "fail" }))).await;
            assert_eq!(status, 401, "{method} {path} with {header:?}: {problem}");
            assert_eq!(text(&problem, "/code"), "unauthorized", "{problem}");
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
async fn readiness_tells_whether_and_how_many_notes_and_names_them_to_a_known_token_alone() {
    let world = World::start(ON_PUSH).await;
    push_that(&world, "held", RunState::Held).await;
    let ask = || world.client.get(world.admin("/readyz"));
    let short = json!({ "ready": true, "notes": 1 });
    assert_eq!(world.send(ask()).await, (200, short.clone()));
    assert_eq!(world.send(ask().bearer_auth("canary-no-such-token")).await, (200, short));
    let (status, whole) = world.send(ask().bearer_auth(ADMIN_TOKEN)).await;
    assert_eq!((status, &whole["ready"], &whole["held"]), (200, &json!(true), &json!(1)));
    assert!(text(&whole, "/notes/0").contains("1 run is held and waits for a person"), "{whole}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_a_problem_with_a_stable_code() {
    let world = World::start(ON_PUSH).await;
    let (delivery, run) = push_that(&world, "started", RunState::Started).await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let release = format!("/api/runs/{run}/release");
    let replay = format!("/api/deliveries/{delivery}/replay");
    let (as_json, plain) = ("application/json", "text/plain");
    let (get, post) = (Method::GET, Method::POST);
    for (method, path, kind, body, status, code) in [
        (&get, "/api/runs/not-an-id", as_json, "", 400, "bad-request"),
        (&post, &release, as_json, r#"{"do":"started"}"#, 400, "bad-request"),
        (&get, "/api/runs?colour=red", as_json, "", 400, "unreadable-query"),
        (&get, "/api/runs?limit=many", as_json, "", 400, "unreadable-query"),
        (&get, "/api/runs/%ff", as_json, "", 400, "bad-request"),
        (&post, &release, as_json, "{", 400, "unreadable-json"),
        (&get, &format!("/api/runs/{nobody}"), as_json, "", 404, "not-found"),
        (&get, "/api/deliveries?source=nobody", as_json, "", 404, "not-found"),
        (&get, "/api/nowhere", as_json, "", 404, "no-such-path"),
        (&get, "/nowhere", as_json, "", 404, "no-such-path"),
        (&get, &release, as_json, "", 405, "method-not-allowed"),
        (&post, "/readyz", as_json, "", 405, "method-not-allowed"),
        (&post, &release, as_json, r#"{"do":"retry"}"#, 409, "state-conflict"),
        (&post, &replay, as_json, r#"{"route":"nobody"}"#, 409, "not-matched"),
        (&post, &release, plain, r#"{"do":"fail"}"#, 415, "unsupported-media-type"),
        (&post, &release, as_json, r#"{"do":"dance"}"#, 422, "unexpected-json"),
    ] {
        let request = world.client.request(method.clone(), world.admin(path));
        let request = request.bearer_auth(ADMIN_TOKEN).header("content-type", kind);
        let answer = request.body(body.to_owned()).send().await.expect("an answer");
        let what = format!("{method} {path} {body}");
        assert_eq!(answer.status(), status, "{what}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{what}");
        let problem: Value = answer.json().await.expect("JSON");
        assert_eq!(problem["code"], code, "{what}: {problem}");
        assert_eq!(problem["status"], status, "{what}: {problem}");
        assert_eq!(
            (&problem["type"], &problem["error"]),
            (&json!("about:blank"), &problem["detail"])
        );
        let is_words =
            |member: &str| problem[member].as_str().is_some_and(|words| !words.is_empty());
        assert!(is_words("title") && is_words("detail"), "{what}: {problem}");
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
        assert_eq!(text(&problem, "/code"), "no-admin-tokens", "{problem}");
    }
}
