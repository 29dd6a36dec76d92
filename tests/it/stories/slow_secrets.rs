//! A program that hangs while it should print a secret: only who needs it waits.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use cdsw_gateway::model::RunState;

use super::common::{ADMIN_TOKEN, ON_PUSH, PUSH, Site, WEBHOOK_SECRET, World, simulator};

/// A program that says that it was run, and prints what the test writes into the pipe.
fn program(site: &Site, pipe: &str) -> String {
    let made = Command::new("mkfifo").arg(site.path(pipe)).status().expect("it runs");
    assert!(made.success());
    let at = site.directory.path().display();
    format!("{{ command: [sh, -c, \"echo run >>{at}/{pipe}.runs; cat {at}/{pipe}\"] }}")
}

/// A site with one more source, job and admin token, each of which needs a program of its own.
async fn world() -> World {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), ON_PUSH);
    let text = std::fs::read_to_string(site.config()).expect("read");
    let slow = format!("  slow: {{ provider: github, secrets: [{}] }}\n", program(&site, "hook"));
    let key = format!("api_keys: {{ bob: {}, alice:", program(&site, "key"));
    let token = format!("admin_tokens: {{ night: {}, ops:", program(&site, "token"));
    let (before, report) = text.split_once("  report:").expect("a second job");
    let report = report.replacen("api_key: alice", "api_key: bob", 1);
    let text = format!("{before}  report:{report}")
        .replace("api_keys: { alice:", &key)
        .replace("admin_tokens: { ops:", &token)
        .replace("sources:\n", &format!("sources:\n{slow}"))
        .replace("routes:\n", &format!("routes:\n{BY_BOB}"));
    site.write_config(&text);
    World::on(site, simulator).await
}

/// A route whose job needs the slow key.
const BY_BOB: &str = "  by-bob: { on: { source: github, event: create }, job: report }\n";

/// Ends once the program reads; it prints what is written and hangs until this is dropped.
fn hanging(site: &Site, pipe: &str) -> std::fs::File {
    std::fs::OpenOptions::new().write(true).open(site.path(pipe)).expect("it reads")
}

fn runs(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_hangs_delays_only_those_who_need_its_secret_and_is_run_once() {
    let world = world().await;
    // It began with the gateway, which did not wait for it.
    let mut hook = hanging(&world.site, "hook");
    let asking: Vec<_> = (0..8)
        .map(|number| {
            let request =
                world.signed("slow", "push", &format!("slow-{number}"), PUSH, WEBHOOK_SECRET);
            tokio::spawn(request.send())
        })
        .collect();

    // Another source, another job's key, another token, and the probe of a cluster.
    let (status, answer) = world.send(world.github("create", "bobs", CREATED)).await;
    assert_eq!(status, 202, "{answer}");
    let mut key = hanging(&world.site, "key");
    let run = world.push("in-between").await;
    world.run_in(run, RunState::Started).await;
    let runs_of = world.client.get(world.admin("/api/runs")).bearer_auth(ADMIN_TOKEN);
    assert_eq!(world.send(runs_of).await.0, 200);
    let token = hanging(&world.site, "token");
    let probe = world.client.get(world.admin("/readyz")).bearer_auth(ADMIN_TOKEN);
    let (status, ready) = world.send(probe).await;
    assert_eq!(status, 200, "{ready}");
    assert!(ready["notes"].to_string().contains("source slow can receive nothing yet"), "{ready}");
    assert!(asking.iter().all(|asked| !asked.is_finished()), "none could be answered yet");

    hook.write_all(WEBHOOK_SECRET.as_bytes()).expect("written");
    drop(hook);
    for asked in asking {
        assert_eq!(asked.await.expect("whole").expect("an answer").status(), 200);
    }
    key.write_all(b"not the key of the workbench").expect("written");
    drop(key);
    let bobs = answer["runs"][0]["id"].as_str().expect("a run").parse().expect("an id");
    assert_eq!(world.run_after(bobs, 1).await.brief.state, RunState::Queued);
    drop(token);
    for pipe in ["hook", "key", "token"] {
        assert_eq!(runs(&world.site.path(&format!("{pipe}.runs"))), 1, "{pipe}");
    }
}

/// A branch was created.
const CREATED: &str = r#"{ "ref": "main", "ref_type": "branch", "after": "0badc0de",
    "repository": { "full_name": "acme/risk" }, "sender": { "login": "alice" } }"#;
