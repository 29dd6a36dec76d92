//! A person presses "redeliver" at the sender.

use cdsw_gateway::model::RunState;

use super::common::{ON_PUSH, PUSH, World};
use super::{a_later_start, delivery, push_that, text};

/// Sends the same delivery once more and compares what it is told with what the first was told.
async fn redeliver(world: &World, id: &str, first: &str, run: impl ToString) -> String {
    let (status, answer) = world.send(world.github("push", id, PUSH)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["duplicate"], true, "{answer}");
    assert_eq!(answer["delivery"], first, "{answer}");
    assert_eq!(answer["runs"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(text(&answer, "/runs/0/id"), run.to_string());
    text(&answer, "/runs/0/state").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redelivering_a_failed_run_gives_it_another_try() {
    let world = World::start(ON_PUSH).await;
    let (first, run) = push_that(&world, "again", RunState::Failed).await;
    assert_eq!(redeliver(&world, "again", &first, run).await, "queued");
    let run = world.run_in(run, RunState::Started).await;
    assert_eq!(run.tries.len(), 2);
    assert_eq!(world.simulator.runs().len(), 1);
    assert_eq!(delivery(&world, &first).await["repeats"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redelivering_a_started_run_starts_nothing() {
    let world = World::start(ON_PUSH).await;
    let (first, run) = push_that(&world, "again", RunState::Started).await;
    for _ in 0..3 {
        assert_eq!(redeliver(&world, "again", &first, run).await, "started");
    }
    a_later_start(&world, "later").await;
    assert_eq!(world.simulator.runs().len(), 2);
    assert_eq!(world.run(run).await.tries.len(), 1);
    assert_eq!(delivery(&world, &first).await["repeats"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redelivering_a_held_run_leaves_it_to_the_person() {
    let world = World::start(ON_PUSH).await;
    let (first, run) = push_that(&world, "again", RunState::Held).await;
    assert_eq!(redeliver(&world, "again", &first, run).await, "held");
    a_later_start(&world, "later").await;
    let run = world.run(run).await;
    assert_eq!((run.brief.state, run.tries.len()), (RunState::Held, 1), "{run:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_redeliveries_at_once_are_one_delivery() {
    let world = World::start(ON_PUSH).await;
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let request = world.github("push", "crowd", PUSH);
        answers.spawn(async move {
            let answer = request.send().await.expect("an answer");
            let status = answer.status().as_u16();
            (status, answer.json::<serde_json::Value>().await.expect("JSON"))
        });
    }
    let answers = answers.join_all().await;
    let first = answers.iter().filter(|(status, _)| *status == 202).count();
    assert_eq!(first, 1, "{answers:#?}");
    let names: std::collections::BTreeSet<&str> =
        answers.iter().map(|(_, answer)| text(answer, "/runs/0/id")).collect();
    assert_eq!(names.len(), 1);
    let run = names.first().expect("one").parse().expect("an id");
    world.run_in(run, RunState::Started).await;
    a_later_start(&world, "later").await;
    assert_eq!(world.simulator.runs().len(), 2);
}
