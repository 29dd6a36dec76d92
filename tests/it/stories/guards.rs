//! What keeps a job from starting itself for ever, and what is done when nobody knows which files
//! were changed.

use cdsw_gateway::model::RunState;
use serde_json::json;

use super::common::{ON_PUSH, PUSH, World};
use super::{delivery, edit, push_with, run_of, text};

/// Sends it; nothing is started, and the kept delivery says why.
async fn starts_nothing(world: &World, id: &str, body: String) -> String {
    let (status, answer) = world.send(world.github("push", id, body)).await;
    assert_eq!((status, &answer["runs"]), (200, &json!([])), "{answer}");
    let view = delivery(world, text(&answer, "/delivery")).await;
    text(&view, "/explanation/nothing").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_of_an_ignored_actor_starts_nothing() {
    let world = World::start(ON_PUSH).await;
    let source = "github: { provider: github,";
    edit(&world.site, source, &format!("{source} ignore_actors: [\"risk-bot\", \"ci-*\"],"));
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    for actor in ["risk-bot", "ci-nightly"] {
        let body = push_with(json!({ "sender": { "login": actor }, "pusher": { "name": actor } }));
        let why = starts_nothing(&world, actor, body.to_string()).await;
        assert_eq!(why, format!("the source ignores what {actor} does (ignore_actors)"));
    }
    let id = world.push("a-person").await;
    world.run_in(id, RunState::Started).await;
    assert_eq!(world.simulator.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_commit_can_ask_to_be_skipped() {
    let world = World::start(ON_PUSH).await;
    let marked = PUSH.replace("lower the learning rate", "results of the last run [skip cdsw]");
    assert_ne!(marked, PUSH);
    let why = starts_nothing(&world, "marked", marked.clone()).await;
    assert_eq!(why, "the head commit says [skip cdsw]");
    // The mark of an older commit of the same push is not the head's.
    let mut push: serde_json::Value = serde_json::from_str(&marked).expect("JSON");
    push["head_commit"]["message"] = json!("a commit after it");
    let (status, answer) = world.send(world.github("push", "older", push.to_string())).await;
    assert_eq!(status, 202, "{answer}");
}

const PATHS: &str = r#"
  start:
    on: { source: gitlab, event: push, path: "models/**" }
    on_unknown_paths: start
    job: retrain
  skip:
    on: { source: gitlab, event: push, path: "models/**" }
    on_unknown_paths: skip
    job: retrain
  hold:
    on: { source: gitlab, event: push, path: "models/**" }
    on_unknown_paths: hold
    job: retrain
  usual:
    on: { source: gitlab, event: push, path: "models/**" }
    job: retrain
  listed:
    on: { source: gitlab, event: push, path: "*.py" }
    on_unknown_paths: skip
    job: retrain
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_says_what_to_do_when_the_list_of_files_is_not_whole() {
    let world = World::start(PATHS).await;
    let body = include_str!("../../payloads/gitlab/push-more-than-listed.json");
    let request = world.signed("gitlab", "Push Hook", "cut", body, super::common::GITLAB_TOKEN);
    let (status, answer) = world.send(request).await;
    assert_eq!(status, 202, "{answer}");
    let runs = answer["runs"].as_array().expect("runs");
    let mut states: Vec<(&str, &str)> =
        runs.iter().map(|run| (text(run, "/route"), text(run, "/state"))).collect();
    states.sort_unstable();
    assert_eq!(
        states,
        [("hold", "held"), ("listed", "queued"), ("start", "queued"), ("usual", "queued")]
    );
    for (position, run) in runs.iter().enumerate() {
        if text(run, "/state") == "held" {
            let reason = world.run(run_of(&answer, position)).await.brief.reason;
            let reason = reason.expect("a held run says why");
            assert!(reason.contains("not known to be whole"), "{reason}");
        }
    }
    let view = delivery(&world, text(&answer, "/delivery")).await;
    let said = |route: &str| {
        let routes = view["explanation"]["routes"].as_array().expect("routes").clone();
        routes.into_iter().find(|said| said["route"] == route).expect("explained")
    };
    assert!(text(&said("start"), "/words").ends_with("(on_unknown_paths: start)"));
    assert!(text(&said("hold"), "/words").ends_with("(on_unknown_paths: hold)"));
    let skipped = said("skip");
    assert_eq!((&skipped["matched"], text(&skipped, "/test")), (&json!(false), "path"));
    assert!(text(&skipped, "/words").ends_with("(on_unknown_paths: skip)"));
    assert_eq!(said("listed").get("words"), None, "a file that is listed decides by itself");
}
