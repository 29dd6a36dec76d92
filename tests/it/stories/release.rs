//! A run is held, and a person says what became of it.

use cdsw_gateway::clock::Clock;
use cdsw_gateway::model::RunState;
use cdsw_gateway::simulator::{Fault, FaultRule};
use cdsw_gateway::store::Run;
use serde_json::json;

use super::common::{ON_PUSH, World};
use super::{a_later_start, push_that, release, text};

/// The last act on a run: what was done, by whom, and what they had to say.
fn act(run: &Run) -> (&str, &str, Option<&str>) {
    let (what, act) = run.acts.last().expect("an act");
    (what, &act.who, act.note.as_deref())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_saw_no_job_has_it_tried_again() {
    let world = World::start(ON_PUSH).await;
    let (_, id) = push_that(&world, "held", RunState::Held).await;
    let reason = world.run(id).await.brief.reason.expect("a reason");
    assert!(reason.contains("may or may not have been started"), "{reason}");
    world.clock.advance(std::time::Duration::from_secs(30 * 3600));
    let (status, view) = release(&world, id, json!({ "do": "retry", "note": "no such job" })).await;
    assert_eq!((status, text(&view, "/state")), (200, "queued"), "{view}");
    let run = world.run_in(id, RunState::Started).await;
    assert_eq!(act(&run), ("release --retry", "ops", Some("no such job")));
    assert_eq!(run.tries.len(), 2);
    assert_eq!(run.acts[0].1.at, world.clock.now());
    assert!(run.brief.deadline > world.clock.now(), "the first deadline had passed");
    assert_eq!(world.simulator.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_saw_the_job_names_its_engine() {
    let world = World::start(ON_PUSH).await;
    let (_, id) = push_that(&world, "held", RunState::Held).await;
    let ask = json!({ "do": "started", "engine_id": "cwg6wclmg0x482u0" });
    let (status, view) = release(&world, id, ask).await;
    assert_eq!((status, text(&view, "/state")), (200, "started"), "{view}");
    let run = world.run(id).await;
    assert_eq!(run.brief.engine_id.as_deref(), Some("cwg6wclmg0x482u0"));
    assert_eq!(act(&run), ("release --started", "ops", None));
    a_later_start(&world, "later").await;
    assert_eq!(world.run(id).await.tries.len(), 1, "it is not tried again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_may_give_a_run_up() {
    let world = World::start(ON_PUSH).await;
    let (_, id) = push_that(&world, "held", RunState::Held).await;
    let (status, view) = release(&world, id, json!({ "do": "fail", "note": "too late" })).await;
    assert_eq!((status, text(&view, "/state")), (200, "failed"), "{view}");
    let run = world.run(id).await;
    assert_eq!(run.brief.reason.as_deref(), Some("given up by ops"));
    assert_eq!(act(&run), ("release --fail", "ops", Some("too late")));
    a_later_start(&world, "later").await;
    assert_eq!(world.run(id).await.tries.len(), 1, "it is not tried again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_neither_held_nor_failed_is_not_released_and_a_failed_one_only_tried_again() {
    let world = World::start(ON_PUSH).await;
    let (_, started) = push_that(&world, "started", RunState::Started).await;
    let (_, failed) = push_that(&world, "failed", RunState::Failed).await;
    world.simulator.add_fault(FaultRule::always(Fault::busy_503()));
    let queued = world.push("queued").await;
    world.run_after(queued, 1).await;
    for (id, state) in [(started, "started"), (failed, "failed"), (queued, "queued")] {
        for ask in [
            json!({ "do": "retry" }),
            json!({ "do": "fail" }),
            json!({ "do": "started", "engine_id": "e" }),
        ] {
            if state == "failed" && ask["do"] == "retry" {
                continue;
            }
            let (status, problem) = release(&world, id, ask).await;
            assert_eq!(status, 409, "{problem}");
            let said = format!(
                "it is {state}, and only a held run can be released, or a failed one with --retry"
            );
            assert!(text(&problem, "/error").ends_with(&said), "{problem}");
        }
        let run = world.run(id).await;
        assert_eq!((run.brief.state.as_str(), run.acts.len()), (state, 0));
    }
    world.simulator.clear_faults();
    assert_eq!(release(&world, failed, json!({ "do": "retry", "note": "mended" })).await.0, 200);
    let run = world.run_in(failed, RunState::Started).await;
    assert_eq!(act(&run), ("release --retry", "ops", Some("mended")));
    assert_eq!(run.tries.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_that_cannot_be_meant_is_refused_and_changes_nothing() {
    let world = World::start(ON_PUSH).await;
    let (_, id) = push_that(&world, "held", RunState::Held).await;
    for (ask, wanted) in [
        (json!({ "do": "started" }), 400),
        (json!({ "do": "started", "engine_id": " " }), 400),
        (json!({ "do": "started", "engine_id": "a\nb" }), 400),
        (json!({ "do": "started", "engine_id": "e".repeat(257) }), 400),
        (json!({ "do": "retry", "engine_id": "e" }), 400),
        (json!({ "do": "fail", "engine_id": "e" }), 400),
        (json!({ "do": "fail", "note": "n".repeat(501) }), 400),
        (json!({ "do": "cancel" }), 422),
        (json!({ "do": "fail", "who": "somebody else" }), 422),
        (json!({}), 422),
    ] {
        let (status, problem) = release(&world, id, ask.clone()).await;
        assert_eq!(status, wanted, "{ask}: {problem}");
    }
    let run = world.run(id).await;
    assert_eq!((run.brief.state, run.acts.len()), (RunState::Held, 0));
    let nobody = "00000000-0000-7000-8000-000000000000".parse().expect("an id");
    assert_eq!(release(&world, nobody, json!({ "do": "fail" })).await.0, 404);
    assert_eq!(release(&world, nobody, json!({ "do": "retry" })).await.0, 404);
    let ask = Some(json!({ "do": "fail" }));
    assert_eq!(world.api(reqwest::Method::POST, "/api/runs/x/release", ask).await.0, 400);
}
