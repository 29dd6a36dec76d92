//! Each role works with the rights that `deploy/postgres/roles.sql` grants, and has no others.

use super::cluster::{Cluster, Load};
use super::proof::settled;
use crate::common::postgres;
use crate::common::{self, process::program};

/// The roles of this repository, granted to users of this test alone.
pub async fn with_users() -> (Cluster, String, String) {
    let cluster = Cluster::new().await;
    postgres::execute(&cluster.database, include_str!("../../../deploy/postgres/roles.sql")).await;
    let (edge, inside) = users(&cluster.database).await;
    (cluster, edge, inside)
}

/// A user of each role, and how they reach the database.
pub async fn users(database: &str) -> (String, String) {
    let (_, name) = database.rsplit_once('/').expect("a database");
    let user = |kind: &str| format!("{kind}_{name}");
    for kind in ["ingest", "dispatch"] {
        let create = format!("CREATE ROLE {} LOGIN IN ROLE cdsw_gateway_{kind}", user(kind));
        postgres::execute(database, &create).await;
    }
    let url = |kind: &str| database.replace("tests@", &format!("{}@", user(kind)));
    (url("ingest"), url("dispatch"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_does_its_work_with_its_own_rights() {
    if postgres::is_missing() {
        return;
    }
    let (cluster, edge, inside) = with_users().await;
    let latest = "    latest_per: one\n    wait: 1s\n    on: { source: github, event: push }";
    // Held runs, waiting ones, and a mapping that fails: all that an accept can be asked to do.
    let routes = |text: String| text.replace("    on: { source: github, event: push }", latest);
    let edge = cluster.configure("edge.yaml", &edge, routes);
    let inside = cluster.configure("inside.yaml", &inside, routes);
    let receives = cluster.start_with("ingest", edge);
    let dispatches = cluster.start_with("dispatch", inside);
    let load = Load::start(&[receives.hooks.clone().expect("it receives")], 4);
    load.more(60).await;
    let told = load.stop().await;
    settled(&cluster.database).await;
    for admin in [&receives.admin, &dispatches.admin] {
        let ready =
            common::client().get(format!("http://{admin}/readyz")).send().await.expect("an answer");
        assert_eq!(ready.status(), 200, "{}", ready.text().await.expect("text"));
        let metrics = common::client()
            .get(format!("http://{admin}/metrics"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(metrics.status(), 200);
    }
    let answers = told.accepted.lock().expect("ok").len();
    println!("roles with their own rights: {answers} answers 2xx");
    assert!(answers >= 60);
}

/// With the rights of `roles.sql`, and with what a migration grants before they are applied again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_receives_tells_one_id_with_other_content_from_a_repeat() {
    if postgres::is_missing() {
        return;
    }
    let (cluster, edge, _inside) = with_users().await;
    let edge = cluster.configure("edge.yaml", &edge, |text| text);
    let receives = cluster.start_with("ingest", edge);
    let hooks = receives.hooks.clone().expect("it receives");
    let other = common::PUSH.replace("acme/risk", "acme/other");
    let mut kept = Vec::new();
    for (body, status) in [(common::PUSH, 202), (&other, 202), (common::PUSH, 200), (&other, 200)] {
        let request = common::client()
            .post(format!("http://{hooks}/hooks/github"))
            .header("content-type", "application/json")
            .header("x-github-event", "push")
            .header("x-github-delivery", "one-id")
            .header("x-hub-signature-256", common::github_signature(body.as_bytes()))
            .body(body.to_owned());
        let answer = request.send().await.expect("an answer");
        let (found, text) = (answer.status().as_u16(), answer.text().await.expect("text"));
        assert_eq!(found, status, "{text}");
        let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        kept.push(answer["delivery"].as_str().expect("an id").to_owned());
    }
    assert_ne!(kept[0], kept[1], "both are kept");
    assert_eq!(kept[..2], kept[2..], "and each is known when it comes again");
}

/// Two that dispatch load the same newer files, and then go back to the older ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_dispatches_may_declare_every_reload() {
    if postgres::is_missing() {
        return;
    }
    let (cluster, _, inside) = with_users().await;
    let config = cluster.configure("inside.yaml", &inside, |text| text);
    let first = std::fs::read_to_string(&config).expect("read");
    let replicas = [0; 2].map(|_| cluster.start_with("dispatch", config.clone()));
    let newer = first.replace("job: 209", "job: 299");
    for text in [&newer, &first, &newer] {
        let before = versions(&cluster.database).await;
        std::fs::write(&config, text).expect("written");
        let declared = async {
            loop {
                let (now, of) = versions(&cluster.database).await;
                if of.iter().all(|version| *version == now) && now != before.0 {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(30), declared).await;
        waited.expect("both declare it, and it is in force");
    }
    drop(replicas);
}

/// The newest configuration, and the one of each process.
async fn versions(database: &str) -> (String, Vec<String>) {
    let (client, connection) =
        tokio_postgres::connect(database, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let newest = "SELECT version FROM configurations ORDER BY number DESC LIMIT 1";
    let newest = client.query_one(newest, &[]).await.expect("read").get(0);
    let of = client.query("SELECT version FROM replicas", &[]).await.expect("read");
    (newest, of.iter().map(|row| row.get(0)).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_receives_can_read_no_content_and_change_no_history() {
    if postgres::is_missing() {
        return;
    }
    let (cluster, edge, inside) = with_users().await;
    let refused = [
        "SELECT body FROM deliveries",
        "SELECT headers FROM deliveries",
        "SELECT environment FROM runs",
        "SELECT mark FROM pauses",
        "SELECT * FROM audit",
        "SELECT * FROM attempts",
        "DELETE FROM runs",
        "DELETE FROM deliveries",
        "DELETE FROM pauses",
        "UPDATE runs SET job = 'other'",
        "UPDATE runs SET attempts = 0",
        "UPDATE deliveries SET body = ''",
        "UPDATE runs SET passed = true",
        "UPDATE runs SET latest_per = 'x'",
        "INSERT INTO runs (attempts) VALUES (1)",
        "INSERT INTO runs (seq) OVERRIDING SYSTEM VALUE VALUES (1)",
        "INSERT INTO runs (lease_until) VALUES (1)",
        "INSERT INTO audit (seq) OVERRIDING SYSTEM VALUE VALUES (1)",
        "INSERT INTO replicas (id, role, version, seen_at) VALUES (gen_random_uuid(), 'x', 'x', 1)",
        "INSERT INTO configurations (version, jobs, seen_at) VALUES ('x', '{}', 1)",
        "SELECT * FROM configurations",
        "INSERT INTO pauses (kind, name, since, who) VALUES ('all', '', 1, 'ops')",
        "INSERT INTO gates (job) VALUES ('retrain')",
        "INSERT INTO rests (workbench, until, length) VALUES ('main', 1, 1)",
        "INSERT INTO acts (run, at, who, act) VALUES (gen_random_uuid(), 1, 'ops', 'x')",
        "UPDATE usage SET bytes = 0",
        "DELETE FROM claims",
        "BEGIN; LOCK TABLE probe IN ACCESS EXCLUSIVE MODE",
        "BEGIN; LOCK TABLE runs IN SHARE MODE",
        "INSERT INTO attempts (run, number, begun_at) VALUES (gen_random_uuid(), 1, 1)",
        "CREATE TABLE theirs (x integer)",
    ];
    for sql in refused {
        let why = postgres::try_execute(&edge, sql).await.expect_err(sql);
        assert!(why.contains("permission denied"), "{sql}: {why}");
    }
    for sql in ["DELETE FROM audit", "UPDATE audit SET who = 'x'", "DROP TABLE runs"] {
        let why = postgres::try_execute(&inside, sql).await.expect_err(sql);
        assert!(why.contains("denied") || why.contains("must be owner"), "{sql}: {why}");
    }
    drop(cluster);
}

/// Its key's file is not even there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_receives_resolves_no_api_key() {
    if postgres::is_missing() {
        return;
    }
    let cluster = Cluster::new().await;
    let edge = cluster.configure("edge.yaml", &cluster.database, |text| {
        let command = "{ command: [sh, -c, \"touch resolved; echo key\"] }";
        text.replace("alice: { file: secrets/api-key }", &format!("alice: {command}"))
    });
    // It has a token of its own, and refuses that of the dispatch side without reading it.
    cluster.site.private("edge", "canary-9ffa12d0c7-of-the-edge");
    let text = std::fs::read_to_string(&edge).expect("read");
    let own = "  ingest_tokens: { edge: { file: secrets/edge } }\n  admin_tokens:";
    std::fs::write(&edge, text.replacen("  admin_tokens:", own, 1)).expect("written");
    let receives = cluster.start_with("ingest", edge.clone());
    let load = Load::start(&[receives.hooks.clone().expect("it receives")], 2);
    load.more(20).await;
    load.stop().await;
    let foreign = common::client()
        .get(format!("http://{}/api/status", receives.admin))
        .bearer_auth("some-other-token")
        .send()
        .await
        .expect("an answer");
    assert_eq!(foreign.status(), 401);
    assert!(!holds(receives.id(), common::ADMIN_TOKEN), "the admin token is in its memory");
    assert!(
        holds(receives.id(), "canary-9ffa12d0c7-of-the-edge"),
        "the search finds what is there"
    );
    let checked = program().args(["check", "--role", "ingest", "--config"]).arg(&edge).output();
    let words = String::from_utf8_lossy(&checked.expect("runs").stdout).into_owned();
    assert!(words.contains("does not need the admin token ops"), "{words}");
    assert!(words.contains("does not need the API key main/alice"), "{words}");
    let list = common::client()
        .get(format!("http://{}/api/deliveries", receives.admin))
        .bearer_auth("canary-9ffa12d0c7-of-the-edge")
        .send()
        .await
        .expect("an answer");
    assert_eq!(list.status(), 403);
    assert!(!cluster.site.path("resolved").exists());
    assert!(!std::path::Path::new("resolved").exists());
    assert_eq!(cluster.simulator.requests().len(), 0, "it has asked the workbench nothing");
}

/// Whether a text lies in the memory of a process.
fn holds(process: u32, text: &str) -> bool {
    use std::os::unix::fs::FileExt as _;
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).expect("it runs");
    let memory = std::fs::File::open(format!("/proc/{process}/mem")).expect("it may be read");
    let writable =
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|may| may.starts_with("rw")));
    let mut found = false;
    for line in writable {
        let range =
            line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let number = |text: &str| u64::from_str_radix(text, 16).expect("hexadecimal");
        let (mut at, end) = (number(range.0), number(range.1));
        // Blocks overlap, so that nothing is cut in two.
        while at < end {
            let size = usize::try_from((end - at).min(1 << 20)).expect("small");
            let mut block = vec![0; size];
            let read = memory.read_at(&mut block, at).unwrap_or(0);
            // Most of what an allocator reserves was never written.
            let written = block[..read].iter().any(|byte| *byte != 0);
            found |=
                written && block[..read].windows(text.len()).any(|part| part == text.as_bytes());
            at += 1 << 19;
        }
    }
    found
}

#[test]
fn a_role_needs_a_store_that_processes_can_share() {
    let site = crate::common::Site::new("http://127.0.0.1:9", crate::common::ON_PUSH);
    let refused = program()
        .args(["serve", "--role", "ingest", "--config"])
        .arg(site.config())
        .output()
        .expect("runs");
    let words = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{words}");
    assert!(words.contains("store: postgres://"), "{words}");
}
