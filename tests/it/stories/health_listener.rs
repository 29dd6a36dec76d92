//! The listener for health alone: probes and monitoring get in, and nothing else is there.

use reqwest::Method;

use super::common::{ADMIN_TOKEN, ON_PUSH, World};

const WITH: &str = "  health: 127.0.0.1:0";
const WITH_METRICS: &str = "  health: 127.0.0.1:0\n  health_metrics: true";

fn at(world: &World, path: &str) -> String {
    format!("http://{}{path}", world.gateway.health().expect("it has the listener"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_health_listener_unless_the_configuration_says_so() {
    let world = World::start(ON_PUSH).await;
    assert_eq!(world.gateway.health(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_is_answered_under_any_host_and_without_a_token() {
    let world = World::start_with(ON_PUSH, WITH, "").await;
    for host in ["10.42.0.7:8082", "evil.example", "gateway.example.com"] {
        for path in ["/livez", "/readyz"] {
            let request = world.client.get(at(&world, path)).header("host", host);
            let (status, answer) = world.send(request).await;
            assert_eq!(status, 200, "{host} {path}: {answer}");
        }
    }
    let admin = world.client.get(world.admin("/livez")).header("host", "evil.example");
    assert_ne!(world.send(admin).await.0, 200, "the admin listener still looks at the host");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_is_not_on_the_health_listener_even_for_a_known_token() {
    let world = World::start_with(ON_PUSH, WITH, "").await;
    for path in ["/", "/api/status", "/api/runs", "/metrics", "/hooks/github", "/api/reload"] {
        for method in [Method::GET, Method::POST] {
            let request = world.client.request(method.clone(), at(&world, path));
            let (status, answer) = world.send(request.bearer_auth(ADMIN_TOKEN)).await;
            assert_eq!(status, 404, "{method} {path}: {answer}");
        }
    }
    let (status, _) = world.send(world.client.post(at(&world, "/readyz"))).await;
    assert_eq!(status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_shows_no_more_of_the_health_there() {
    let world = World::start_with(ON_PUSH, WITH, "").await;
    let request = world.client.get(at(&world, "/readyz")).bearer_auth(ADMIN_TOKEN);
    let (status, answer) = world.send(request).await;
    assert_eq!(status, 200, "{answer}");
    let keys: Vec<_> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["notes", "ready"], "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_there_only_by_choice() {
    let world = World::start_with(ON_PUSH, WITH_METRICS, "").await;
    let (status, text) = world.send(world.client.get(at(&world, "/metrics"))).await;
    assert_eq!(status, 200);
    let text = text.as_str().expect("text");
    assert!(text.contains("cdsw_gateway_runs{state=\"queued\"} 0"), "{text}");
}
