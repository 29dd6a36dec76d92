//! `health`, as the health check of a container runs it, and what it finds while a gateway stops.

use std::net::TcpListener;
use std::time::Instant;

use super::common::process::{Serving, program};
use super::common::{ON_PUSH, PUSH, Site, client, github_signature};
use super::{Ended, run, run_with};

/// An address where nobody listens: bound, and let go again.
fn free() -> String {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("an address").to_string()
}

fn site(server: &str) -> Site {
    Site::with("http://127.0.0.1:9", ON_PUSH, server, "")
}

/// One line, and nothing else, which ends so.
fn one_line(ended: &Ended, status: i32, says: &str) {
    assert_eq!(ended.status, status, "{ended}");
    let all = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(all.lines().count(), 1, "{ended}");
    assert!(all.contains(says), "{ended}");
}

#[test]
fn health_asks_the_health_listener_of_the_configuration_and_the_admin_listener_without_one() {
    for listener in ["health", "admin"] {
        let address = free();
        let site = site("");
        let text = std::fs::read_to_string(site.config()).expect("read");
        let usual = "  admin: 127.0.0.1:0\n";
        let own = match listener {
            "health" => format!("{usual}  health: {address}\n"),
            _ => format!("  admin: {address}\n"),
        };
        assert!(text.contains(usual));
        site.write_config(&text.replace(usual, &own));
        let directory = site.directory.path();
        one_line(
            &run(directory, &["health"]),
            1,
            &format!("http://{address}/readyz does not answer"),
        );
        let serving = Serving::on(&site);
        one_line(&run(directory, &["health"]), 0, &format!("ok http://{address}/readyz is ready"));
        one_line(&run(directory, &["health", "--alive"]), 0, "/livez is alive");
        // What a running gateway keeps out of force does not make it unwell.
        let faulty = std::fs::read_to_string(site.config()).expect("read") + "\nlisen: x\n";
        site.write_config(&faulty);
        one_line(&run(directory, &["health"]), 0, "is ready");
        assert!(serving.running.terminate().success());
    }
}

#[test]
fn health_needs_no_file_where_it_is_given_an_address() {
    let site = site("  health: 127.0.0.1:0");
    let mut serving = Serving::on(&site);
    let url = format!("http://{}", serving.health());
    let nowhere = tempfile::tempdir().expect("a directory");
    let asked = |name: &str, value: &str| {
        run_with(nowhere.path(), &["health", "--json"], "", |command| {
            command.env(name, value);
        })
    };
    let said = asked("CDSW_GATEWAY_HEALTH", &url).with(0).json();
    assert_eq!(said["good"], true, "{said}");
    let said = asked("LANG", "C").with(1);
    assert!(format!("{said}").contains("--url or in CDSW_GATEWAY_HEALTH"), "{said}");
    let hooks = format!("http://{}", serving.hooks);
    let ended = run(nowhere.path(), &["health", "--url", &hooks]);
    one_line(&ended, 1, "answered 404 Not Found; is it the health listener or the admin listener");
    let began = Instant::now();
    let dead = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", dead.local_addr().expect("an address"));
    let ended = run(nowhere.path(), &["health", "--timeout", "1", "--url", &silent]);
    one_line(&ended, 1, "does not answer");
    assert!(began.elapsed().as_secs() < 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_was_told_to_stop_is_not_ready_and_takes_deliveries_until_its_drain_is_over()
{
    let site = site("  health: 127.0.0.1:0\n  drain: 6s");
    let mut serving = Serving::with(&site, program());
    let (health, admin, hooks) = (serving.health(), serving.admin.clone(), serving.hooks.clone());
    let client = client();
    let ready = async |address: &str| {
        let answer =
            client.get(format!("http://{address}/readyz")).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json::<serde_json::Value>().await.expect("JSON"))
    };
    let push = async |id: &str| {
        client
            .post(format!("http://{hooks}/hooks/github"))
            .header("X-GitHub-Event", "push")
            .header("X-GitHub-Delivery", id)
            .header("X-Hub-Signature-256", github_signature(PUSH.as_bytes()))
            .header("Content-Type", "application/json")
            .body(PUSH)
            .send()
            .await
    };
    assert_eq!(ready(&health).await.1["ready"], true);
    serving.running.ask_to_stop();
    let stopping = loop {
        let found = ready(&health).await;
        if found.0 == 503 {
            break found.1;
        }
    };
    assert_eq!((&stopping["ready"], &stopping["stopping"]), (&false.into(), &true.into()));
    assert_eq!(ready(&admin).await.0, 503);
    let url = format!("http://{health}");
    let ended = run(site.directory.path(), &["health", "--url", &url]);
    one_line(&ended, 1, "is not ready");
    one_line(&run(site.directory.path(), &["health", "--alive", "--url", &url]), 0, "is alive");
    let kept = push("during-the-drain").await.expect("it is still taken");
    assert_eq!(kept.status(), 202);
    assert!(serving.running.wait().success());
    assert!(push("after-it").await.is_err(), "nobody listens any more");
    // What came during the drain is there for the next one.
    let next = Serving::on(&site);
    let repeat = client
        .get(format!("http://{}/api/deliveries", next.admin))
        .bearer_auth(super::common::ADMIN_TOKEN)
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    assert!(repeat.contains("during-the-drain"), "{repeat}");
}

#[test]
fn without_a_drain_a_gateway_stops_at_once() {
    let site = site("");
    let serving = Serving::on(&site);
    let began = Instant::now();
    assert!(serving.running.terminate().success());
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}
