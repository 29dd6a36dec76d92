//! What is old goes, and what still waits for somebody stays.

use std::time::Duration;

use cdsw_gateway::model::RunState;
use reqwest::Method;

use super::common::{ON_PUSH, PUSH, World};
use super::{push_that, text};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn is_kept(world: &World, id: &str) -> bool {
    world.api(Method::GET, &format!("/api/deliveries/{id}"), None).await.0 == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_thirty_days_what_is_done_goes_and_what_is_held_stays() {
    let world = World::start(ON_PUSH).await;
    let (started, run) = push_that(&world, "started", RunState::Started).await;
    let (failed, _) = push_that(&world, "failed", RunState::Failed).await;
    let (held, held_run) = push_that(&world, "held", RunState::Held).await;
    world.clock.advance(29 * DAY);
    let (young, _) = push_that(&world, "young", RunState::Started).await;
    assert!(is_kept(&world, &started).await, "before its time");

    world.clock.advance(2 * DAY);
    let gone = async {
        while is_kept(&world, &started).await || is_kept(&world, &failed).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("they are removed");
    assert!(is_kept(&world, &held).await, "somebody has yet to release it");
    assert!(is_kept(&world, &young).await);
    assert_eq!(world.api(Method::GET, &format!("/api/runs/{run}"), None).await.0, 404);
    assert_eq!(world.run(held_run).await.brief.state, RunState::Held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_known_for_a_week_and_is_a_new_delivery_after_it() {
    let world = World::start(ON_PUSH).await;
    let (first, _) = push_that(&world, "again", RunState::Started).await;
    world.clock.advance(7 * DAY - Duration::from_secs(1));
    let (status, answer) = world.send(world.github("push", "again", PUSH)).await;
    assert_eq!((status, text(&answer, "/delivery")), (200, first.as_str()), "{answer}");
    world.clock.advance(Duration::from_secs(1));
    let (status, answer) = world.send(world.github("push", "again", PUSH)).await;
    assert_eq!(status, 202, "{answer}");
    assert_ne!(text(&answer, "/delivery"), first);
}
