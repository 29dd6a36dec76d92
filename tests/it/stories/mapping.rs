//! A route promises a variable that a payload cannot fill. The delivery is kept, its run says what
//! was missing, and once the route is mended a replay starts it.

use cdsw_gateway::model::RunState;
use serde_json::json;

use super::common::{PUSH, World};
use super::{delivery, edit, replay, run_of, text};

/// A variable as it was written, what the run says about it, and the mended one.
const CASES: [(&str, &str, &str); 4] = [
    ("VALUE: ${{ body.model.name }}", "say `default` or `omit` if that may happen", "VALUE: none"),
    (
        "VALUE: { value: \"${{ git.sha }}\", matches: \"^v[0-9]+$\" }",
        "VALUE: the value does not match `^v[0-9]+$`",
        "VALUE: { value: \"${{ git.sha }}\", matches: \"^[0-9a-f]{40}$\" }",
    ),
    (
        "VALUE: { value: \"${{ body.head_commit.message }}\", max_bytes: 4 }",
        "and 4 are allowed",
        "VALUE: { value: \"${{ body.head_commit.message }}\", max_bytes: 400 }",
    ),
    ("VALUE: ${{ body.commits[7].id }}", "VALUE: ", "VALUE: ${{ body.commits[0].id }}"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_that_fails_keeps_the_delivery_until_the_route_is_mended() {
    for (written, said, mended) in CASES {
        let routes = format!(
            "  on-push:\n    on: {{ source: github, event: push }}\n    job: retrain\n    env:\n      {written}\n"
        );
        let world = World::start(&routes).await;
        let (status, answer) = world.send(world.github("push", "promise", PUSH)).await;
        assert_eq!(status, 202, "what is kept is never refused: {answer}");
        assert_eq!(text(&answer, "/runs/0/state"), "failed", "{written}");
        let id = run_of(&answer, 0);
        let run = world.run(id).await;
        let reason = run.brief.reason.as_deref().unwrap_or_default();
        assert!(reason.starts_with("the environment could not be made: VALUE: "), "{reason}");
        assert!(reason.contains(said), "{reason}");
        assert!(!reason.contains("lower the learning rate"), "a value is quoted: {reason}");
        assert_eq!((run.environment, run.tries.len()), (None, 0));

        let kept = text(&answer, "/delivery");
        // Without a mended route there is nothing new to say.
        let (status, view) = replay(&world, kept, json!({})).await;
        assert_eq!((status, text(&view, "/runs/0/what")), (200, "failed again"), "{view}");

        edit(&world.site, written, mended);
        world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
        let (status, view) = replay(&world, kept, json!({ "note": "mended" })).await;
        assert_eq!((status, text(&view, "/runs/0/what")), (200, "queued again"), "{view}");
        assert_eq!(text(&view, "/runs/0/id"), id.to_string());
        let run = world.run_in(id, RunState::Started).await;
        assert!(run.environment.expect("made").get("VALUE").is_some());
        let (what, act) = run.acts.last().expect("an act");
        assert_eq!((what.as_str(), act.who.as_str()), ("replay", "ops"));
        assert_eq!(act.note.as_deref(), Some("mended"));
        assert_eq!(world.simulator.requests().len(), 1);
        // What was said when the delivery came in still stands beside it.
        let view = delivery(&world, kept).await;
        assert!(text(&view, "/explanation/routes/0/words").contains(said), "{view}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redelivery_too_takes_the_mended_route() {
    let routes = "  on-push:\n    on: { source: github, event: push }\n    job: retrain\n    env: { VALUE: \"${{ body.none }}\" }\n";
    let world = World::start(routes).await;
    let (_, answer) = world.send(world.github("push", "promise", PUSH)).await;
    let id = run_of(&answer, 0);
    edit(&world.site, "${{ body.none }}", "${{ git.branch }}");
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    let (status, answer) = world.send(world.github("push", "promise", PUSH)).await;
    assert_eq!((status, text(&answer, "/runs/0/state")), (200, "queued"), "{answer}");
    let run = world.run_in(id, RunState::Started).await;
    assert_eq!(run.environment.expect("made").get("VALUE"), Some("main"));
}
