//! A key that a workbench refuses: it is paused, and every run that needs it waits for another key.

use std::time::Duration;

use cdsw_gateway::clock::Clock;
use cdsw_gateway::model::{Outcome, RunState, to_the_second};
use cdsw_gateway::simulator::{SimulatedUser, Simulator};

use super::common::{ADMIN_TOKEN, API_KEY, Site, World, simulator_options};
use super::{ROUTES, a_look_at_the_queue, report, requests};

const BOBS_KEY: &str = "canary-bobs-key-0badc0de";
const OLD_KEY: &str = "canary-old-key-that-was-revoked";

/// `retrain` is started with the key of alice, which the workbench no longer knows; `report` with
/// that of bob.
async fn world() -> World {
    let mut options = simulator_options();
    options.users.push(SimulatedUser::new("bob", BOBS_KEY));
    let simulator = Simulator::start(options).await.expect("starts on loopback");
    let site = Site::new(&simulator.api_url(), ROUTES);
    site.private("bob", BOBS_KEY);
    site.private("api-key", OLD_KEY);
    let text = std::fs::read_to_string(site.config()).expect("read");
    let (first, report) = text.split_once("  report:").expect("a second job");
    let report = report.replacen("api_key: alice", "api_key: bob", 1);
    let keys = "api_keys: { bob: { file: secrets/bob }, alice:";
    let text = format!("{first}  report:{report}").replace("api_keys: { alice:", keys);
    site.write_config(&text);
    World::on(site, simulator).await
}

