//! The admin listener under attack: hostile connections, wrong tokens, foreign names, and browsers.

use std::time::Duration;

use super::hostile::{Attack, From, Kind};
use super::{Attacked, CONNECTIONS, MEMORY, honest};
use crate::common::{ADMIN_TOKEN, ON_PUSH, PUSH, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_hostile_connections_of_any_kind_keep_no_admin_out() {
    let attacked = Attacked::start("", 16_384).await;
    let client = honest();
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        for from in if number % 2 == 0 { [From::One] } else { [From::Many] } {
            let to = attacked.admin();
            let attack = Attack::start(kind, from, CONNECTIONS, to, "/api/pause").await;
            for path in ["/api/status", "/api/runs", "/readyz", "/metrics", "/livez"] {
                let url = format!("http://{}{path}", attacked.admin());
                let sent = client.get(url).bearer_auth(ADMIN_TOKEN).send().await;
                let status =
                    sent.unwrap_or_else(|error| panic!("{kind:?} {from:?} {path}: {error:?}"));
                assert_eq!(status.status().as_u16(), 200, "{kind:?} {from:?} {path}");
            }
            drop(attack);
        }
    }
    let memory = attacked.memory();
    assert!(memory < MEMORY, "{memory} kB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_hostile_connections_of_any_kind_keep_no_probe_out() {
    let mut attacked =
        Attacked::start("  health: 127.0.0.1:0\n  health_metrics: true", 16_384).await;
    let health: std::net::SocketAddr = attacked.serving.health().parse().expect("an address");
    let client = honest();
    for kind in Kind::ALL {
        let attack = Attack::start(kind, From::One, CONNECTIONS, health, "/metrics").await;
        for path in ["/readyz", "/metrics", "/livez"] {
            let sent = client.get(format!("http://{health}{path}")).send().await;
            let status = sent.unwrap_or_else(|error| panic!("{kind:?} {path}: {error:?}")).status();
            assert_eq!(status.as_u16(), 200, "{kind:?} {path}");
        }
        drop(attack);
    }
    let memory = attacked.memory();
    assert!(memory < MEMORY, "{memory} kB");
}

/// A gateway in this process, whose clock a test moves.
async fn world(server: &str) -> World {
    World::start_with(ON_PUSH, server, "").await
}

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let url = format!("http://{}{path}", world.gateway.admin());
    let request = headers
        .iter()
        .fold(world.client.get(url), |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("an answer")
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_guesses_tokens_is_counted_and_slowed_down() {
    let world = world("").await;
    let (name, wrong) = bearer("not-the-token");
    let (_, right) = bearer(ADMIN_TOKEN);
    let mut statuses = Vec::new();
    for _ in 0..100 {
        let answer = get(&world, "/api/status", &[(name, &wrong)]).await;
        statuses.push(answer.status().as_u16());
        if answer.status() == 429 {
            assert_eq!(answer.headers()["retry-after"], "2");
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 90);
    let answer = get(&world, "/api/status", &[(name, &right)]).await;
    assert_eq!(answer.status(), 200, "an admin at the same address is not locked out");
    let ready = get(&world, "/readyz", &[]).await;
    assert_eq!(ready.status(), 200, "whoever sends no token is not concerned");
    let text = world.gateway.metrics().text(&Default::default());
    assert!(text.contains("cdsw_gateway_wrong_admin_tokens_total 100"), "{text}");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(get(&world, "/api/status", &[(name, &wrong)]).await.status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_behind_a_trusted_proxy_are_counted_by_the_address_that_it_names() {
    let world = world("  trusted_proxies: [127.0.0.0/8]").await;
    let (name, wrong) = bearer("not-the-token");
    let from = |address| ("x-forwarded-for", address);
    for _ in 0..20 {
        get(&world, "/api/status", &[(name, &wrong), from("203.0.113.9")]).await;
    }
    let status = async |address| {
        get(&world, "/api/status", &[(name, &wrong), from(address)]).await.status().as_u16()
    };
    assert_eq!(status("203.0.113.9").await, 429);
    assert_eq!(status("203.0.113.10").await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_a_web_page_may_own_is_refused_unless_it_is_configured_or_comes_with_a_token() {
    let world = world("  admin_hosts: [Gateway.Example.com]").await;
    let (name, right) = bearer(ADMIN_TOKEN);
    for path in ["/metrics", "/readyz", "/livez", "/api/status", "/"] {
        for host in [
            "evil.example",
            "evil.example:8081",
            "127.0.0.1.nip.io",
            "gateway.example.com.evil.example",
        ] {
            let answer = get(&world, path, &[("host", host)]).await;
            assert_eq!(answer.status(), 421, "{path} {host}");
            let problem: serde_json::Value = answer.json().await.expect("JSON");
            assert_eq!(problem["code"], "unknown-host");
        }
    }
    for host in ["gateway.example.com", "localhost:8081", "10.1.2.3", "gateway.prod.svc:8081"] {
        assert_eq!(get(&world, "/metrics", &[("host", host)]).await.status(), 200, "{host}");
    }
    let foreign = [("host", "gw.other.example"), (name, &*right)];
    assert_eq!(get(&world, "/api/status", &foreign).await.status(), 200, "no page has a token");
    let wrong = [("host", "gw.other.example"), (name, "Bearer not-the-token")];
    assert_eq!(get(&world, "/api/status", &wrong).await.status(), 421);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_tells_browsers_to_keep_and_guess_nothing() {
    let world = world("").await;
    let (name, right) = bearer(ADMIN_TOKEN);
    for (path, status) in [
        ("/api/deliveries", 200),
        ("/api/nothing", 404),
        ("/metrics", 200),
        ("/livez", 200),
        ("/x", 404),
    ] {
        let answer = get(&world, path, &[(name, &right)]).await;
        assert_eq!(answer.status(), status, "{path}");
        for (header, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.headers()[header], value, "{path}");
        }
    }
    let refused = get(&world, "/api/deliveries", &[]).await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["cache-control"]),
        (401, &"no-store".parse().expect("a value"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_a_body_is_in_the_audit_log() {
    let world = world("").await;
    let (status, answer) = world.send(world.github("push", "one", PUSH)).await;
    assert_eq!(status, 202);
    let id = answer["delivery"].as_str().expect("an id");
    let (name, right) = bearer(ADMIN_TOKEN);
    let read = get(&world, &format!("/api/deliveries/{id}/body"), &[(name, &right)]).await;
    assert_eq!(read.text().await.expect("text"), PUSH);
    let audit = get(&world, "/api/audit", &[(name, &right)]).await;
    let audit: serde_json::Value = audit.json().await.expect("JSON");
    let act = &audit["acts"][0];
    assert_eq!(
        (&act["act"], &act["who"], &act["name"], &act["origin"]),
        (&"read-body".into(), &"ops".into(), &id.into(), &"127.0.0.1".into())
    );
}
