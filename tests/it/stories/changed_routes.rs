//! A route changes while a run of it waits: in one process, where nobody else writes runs.

use std::time::Duration;

use cdsw_gateway::model::{RunId, RunState};
use reqwest::Method;
use serde_json::json;

use super::common::{ON_PUSH, PUSH, World};
use super::{edit, release, replay, run_of, text};

const ROUTE: &str = r#"
  on-push:
    on: { source: github, event: push }
    job: retrain
    env:
      GIT_SHA: ${{ git.sha }}
      MODE: nightly
"#;

const OTHER: &str = "\n  other:\n    on: { source: github, event: release }\n    job: report\n";

/// A push whose run waits, since its job is paused; gives its delivery and its run.
async fn waiting(world: &World, id: &str) -> (String, RunId) {
    switch(world, "pause").await;
    let (status, answer) = world.send(world.github("push", id, PUSH)).await;
    assert_eq!(status, 202, "{answer}");
    (text(&answer, "/delivery").to_owned(), run_of(&answer, 0))
}

/// Pauses the job, or resumes it.
async fn switch(world: &World, act: &str) {
    let job = json!({ "kind": "job", "name": "retrain" });
    let (status, view) = world.api(Method::POST, &format!("/api/{act}"), Some(job)).await;
    assert_eq!(status, 200, "{view}");
}

async fn cancel(world: &World, run: RunId) {
    let path = format!("/api/runs/{run}/cancel");
    let (status, view) = world.api(Method::POST, &path, Some(json!({}))).await;
    assert_eq!(status, 200, "{view}");
}

fn reload(world: &World) {
    world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_waits_is_sent_with_the_variables_that_it_was_accepted_with() {
    let world = World::start(ROUTE).await;
    let (_, run) = waiting(&world, "waits").await;
    edit(&world.site, "MODE: nightly", "MODE: hourly\n      ADDED: since then");
    reload(&world);
    switch(&world, "resume").await;
    world.run_in(run, RunState::Started).await;
    let sent = &world.simulator.runs()[0].environment;
    assert_eq!(sent["MODE"], "nightly");
    assert!(!sent.contains_key("ADDED"), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_route_is_gone_is_held_at_once_and_says_what_works() {
    let world = World::start(ROUTE).await;
    let (_, run) = waiting(&world, "waits").await;
    edit(&world.site, "  on-push:", "  renamed:");
    reload(&world);
    switch(&world, "resume").await;
    let held = world.run_in(run, RunState::Held).await;
    let reason = held.brief.reason.expect("a reason");
    assert!(reason.contains("there is no route of its name; mend the route and then"), "{reason}");
    let (status, problem) = release(&world, run, json!({ "do": "retry" })).await;
    assert_eq!((status, text(&problem, "/code")), (409, "not-asked"), "{problem}");
    assert!(text(&problem, "/error").contains("there is no route of its name"), "{problem}");
    assert_eq!(world.run(run).await.acts.len(), 0, "nothing was done");
    // What the reason says works.
    edit(&world.site, "  renamed:", "  on-push:");
    reload(&world);
    let (status, view) = release(&world, run, json!({ "do": "retry" })).await;
    assert_eq!((status, text(&view, "/state")), (200, "queued"), "{view}");
    world.run_in(run, RunState::Started).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_again_of_a_run_that_no_route_asks_for_is_a_run_of_the_routes_of_today() {
    let world = World::start(ROUTE).await;
    let (kept, run) = waiting(&world, "waits").await;
    edit(&world.site, "      MODE: nightly\n", "");
    reload(&world);
    switch(&world, "resume").await;
    let held = world.run_in(run, RunState::Held).await;
    let reason = held.brief.reason.expect("a reason");
    assert!(reason.contains("its route sets no variable MODE"), "{reason}");
    let (_, view) = replay(&world, &kept, json!({})).await;
    let shown = (text(&view, "/runs/0/what"), text(&view, "/runs/0/state"));
    assert_eq!(shown, ("left as it is", "held"), "{view}");
    let (_, view) = replay(&world, &kept, json!({ "again": true })).await;
    assert_eq!(text(&view, "/runs/0/what"), "new", "{view}");
    world.run_in(run_of(&view, 0), RunState::Started).await;
    assert_eq!(world.run(run).await.brief.state, RunState::Held, "a person still decides about it");
    assert_eq!(world.simulator.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_run_is_replayed_as_itself_with_the_variables_of_today() {
    for again in [false, true] {
        let world = World::start(ROUTE).await;
        let (kept, run) = waiting(&world, "waits").await;
        cancel(&world, run).await;
        edit(&world.site, "MODE: nightly", "MODE: hourly");
        reload(&world);
        switch(&world, "resume").await;
        let (_, view) = replay(&world, &kept, json!({ "again": again })).await;
        assert_eq!(text(&view, "/runs/0/what"), "queued again", "{view}");
        assert_eq!(run_of(&view, 0), run);
        world.run_in(run, RunState::Started).await;
        assert_eq!(world.simulator.runs()[0].environment["MODE"], "hourly");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_by_a_route_that_leads_to_another_job_by_now_is_a_run_of_that_job() {
    let world = World::start(ROUTE).await;
    let (kept, run) = waiting(&world, "waits").await;
    cancel(&world, run).await;
    edit(
        &world.site,
        "    job: retrain\n    env:\n      GIT",
        "    job: report\n    env:\n      GIT",
    );
    reload(&world);
    switch(&world, "resume").await;
    let (_, view) = replay(&world, &kept, json!({})).await;
    assert_eq!(text(&view, "/runs/0/what"), "new", "{view}");
    let second = world.run_in(run_of(&view, 0), RunState::Started).await;
    assert_eq!(second.brief.job, "report");
    assert_eq!(world.run(run).await.brief.state, RunState::Cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_route_is_held_back_waits_until_the_files_are_mended() {
    let claim = "routes:\n  on-push:\n    on: { source: github, event: push }\n    job: report\n";
    // Another file claims the name; and a file that is broken when the gateway starts again.
    for restarted in [false, true] {
        let mut world = World::start(if restarted { OTHER } else { ON_PUSH }).await;
        let team = world.site.path("routes.d");
        std::fs::create_dir_all(&team).expect("a directory");
        let file = team.join("team.yaml");
        let good = format!("routes:{ON_PUSH}");
        if restarted {
            std::fs::write(&file, &good).expect("written");
            reload(&world);
        }
        let (_, run) = waiting(&world, "waits").await;
        if restarted {
            std::fs::write(&file, good.replace("git.sha", "git.no-such")).expect("written");
            world = world.restart().await;
        } else {
            std::fs::write(&file, claim).expect("written");
            reload(&world);
        }
        assert!(world.live.plan().routes.iter().all(|route| *route.name != *"on-push"));
        switch(&world, "resume").await;
        let words = "waits until faulty files are mended: ";
        let said =
            async || world.run(run).await.brief.reason.is_some_and(|why| why.starts_with(words));
        let waiting = async {
            while !said().await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it says so");
        world.clock.advance(Duration::from_secs(600));
        if restarted {
            std::fs::write(&file, &good).expect("written");
        } else {
            std::fs::remove_file(&file).expect("removed");
        }
        reload(&world);
        world.clock.advance(Duration::from_secs(60));
        world.run_in(run, RunState::Started).await;
        assert_eq!(world.simulator.runs().len(), 1);
    }
}
