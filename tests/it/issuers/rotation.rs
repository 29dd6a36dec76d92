//! Keys that come and go.

use std::time::Duration;

use cdsw_gateway::issuers::{FLOOR, STALE, Transport};

use super::*;
use crate::tokens::issuer::STRANGERS;

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

/// The issuer publishes this key, and gives it no name.
fn nameless(key: &aws_lc_rs::rsa::KeyPair) -> Mode {
    let mut key = issuer::jwk(key, "none");
    key.as_object_mut().expect("a map").remove("kid");
    Mode::Publish(json!({ "keys": [key] }).to_string())
}

/// A good token by this key, with this header.
fn token_by(world: &World, header: Json, key: &aws_lc_rs::rsa::KeyPair) -> String {
    use cdsw_gateway::clock::Clock as _;

    let now = world.clock.now().as_second();
    let claims = claims_with(json!({ "iat": now, "nbf": now, "exp": now + 300 }));
    by_rsa(header, &claims, key)
}

/// A gateway whose issuer publishes our key without a name, which it has fetched.
async fn with_nameless_key() -> (KeyServer, World) {
    let server = KeyServer::start(&[HOST, SNS], nameless(&OURS)).await;
    let world = world(&server).await;
    until_asked(&server, 1).await;
    assert_eq!(send(&world, &token_by(&world, json!({ "alg": "RS256" }), &OURS)).await.0, 202);
    (server, world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_name_that_took_anothers_place_is_fetched_when_a_token_needs_it() {
    for header in [json!({ "alg": "RS256" }), json!({ "alg": "RS256", "kid": "some" })] {
        let (server, world) = with_nameless_key().await;
        server.is_now(nameless(&STRANGERS));
        // As long as the issuer was asked a moment ago, its word holds.
        world.clock.advance(FLOOR - Duration::from_secs(1));
        assert_eq!(send(&world, &token_by(&world, header.clone(), &STRANGERS)).await.0, 401);
        assert_eq!(server.asked(), 1);
        world.clock.advance(Duration::from_secs(1));
        let new = token_by(&world, header.clone(), &STRANGERS);
        assert_eq!(send(&world, &new).await.0, 202, "{header}");
        assert_eq!(server.asked(), 2);
        let old = token_by(&world, header.clone(), &OURS);
        assert_eq!(send(&world, &old).await.0, 401, "{header}");
        assert_eq!(server.asked(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_names_no_key_is_judged_again_by_newer_ones_that_have_names() {
    let (server, world) = with_keys().await;
    let other = issuer::jwk(&STRANGERS, "b");
    server.is_now(Mode::Publish(json!({ "keys": [other] }).to_string()));
    world.clock.advance(FLOOR);
    let token = token_by(&world, json!({ "alg": "RS256" }), &STRANGERS);
    assert_eq!(send(&world, &token).await.0, 202);
    assert_eq!(server.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_forgers_of_tokens_without_a_key_name_cause_one_fetch_a_floor() {
    let (server, world) = with_nameless_key().await;
    for round in 0..3_usize {
        world.clock.advance(FLOOR);
        let forged = token_by(&world, json!({ "alg": "RS256" }), &STRANGERS);
        let strangers = futures((0..100).map(|_| send(&world, &forged)));
        let good = token_by(&world, json!({ "alg": "RS256" }), &OURS);
        let (answers, good) = tokio::join!(strangers, send(&world, &good));
        assert!(answers.iter().all(|(status, _)| matches!(status, 401 | 503)), "{answers:?}");
        assert!(matches!(good.0, 200 | 202), "{good:?}");
        assert_eq!(server.asked(), round + 2, "the floor holds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_does_not_wait_for_what_another_sets_off() {
    let server = KeyServer::start(&[HOST, SNS], nameless(&OURS)).await;
    // Long enough for the issuer to be still asked when the good token was answered.
    let slow = Transport { timeout: Duration::from_secs(5), ..server.transport(&[HOST, SNS]) };
    let world = world_by(slow).await;
    until_asked(&server, 1).await;
    let header = json!({ "alg": "RS256" });
    let good = token_by(&world, header.clone(), &OURS);
    assert_eq!(send(&world, &good).await.0, 202);
    server.is_now(Mode::Silent);
    world.clock.advance(FLOOR);
    let new = token_by(&world, header, &STRANGERS);
    let mut waiting = std::pin::pin!(send(&world, &new));
    let answered = async {
        until_asked(&server, 2).await;
        send(&world, &good).await.0
    };
    tokio::select! {
        early = &mut waiting => panic!("the issuer said nothing yet: {early:?}"),
        status = answered => assert_eq!(status, 200, "a repeat, known at once"),
    }
    server.is_now(nameless(&STRANGERS));
    assert_eq!(waiting.await.0, 503, "it hung up, so nobody knows");
}
