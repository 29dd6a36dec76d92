//! Keys that come and go.

use std::time::Duration;

use cdsw_gateway::issuers::{FLOOR, STALE};

use super::*;
use crate::issuer::STRANGERS;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_known_is_used_without_asking_again() {
    let (server, world) = with_keys().await;
    for _ in 0..20 {
        assert_ne!(send(&world, &token(&world, "a")).await.0, 401);
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let (server, world) = with_keys().await;
    server.is_now(published(&["b"]));
    world.clock.advance(FLOOR);
    assert_eq!(send(&world, &token(&world, "b")).await.0, 202);
    assert_eq!(server.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_taken_back_is_refused_once_the_rest_was_fetched() {
    let (server, world) = with_keys().await;
    server.is_now(published(&["b"]));
    world.clock.advance(FLOOR);
    send(&world, &token(&world, "b")).await;
    assert_eq!(send(&world, &token(&world, "a")).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_refused_without_asking_within_the_floor() {
    let (server, world) = with_keys().await;
    world.clock.advance(FLOOR - Duration::from_secs(1));
    assert_eq!(send(&world, &token(&world, "b")).await.0, 401);
    assert_eq!(server.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_strangers_with_made_up_keys_cause_one_fetch_a_floor() {
    let (server, world) = with_keys().await;
    for round in 0..3_usize {
        world.clock.advance(FLOOR);
        let good = token(&world, "a");
        let forged: Vec<String> =
            (0..100).map(|n| token(&world, &format!("{round}-{n}"))).collect();
        let sent = forged.iter().map(|token| send(&world, token));
        let strangers = futures(sent);
        let (answers, good) = tokio::join!(strangers, send(&world, &good));
        assert!(answers.iter().all(|(status, _)| matches!(status, 401 | 503)), "{answers:?}");
        assert!(matches!(good.0, 200 | 202), "{good:?}");
        assert_eq!(server.asked(), round + 2, "the floor holds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_keys_are_fetched_anew_beside_the_work() {
    let (server, world) = with_keys().await;
    server.is_now(published(&["a", "b"]));
    world.clock.advance(STALE);
    until_counted(&world, HOST, "fetched", 2).await;
    assert_eq!(send(&world, &token(&world, "b")).await.0, 202);
    assert_eq!(server.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forger_who_names_a_known_key_is_refused_without_asking() {
    let (server, world) = with_keys().await;
    world.clock.advance(FLOOR);
    let forged = by_rsa(json!({ "alg": "RS256", "kid": "a" }), &claims_with(json!({})), &STRANGERS);
    assert_eq!(send(&world, &forged).await.0, 401);
    assert_eq!(server.asked(), 1);
}

/// All of them at once.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, place) in all.iter_mut().zip(&mut done) {
            if place.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *place = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
