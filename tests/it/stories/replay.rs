//! A person runs a kept delivery through today's routes again.

use cdsw_gateway::model::RunState;
use serde_json::json;

use super::common::{ON_PUSH, PUSH, World};
use super::{a_later_start, edit, push_that, replay, run_of, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_starts_nothing_twice_unless_it_is_told_to() {
    let world = World::start(ON_PUSH).await;
    let (kept, run) = push_that(&world, "once", RunState::Started).await;
    let (status, view) = replay(&world, &kept, json!({})).await;
    assert_eq!((status, text(&view, "/runs/0/what")), (200, "left as it is"), "{view}");
    assert_eq!(text(&view, "/runs/0/id"), run.to_string());
    a_later_start(&world, "later").await;
    assert_eq!(world.simulator.runs().len(), 2);

    let (status, view) = replay(&world, &kept, json!({ "again": true, "note": "new data" })).await;
    assert_eq!((status, text(&view, "/runs/0/what")), (200, "new"), "{view}");
    let second = run_of(&view, 0);
    assert_ne!(second, run);
    let second = world.run_in(second, RunState::Started).await;
    let (what, act) = second.acts.first().expect("an act");
    assert_eq!((what.as_str(), act.who.as_str()), ("replay", "ops"));
    assert_eq!(act.note.as_deref(), Some("new data"));
    let runs = world.simulator.runs();
    let of_this: Vec<_> =
        runs.iter().filter(|run| run.environment["GATEWAY_DELIVERY_ID"] == kept).collect();
    assert_eq!(of_this.len(), 2);
    assert_ne!(of_this[0].environment["GATEWAY_RUN_ID"], of_this[1].environment["GATEWAY_RUN_ID"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_leaves_a_held_run_to_the_person_who_releases_it() {
    let world = World::start(ON_PUSH).await;
    let (kept, run) = push_that(&world, "held", RunState::Held).await;
    let (status, view) = replay(&world, &kept, json!({})).await;
    assert_eq!(status, 200, "{view}");
    assert_eq!(text(&view, "/runs/0/what"), "left as it is");
    assert_eq!(text(&view, "/runs/0/state"), "held");
    a_later_start(&world, "later").await;
    assert_eq!(world.run(run).await.tries.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_was_added_later_can_have_an_old_delivery() {
    let world = World::start(ON_PUSH).await;
    let (_, answer) = world.send(world.github("release", "early", PUSH)).await;
    assert_eq!(answer["runs"], json!([]), "{answer}");
    let kept = text(&answer, "/delivery");
    let added = "\n  on-release:\n    on: { source: github, event: release }\n    job: report\n  on-push:\n";
    edit(&world.site, "\n  on-push:\n", added);
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    let path = format!("/api/deliveries/{kept}/explain");
    let (_, explained) = world.api(reqwest::Method::GET, &path, None).await;
    assert_eq!(text(&explained, "/runs/0/route"), "on-release", "{explained}");
    assert!(world.simulator.requests().is_empty(), "an explanation starts nothing");
    let (status, view) = replay(&world, kept, json!({})).await;
    assert_eq!((status, text(&view, "/runs/0/what")), (200, "new"), "{view}");
    world.run_in(run_of(&view, 0), RunState::Started).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_for_one_route_says_why_that_one_does_not_match() {
    let routes = format!(
        "{ON_PUSH}  on-tag:\n    on: {{ source: github, event: push, tag: \"v*\" }}\n    job: report\n"
    );
    let world = World::start(&routes).await;
    let (kept, _) = push_that(&world, "once", RunState::Failed).await;
    let (status, problem) = replay(&world, &kept, json!({ "route": "on-tag" })).await;
    assert_eq!(status, 409, "{problem}");
    assert!(text(&problem, "/error").starts_with("route on-tag does not match"), "{problem}");
    let (status, problem) = replay(&world, &kept, json!({ "route": "no-such-route" })).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(text(&problem, "/error"), "source github has no route no-such-route");
    let (status, view) = replay(&world, &kept, json!({ "route": "on-push" })).await;
    assert_eq!((status, text(&view, "/runs/0/what")), (200, "queued again"), "{view}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_run_that_a_route_now_wants_looked_at_is_held() {
    // The list of files of a forced push is not whole, so that the route's own word decides.
    let route = "  on-push:\n    on: { source: github, event: push, path: \"models/**\" }\n    on_unknown_paths: hold\n    job: retrain\n    env: { VALUE: \"${{ body.none }}\" }\n";
    let world = World::start(route).await;
    let forced = include_str!("../../payloads/github/push-forced.json");
    let (_, answer) = world.send(world.github("push", "forced", forced)).await;
    assert_eq!(text(&answer, "/runs/0/state"), "failed", "{answer}");
    edit(&world.site, "${{ body.none }}", "${{ git.sha }}");
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    let (status, view) = replay(&world, text(&answer, "/delivery"), json!({})).await;
    assert_eq!(status, 200, "{view}");
    assert_eq!((text(&view, "/runs/0/what"), text(&view, "/runs/0/state")), ("held", "held"));
    let run = world.run(run_of(&answer, 0)).await;
    assert_eq!(run.brief.state, RunState::Held);
    assert!(world.simulator.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_is_not_there_is_not_replayed() {
    let world = World::start(ON_PUSH).await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    assert_eq!(replay(&world, nobody, json!({})).await.0, 404);
    assert_eq!(replay(&world, "x", json!({})).await.0, 400);
}
