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

/// The gateway whose webhook secret comes from a program that hangs once the file `hang` is there.
fn with_a_program_that_may_hang(workbench: &str) -> Site {
    let site = Site::with(workbench, ON_PUSH, "  shutdown_grace: 1s", "");
    let directory = site.directory.path().display();
    let script = format!(
        "if [ -e {directory}/hang ]; then : >{directory}/hangs; exec sleep 20; fi; \
         cat {directory}/secrets/webhook"
    );
    let text = config(workbench, ON_PUSH, "  shutdown_grace: 1s", "");
    let program = format!("{{ command: [sh, -c, '{script}'] }}");
    let with = text.replacen("{ file: secrets/webhook }", &program, 1);
    assert_ne!(with, text);
    site.write_config(&with);
    site
}

async fn ends_while_a_reload_hangs(reload: impl AsyncFn(&Serving)) {
    let simulator = common::simulator().await;
    let site = with_a_program_that_may_hang(&simulator.api_url());
    let serving = Serving::on(&site);
    // The program is run again only if it was run before.
    let (_, faults) = in_force(&serving).await;
    assert_eq!(faults, 0);
    std::fs::write(site.path("hang"), "").expect("written");
    reload(&serving).await;
    while !site.path("hangs").exists() {
        tokio::task::yield_now().await;
    }
    let asked = std::time::Instant::now();
    assert_eq!(serving.running.terminate().code(), Some(0));
    // The program would hang for 10 s, after which it is stopped.
    assert!(asked.elapsed() < std::time::Duration::from_secs(8), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_in_time_while_a_reload_by_signal_hangs() {
    ends_while_a_reload_hangs(async |serving| hang_up(serving)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_in_time_while_a_reload_by_the_api_hangs() {
    ends_while_a_reload_hangs(async |serving| {
        let request = client().post(format!("http://{}/api/reload", serving.admin));
        let request = request.bearer_auth(ADMIN_TOKEN).json(&serde_json::json!({}));
        tokio::spawn(request.send());
    })
    .await;
}

/// The routes that a push would be for now.
async fn matched(serving: &Serving, id: &str) -> Vec<String> {
    let request = client()
        .post(format!("http://{}/hooks/github", serving.hooks))
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", common::github_signature(common::PUSH.as_bytes()))
        .header("content-type", "application/json")
        .body(common::PUSH);
    let answer: serde_json::Value =
        request.send().await.expect("an answer").json().await.expect("JSON");
    let runs = answer["runs"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let name = |run: &serde_json::Value| run["route"].as_str().expect("a route").to_owned();
    let mut routes: Vec<String> = runs.iter().map(name).collect();
    routes.sort_unstable();
    routes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_broken_across_a_restart_stays_in_force_as_it_was() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    std::fs::create_dir(site.path("routes.d")).expect("a directory");
    let write = |file: &str, text: &str| {
        std::fs::write(site.path("routes.d").join(file), text).expect("written");
    };
    let route = |name: &str| {
        format!("routes:\n  {name}:\n    on: {{ source: github, event: push }}\n    job: retrain\n")
    };
    write("fraud.yaml", &route("fraud"));
    let serving = Serving::on(&site);
    assert_eq!(matched(&serving, "first").await, ["fraud", "on-push"]);
    write("fraud.yaml", &route("fraud-2"));
    let reload = client()
        .post(format!("http://{}/api/reload", serving.admin))
        .bearer_auth(ADMIN_TOKEN)
        .json(&serde_json::json!({}));
    assert_eq!(reload.send().await.expect("an answer").status(), 200);
    assert!(serving.running.terminate().success());

    write("fraud.yaml", "routes: [\n");
    write("never-good.yaml", "routes: [\n");
    for id in ["second", "third"] {
        let serving = Serving::on(&site);
        assert_eq!(
            matched(&serving, id).await,
            ["fraud-2", "on-push"],
            "it is kept as long as it takes"
        );
        assert!(in_force(&serving).await.1 > 0, "its faults are told all the same");
        assert!(serving.running.terminate().success());
    }
    // A file that is gone is gone, and what was kept of it too.
    std::fs::remove_file(site.path("routes.d/fraud.yaml")).expect("removed");
    let serving = Serving::on(&site);
    assert_eq!(matched(&serving, "fourth").await, ["on-push"]);
    assert!(serving.running.terminate().success());
    write("fraud.yaml", "routes: [\n");
    assert_eq!(matched(&Serving::on(&site), "fifth").await, ["on-push"]);
}
