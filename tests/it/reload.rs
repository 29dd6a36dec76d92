//! A running gateway takes up a changed configuration: when its file is replaced, and on SIGHUP; and
//! it keeps the last good one.

use std::process::Command;

use crate::common::process::Serving;
use crate::common::{self, ADMIN_TOKEN, ON_PUSH, Site, client, config};

const MORE: &str = "\n  another:\n    on: { source: gitlab }\n    job: report\n";

/// What `/readyz` says about the configuration: its version, and how many faults the files have.
async fn in_force(serving: &Serving) -> (String, u64) {
    let request = client().get(format!("http://{}/readyz", serving.admin));
    let answer = request.bearer_auth(ADMIN_TOKEN).send().await;
    let ready: serde_json::Value = answer.expect("an answer").json().await.expect("JSON");
    let version = ready["config"].as_str().expect("a version").to_owned();
    (version, ready["config_faults"].as_u64().expect("a number"))
}

/// Asks until the answer is as wanted.
async fn until(serving: &Serving, wanted: impl Fn(&(String, u64)) -> bool) -> (String, u64) {
    for _ in 0..5_000 {
        let found = in_force(serving).await;
        if wanted(&found) {
            return found;
        }
    }
    panic!("still {:?}", in_force(serving).await);
}

/// Asks until an act of this one brought this version.
async fn the_book_has(serving: &Serving, who: &str, version: &str) {
    let mut text = String::new();
    for _ in 0..5_000 {
        let acts = client().get(format!("http://{}/api/audit", serving.admin));
        let acts = acts.bearer_auth(common::ADMIN_TOKEN).send().await.expect("an answer");
        text = acts.text().await.expect("text");
        if text.contains(who) && text.contains(version) {
            return;
        }
    }
    panic!("{who} has not brought {version}: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_file_is_taken_up_and_a_faulty_one_is_not() {
    let simulator = common::simulator().await;
    let site = Site::new(&simulator.api_url(), ON_PUSH);
    let serving = Serving::on(&site);
    let (first, faults) = in_force(&serving).await;
    assert_eq!(faults, 0);

    // As editors do it: a new file in the place of the old one.
    let text = config(&simulator.api_url(), &format!("{ON_PUSH}{MORE}"), "", "");
    std::fs::write(site.path("new.yaml"), text).expect("written");
    std::fs::rename(site.path("new.yaml"), site.config()).expect("renamed");
    let (second, _) = until(&serving, |(version, _)| *version != first).await;
    the_book_has(&serving, "changed files", &second).await;

    site.write_config("routes: [this is no configuration");
    let (kept, _) = until(&serving, |(_, faults)| *faults > 0).await;
    assert_eq!(kept, second, "the last good version stays in force");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sighup_reads_the_files_again_and_stops_nothing() {
    let simulator = common::simulator().await;
    let site = Site::new(&simulator.api_url(), ON_PUSH);
    let serving = Serving::on(&site);
    let (first, _) = in_force(&serving).await;
    site.write_config(&config(&simulator.api_url(), &format!("{ON_PUSH}{MORE}"), "", ""));
    let id = serving.running.id().to_string();
    let sent = Command::new("kill").args(["-HUP", &id]).status().expect("kill runs");
    assert!(sent.success());
    until(&serving, |(version, _)| *version != first).await;
    assert_eq!(serving.running.terminate().code(), Some(0));
}

fn hang_up(serving: &Serving) {
    let id = serving.running.id().to_string();
    let sent = Command::new("kill").args(["-HUP", &id]).status().expect("kill runs");
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reload_that_was_asked_for_is_in_the_book_with_what_it_came_to() {
    let simulator = common::simulator().await;
    let site = Site::new(&simulator.api_url(), ON_PUSH);
    let serving = Serving::on(&site);
    let (first, _) = in_force(&serving).await;
    hang_up(&serving);
    the_book_has(&serving, "signal", "nothing changed").await;
    site.write_config("routes: [this is no configuration");
    until(&serving, |(_, faults)| *faults > 0).await;
    hang_up(&serving);
    the_book_has(&serving, "signal", "refused: 1 fault").await;
    let (kept, _) = in_force(&serving).await;
    assert_eq!(kept, first);
}
