//! Issuers that are of no use: nothing false is believed, and nobody else is held up.

use std::time::{Duration, Instant};

use cdsw_gateway::issuers::{FLOOR, STALE};

use super::*;

/// Everything that is not a key set.
fn useless() -> Vec<(&'static str, Mode)> {
    let text = |text: &str| Mode::Publish(text.to_owned());
    vec![
        ("unreachable", Mode::Down),
        ("unreachable", Mode::Silent),
        ("status", Mode::Status(500)),
        ("status", Mode::Status(404)),
        ("status", Mode::Status(302)),
        ("status", Mode::Status(204)),
        ("too_large", Mode::Huge),
        ("too_large", Mode::Endless),
        ("unreadable", text("")),
        ("unreadable", text("<html>sign in</html>")),
        ("unreadable", text(r#"{"keys": []}"#)),
        ("unreadable", text(r#"{"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}"#)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_keys_a_sender_is_told_to_come_back() {
    let server = KeyServer::start(&[HOST], Mode::Down).await;
    let world = world(&server).await;
    let mut failed = 0;
    for (outcome, mode) in useless() {
        server.is_now(mode);
        let before = counted(&world, HOST, outcome);
        world.clock.advance(FLOOR);
        let (status, retry) = send(&world, &token(&world, "a")).await;
        assert_eq!((status, retry.is_some()), (503, true), "{outcome}");
        until_counted(&world, HOST, outcome, before + 1).await;
        failed += 1;
    }
    assert!(server.asked() <= failed + 1, "{} for {failed}", server.asked());
    server.is_now(published(&["a"]));
    world.clock.advance(FLOOR);
    assert_eq!(send(&world, &token(&world, "a")).await.0, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_keys_stay_in_use_while_the_issuer_is_of_no_use() {
    let (server, world) = with_keys().await;
    for (outcome, mode) in useless() {
        server.is_now(mode);
        let before = counted(&world, HOST, outcome);
        world.clock.advance(STALE);
        until_counted(&world, HOST, outcome, before + 1).await;
        let (status, _) = send(&world, &token(&world, "a")).await;
        assert_eq!(status, 202, "{outcome}");
        let (status, _) = send(&world, &token(&world, "b")).await;
        assert_eq!(status, 503, "nobody knows whether b is a key: {outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_issuer_holds_up_neither_known_keys_nor_other_sources() {
    let (server, world) = with_keys().await;
    server.is_now(Mode::Silent);
    world.clock.advance(FLOOR);
    let unknown = token(&world, "b");
    let waiting = send(&world, &unknown);
    let meanwhile = async {
        until_asked(&server, 2).await;
        let known = send(&world, &token(&world, "a")).await;
        let push = world.send(world.github("push", "while-it-is-silent", common::PUSH)).await;
        (known.0, push.0, server.asked())
    };
    let (waited, (known, push, asked)) = tokio::join!(waiting, meanwhile);
    assert_eq!((known, push, asked), (202, 200, 2));
    assert_eq!(waited.0, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_for_a_silent_issuer_wait_together_and_not_for_long() {
    let server = KeyServer::start(&[HOST], Mode::Silent).await;
    let world = world(&server).await;
    let began = Instant::now();
    let tokens: Vec<String> = (0..100).map(|n| token(&world, &n.to_string())).collect();
    let mut sent = tokio::task::JoinSet::new();
    for token in tokens {
        let request = world.client.post(world.hook("ci")).bearer_auth(token).body("{}");
        sent.spawn(async move { request.send().await.expect("an answer").status().as_u16() });
    }
    assert!(sent.join_all().await.iter().all(|status| *status == 503));
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(server.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_megabytes_only_the_beginning_is_read() {
    let server = KeyServer::start(&[HOST], Mode::Endless).await;
    let world = world(&server).await;
    until_counted(&world, HOST, "too_large", 1).await;
    // What lies in the buffers of two sockets on the way comes on top of the limit.
    assert!(server.written() < 20_000_000, "{}", server.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_whose_certificate_is_not_trusted_or_of_another_host_is_not_believed() {
    let other = KeyServer::start(&["other.example.com"], published(&["a"])).await;
    let world = world(&other).await;
    until_counted(&world, HOST, "unreachable", 1).await;
    assert_eq!(send(&world, &token(&world, "a")).await.0, 503);
    assert_eq!(other.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let server = KeyServer::start(&[HOST], Mode::Status(302)).await;
    let world = world(&server).await;
    until_counted(&world, HOST, "status", 1).await;
    assert_eq!(server.paths(), ["/jwks"]);
}