async fn notes(world: &World) -> String {
    let request = world.client.get(world.admin("/readyz")).bearer_auth(ADMIN_TOKEN);
    let (status, ready) = world.send(request).await;
    assert_eq!(status, 200, "deliveries can be kept all the same: {ready}");
    ready["notes"].to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_key_fails_no_run_and_all_of_them_start_once_it_changes() {
    let world = world().await;
    assert_eq!(notes(&world).await, "[]");
    let told = world.push("told").await;
    let run = world.run_after(told, 1).await;
    assert_eq!(run.brief.state, RunState::Queued, "{run:#?}");
    assert_eq!(run.tries[0].outcome, Some(Outcome::NotStartedForNow));
    assert_eq!(run.tries[0].status, Some(401));
    let reason = run.brief.reason.expect("a reason");
    assert!(reason.contains("did not accept the API key (401)"), "{reason}");
    let said = notes(&world).await;
    assert!(
        said.contains("API key main/alice has been paused since 2026-03-01 12:00:00Z"),
        "{said}"
    );

    let first = world.push("first").await;
    let second = world.push("second").await;
    a_look_at_the_queue(&world, "look").await;
    world.clock.advance(Duration::from_secs(3600));
    a_look_at_the_queue(&world, "another look").await;
    for id in [first, second] {
        let run = world.run(id).await;
        assert_eq!((run.brief.state, run.tries.len()), (RunState::Queued, 0), "{run:#?}");
        assert!(requests(&world, id).is_empty());
    }

    world.site.private("api-key", API_KEY);
    world.live.secrets().refresh().expect("no programs");
    world.gateway.wake();
    for (id, attempts) in [(told, 2), (first, 1), (second, 1)] {
        let run = world.run_in(id, RunState::Started).await;
        assert_eq!(run.tries.len(), attempts);
    }
    assert_eq!(notes(&world).await, "[]");
    let old = world.simulator.requests().iter().filter(|entry| !entry.key_known).count();
    assert_eq!(old, 1, "the refused key was sent more than once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_replaced_by_another_wrong_one_is_refused_again() {
    let world = world().await;
    let told = world.push("told").await;
    world.run_after(told, 1).await;
    let second = world.push("second").await;
    let third = world.push("third").await;
    a_look_at_the_queue(&world, "look").await;
    assert_eq!(world.run(second).await.brief.state, RunState::Queued);
    world.clock.advance(Duration::from_secs(60));
    world.site.private("api-key", "canary-another-wrong-key");
    world.live.secrets().refresh().expect("no programs");
    world.gateway.wake();
    // All were sent at once, since the key was new, and none of them is lost.
    for (id, attempts) in [(told, 2), (second, 1), (third, 1)] {
        let run = world.run_after(id, attempts).await;
        assert_eq!(run.brief.state, RunState::Queued, "{run:#?}");
    }
    let said = notes(&world).await;
    assert!(
        said.contains(&format!(
            "API key main/alice has been paused since {}",
            to_the_second(world.clock.now())
        )),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_read_fails_nothing() {
    let world = world().await;
    std::fs::remove_file(world.site.path("secrets/api-key")).expect("removed");
    world.live.secrets().refresh().expect("no programs");
    let id = world.push("unread").await;
    let run = world.run_after(id, 1).await;
    assert_eq!(run.brief.state, RunState::Queued, "{run:#?}");
    let reason = run.tries[0].reason.as_deref().unwrap_or_default();
    assert!(reason.starts_with("the API key alice cannot be read"), "{reason}");
    assert!(requests(&world, id).is_empty());
    world.site.private("api-key", API_KEY);
    world.live.secrets().refresh().expect("no programs");
    world.advance_to(run.brief.due_at);
    world.run_in(id, RunState::Started).await;
    report(&world, "bob").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_sent_fails_nothing_and_gives_its_workbench_no_rest() {
    let world = world().await;
    std::fs::write(world.site.path("secrets/api-key"), b"\xff\xfekey\n").expect("written");
    world.live.secrets().refresh().expect("no programs");
    let mut unsent = Vec::new();
    for number in 0..8 {
        let id = world.push(&format!("unsent-{number}")).await;
        let run = world.run_after(id, 1).await;
        assert_eq!(run.brief.state, RunState::Queued, "{run:#?}");
        assert_eq!(run.tries[0].outcome, Some(Outcome::NotStartedForNow));
        let reason = run.tries[0].reason.as_deref().unwrap_or_default();
        let words = "nothing can be sent with the API key alice: the API key is not text (UTF-8)";
        assert_eq!(reason, words);
        assert!(requests(&world, id).is_empty());
        unsent.push(run);
    }
    // The same workbench, with the key of bob.
    a_look_at_the_queue(&world, "other").await;
    assert_eq!(notes(&world).await, "[]");
    world.site.private("api-key", API_KEY);
    world.live.secrets().refresh().expect("no programs");
    for run in unsent {
        world.advance_to(run.brief.due_at);
        world.run_in(run.brief.id, RunState::Started).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_starts_with_a_wrong_key_loses_none_of_them() {
    let world = world().await;
    let text = std::fs::read_to_string(world.site.config()).expect("read");
    let fast = "    job: 208\n    resume_per_minute: 1000\n";
    world.site.write_config(&text.replace("    job: 208\n", fast));
    world.live.reload().expect("good");
    let mut runs = Vec::new();
    for number in 0..40 {
        runs.push(world.push(&format!("many-{number}")).await);
    }
    world.run_after(runs[0], 1).await;
    a_look_at_the_queue(&world, "look").await;
    world.site.private("api-key", API_KEY);
    world.live.secrets().refresh().expect("no programs");
    world.gateway.wake();
    for id in runs {
        world.run_in(id, RunState::Started).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_key_is_never_put_right_fails_at_its_deadline_and_says_what_it_waited_for() {
    let world = world().await;
    let told = world.push("told").await;
    world.run_after(told, 1).await;
    world.clock.advance(Duration::from_secs(25 * 3600));
    a_look_at_the_queue(&world, "look").await;
    let run = world.run_in(told, RunState::Failed).await;
    let reason = run.brief.reason.expect("a reason");
    assert!(reason.contains("did not accept the API key (401)"), "{reason}");
    assert!(reason.contains("it waited: API key main/alice has been paused"), "{reason}");
    let said = notes(&world).await;
    assert!(said.contains("1 run failed since 2026-03-02 13:00:00Z: 1 of retrain"), "{said}");
}
