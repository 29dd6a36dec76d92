//! A hostile process with exactly the rights of an ingest process: it writes into the database what it likes.
//! What its rights allow is held by the dispatch side, and what only others may do is refused by the database.

use std::time::Duration;

use serde_json::Value;
use tokio_postgres::{Client, NoTls};

use super::cluster::{Cluster, Load, Replica};
use super::rights::with_users;
use crate::common::{self, postgres};

/// The database's clock, in milliseconds since 1970, and a moment that lies so far back that nothing waits for
/// another configuration any more.
pub const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const EARLIER: &str = "((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 120000)";

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client
}

/// SQL that forges a run.
fn forged(route: &str, job: &str, environment: &str) -> String {
    format!(
        "INSERT INTO runs (id, delivery, route, job, part, state, environment, accepted_at, changed_at, due_at, \
         deadline_at) SELECT gen_random_uuid(), gen_random_uuid(), {route}, {job}, 0, 'queued', {environment}, \
         t, t, t, t + 3600000 FROM (SELECT {EARLIER} AS t) AS x"
    )
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub struct Zones {
    pub cluster: Cluster,
    pub edge: String,
    pub ingest: Replica,
    pub dispatch: Replica,
}

/// Both zones at work, each with its own rights.
pub async fn zones() -> Zones {
    let (cluster, edge, inside) = with_users().await;
    let ingest = cluster.start_with("ingest", cluster.configure("edge.yaml", &edge, |text| text));
    let dispatch =
        cluster.start_with("dispatch", cluster.configure("inside.yaml", &inside, |text| text));
    Zones { cluster, edge, ingest, dispatch }
}

impl Zones {
    /// Honest deliveries are accepted and started, whatever lies in the tables.
    async fn works(&self) {
        let load = Load::start(&[self.ingest.hooks.clone().expect("it receives")], 3);
        load.more(30).await;
        let told = load.stop().await;
        let answers = told.accepted.lock().expect("ok").clone();
        let client = connect(&self.cluster.database).await;
        for answer in answers {
            let run = answer["runs"][0]["id"].as_str().expect("an id").to_owned();
            let started = within_a_minute(async || {
                let sql = format!("SELECT state = 'started' FROM runs WHERE id = '{run}'");
                client.query_one(&sql, &[]).await.expect("read").get(0)
            });
            if !started.await {
                let sql = "SELECT (job, state, blocked, left(reason, 60), count(*))::text FROM runs \
                           WHERE job NOT LIKE 'j%' GROUP BY job, state, blocked, left(reason, 60)";
                let rows = client.query(sql, &[]).await.expect("read");
                let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                panic!("run {run} is not started: {rows:#?}");
            }
        }
    }

    /// Ends when no run of a condition waits any more; gives each state and reason.
    async fn settled(&self, condition: &str) -> Vec<(String, String)> {
        let client = connect(&self.cluster.database).await;
        within(condition, async || {
            let sql = format!(
                "SELECT count(*) = 0 FROM runs WHERE {condition} AND state NOT IN ('held', 'failed')"
            );
            client.query_one(&sql, &[]).await.expect("read").get(0)
        })
        .await;
        let sql = format!("SELECT state, reason FROM runs WHERE {condition} ORDER BY seq");
        let rows = client.query(&sql, &[]).await.expect("read");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// What the workbench was asked to start besides what honest deliveries ask for.
    fn foreign(&self) -> Vec<Value> {
        let honest = |environment: &serde_json::Map<String, Value>| {
            environment.keys().all(|name| name == "GIT_SHA" || name.starts_with("GATEWAY_"))
        };
        let runs = self.cluster.simulator.runs().into_iter();
        runs.map(|run| serde_json::to_value(run.environment).expect("JSON"))
            .filter(|environment| !honest(environment.as_object().expect("a map")))
            .collect()
    }
}

/// Ends when it is so.
pub async fn within(what: &str, is_so: impl AsyncFnMut() -> bool) {
    assert!(within_a_minute(is_so).await, "not within a minute: {what}");
}

/// Whether it becomes so in time.
pub async fn within_a_minute(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_no_route_asks_for_is_held_and_the_workbench_hears_nothing_of_it() {
    if postgres::is_missing() {
        return;
    }
    let zones = zones().await;
    let evil = r#"{"LD_PRELOAD":"evil.so","PATH":"evil","PYTHONSTARTUP":"x","CDSW_APP_PORT":"1"}"#;
    let cases = [
        ("no-such-route", "retrain", evil, "one of its variables", false),
        ("no-such-route", "retrain", r#"{"GIT_SHA":"a"}"#, "there is no route of its name", true),
        ("retrain", "report", r#"{"GIT_SHA":"a"}"#, "its route starts job retrain", true),
        ("retrain", "retrain", evil, "is reserved", true),
        ("retrain", "retrain", r#"{"GIT_SHA":"a","OTHER":"b"}"#, "sets no variable OTHER", true),
        ("retrain", "retrain", "{}", "its variable GIT_SHA is missing", true),
        ("retrain", "retrain", r#"{"GIT_SHA":"a","bad name;":"x"}"#, "a name that none", true),
        ("retrain", "retrain", r#"{"GATEWAY_RUN_ID":"x","GIT_SHA":"a"}"#, "gateway itself", true),
        ("retrain", "retrain", "not JSON", "cannot be read", true),
        ("retrain", "retrain", r#"{"GIT_SHA":7}"#, "cannot be read", true),
        ("retrain", "retrain", r#"["GIT_SHA"]"#, "cannot be read", true),
    ];
    for (route, job, environment, ..) in cases {
        let sql = forged(&text(route), &text(job), &text(environment));
        postgres::execute(&zones.edge, &sql).await;
    }
    let huge = "'{\"GIT_SHA\":\"' || repeat('x', 9000000) || '\"}'";
    postgres::execute(&zones.edge, &forged("'retrain'", "'retrain'", huge)).await;
    let long = "'{\"GIT_SHA\":\"' || repeat('x', 40000) || '\"}'";
    postgres::execute(&zones.edge, &forged("'retrain'", "'retrain'", long)).await;
    let found = zones.settled("state <> 'started'").await;
    assert_eq!(found.len(), cases.len() + 2);
    for ((state, reason), (.., words, names_it)) in found.iter().zip(cases) {
        assert_eq!(state, "held", "{reason}");
        assert!(!names_it || reason.contains(words), "{words}: {reason}");
        assert!(reason.contains("the configuration does not ask for it"), "{reason}");
    }
    assert!(found[cases.len()].1.contains("longer than its job allows"), "{found:?}");
    assert!(found[cases.len() + 1].1.contains("40000 bytes long"), "{found:?}");
    assert!(zones.cluster.simulator.requests().is_empty(), "the workbench was asked nothing");
    // A person's word does not get round it, and says so.
    let client = connect(&zones.cluster.database).await;
    let row = client
        .query_one("SELECT id::text FROM runs WHERE reason LIKE '%OTHER%'", &[])
        .await
        .expect("read");
    let run: String = row.get(0);
    let address = format!("http://{}/api/runs/{run}/release", zones.dispatch.admin);
    let word = serde_json::json!({ "do": "retry" });
    let released =
        common::client().post(address).bearer_auth(common::ADMIN_TOKEN).json(&word).send().await;
    let released = released.expect("an answer");
    assert_eq!(released.status(), 409);
    let problem: Value = released.json().await.expect("JSON");
    assert_eq!(problem["code"], "not-asked", "{problem}");
    assert!(problem["error"].as_str().is_some_and(|why| why.contains("OTHER")), "{problem}");
    let attempts = client.query_one("SELECT count(*) FROM attempts", &[]).await.expect("read");
    assert_eq!(attempts.get::<_, i64>(0), 0, "no attempt was begun");
    zones.works().await;
    assert_eq!(zones.foreign(), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_not_sent_while_it_waits_for_a_configuration_that_asks_for_it() {
    if postgres::is_missing() {
        return;
    }
    let zones = zones().await;
    let sql = forged("'later'", "'retrain'", "'{\"GIT_SHA\":\"a\"}'").replace(EARLIER, NOW);
    postgres::execute(&zones.edge, &sql).await;
    let client = connect(&zones.cluster.database).await;
    within("it waits, and says for what", async || {
        let sql = "SELECT reason LIKE 'waits for a configuration%' FROM runs WHERE route = 'later'";
        let row = client.query_one(sql, &[]).await.expect("read");
        row.get::<_, Option<bool>>(0) == Some(true)
    })
    .await;
    // The configuration comes, as in a rollout in which this process is the last.
    let config = zones.cluster.site.path("inside.yaml");
    let before = std::fs::read_to_string(&config).expect("read");
    let route = "routes:\n  later:\n    on: { source: github, event: release }\n    job: retrain\n    \
                 env: { GIT_SHA: \"${{ git.sha }}\" }\n";
    let after = before.replacen("routes:\n", route, 1);
    std::fs::write(&config, after).expect("written");
    within("it is started", async || {
        let sql = "SELECT state = 'started' FROM runs WHERE route = 'later'";
        client.query_one(sql, &[]).await.expect("read").get(0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_row_of_a_hostile_ingest_process_stops_the_others_from_working() {
    if postgres::is_missing() {
        return;
    }
    let zones = zones().await;
    let run = |columns: &str, values: &str| {
        format!(
            "INSERT INTO runs (id, delivery, route, job, part, state, environment, accepted_at, changed_at, \
             due_at, deadline_at{columns}) SELECT gen_random_uuid(), gen_random_uuid(), \
             'retrain', 'retrain', 7, {values} FROM (SELECT {EARLIER} AS t) AS x"
        )
    };
    let most = i64::MAX;
    let env = r#"'{"GIT_SHA":1}'"#;
    let rows = [
        run("", &format!("'queued', {env}, t, t, {most}, {most}")),
        run(", blocked", &format!("'queued', {env}, t, t, {most}, {most}, 1")),
        run(", blocked", &format!("'queued', {env}, t, t, t, {}, 1", i64::MIN)),
        run(", blocked", &format!("'queued', {env}, t, t, t, t + 1000000, 2")),
        run(
            ", blocked, latest_per, burst_at, stands_for",
            &format!("'waiting', {env}, t, t, {most}, {most}, 1, 'main', {}, 1000000000", i64::MIN),
        ),
        run(
            ", blocked, latest_per, burst_at, stands_for",
            &format!("'waiting', {env}, t, t, t, {most}, 1, 'main', {most}, 1000000000"),
        ),
        run(", reason", &format!("'held', {env}, t, t, t, t, repeat(E'\\x1b[2J', 1000000)")),
        run(", reason", &format!("'queued', {env}, t, t, t, t + 99999, repeat('r', 4000000)")),
        forged("E'\\x1b]0;x\\x07'", "E'\\x1b]0;x\\x07'", env),
        forged("repeat('r', 1000)", "'retrain'", env),
        // Very many jobs that nobody knows, and a queue of one that somebody does.
        forged("'r'", "'j' || n", env).replace(" AS x", " AS x, generate_series(1, 3000) AS n"),
        forged("'r'", "'retrain'", env).replace(" AS x", " AS x, generate_series(1, 3000)"),
        forged("'retrain'", "'retrain'", "'{\"GIT_SHA\":\"' || repeat('x', 700000) || '\"}'")
            .replace(" AS x", " AS x, generate_series(1, 40)"),
        format!(
            "INSERT INTO deliveries (id, source, provider, kind, delivery_key, handshake, received_at, query, size, \
             stored, headers, explanation, body, digest) SELECT (lpad(to_hex(t), 12, '0') || \
             '7fffbfffffffffffffff')::uuid, E'\\x1b[2J', 'p', repeat('k', 100000), 'k', false, t, '', {most}, 1, \
             'junk', 'junk', 'junk', decode(repeat('ab', 16), 'hex') FROM (SELECT {NOW} AS t) AS x"
        ),
        "SELECT pg_notify('cdsw_gateway', repeat('x', 7000)), pg_notify('cdsw_gateway', '')"
            .to_owned(),
        format!("UPDATE probe SET at = {}", i64::MIN),
        "INSERT INTO audit (at, who, act, kind, name) VALUES \
         (1, E'\\x1b[2J', 'reload', 'configuration', E'\\x1b[2J')"
            .to_owned(),
    ];
    for sql in rows {
        postgres::execute(&zones.edge, &sql).await;
    }
    zones.works().await;
    for page in ["/readyz", "/metrics", "/api/runs?limit=1000", "/api/status", "/api/audit"] {
        let address = format!("http://{}{page}", zones.dispatch.admin);
        let shown = common::client().get(address).bearer_auth(common::ADMIN_TOKEN).send().await;
        let shown = shown.expect("an answer");
        assert_eq!(shown.status(), 200, "{page}: {}", shown.text().await.expect("text"));
    }
    assert_eq!(zones.foreign(), Vec::<Value>::new());
    let grown = peak(zones.dispatch.id());
    assert!(grown < 400 << 10, "dispatch had {grown} kB of memory");
}

/// The most memory that a process has had, in kB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("Linux says it");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_refuses_an_ingest_process_what_accepting_does_not_need() {
    if postgres::is_missing() {
        return;
    }
    let (cluster, edge, _) = with_users().await;
    // One run in each state, as the owner makes them.
    for (state, more, value) in [
        ("waiting", ", blocked", ", 1"),
        ("queued", "", ""),
        ("sending", ", lease_until", ", 9999999999999"),
        ("started", ", engine_id", ", 'e'"),
        ("held", "", ""),
        ("failed", "", ""),
        ("superseded", "", ""),
        ("cancelled", "", ""),
    ] {
        let sql = format!(
            "INSERT INTO runs (id, delivery, route, job, part, state, environment, accepted_at, changed_at, due_at, \
             deadline_at, latest_per{more}) SELECT gen_random_uuid(), gen_random_uuid(), '{state}', 'j', 0, '{state}', \
             '{{}}', t, t, t, t + 3600000, 'main'{value} FROM (SELECT {NOW} AS t) AS x"
        );
        postgres::execute(&cluster.database, &sql).await;
    }
    let delivery = |id: &str, more: &str, values: &str| {
        format!(
            "INSERT INTO deliveries (id, source, provider, kind, delivery_key, handshake, received_at, query, size, \
             stored, headers, explanation, body, digest{more}) SELECT {id}, 's', 'p', 'k', 'key', false, \
             {values} FROM (SELECT {NOW} AS t) AS x"
        )
        .replace("'', '', 'b'", "'', '', 'b', decode(repeat('ab', 16), 'hex')")
        .replace("'', '', ''", "'', '', '', decode(repeat('ab', 16), 'hex')")
    };
    let id = "(lpad(to_hex(t), 12, '0') || '7fffbfffffffffffffff')::uuid";
    postgres::execute(&edge, &delivery(id, "", "t, '', 1, 1025, '', '', 'b'")).await;
    let claim = |at: &str| {
        format!(
            "INSERT INTO claims (source, delivery_key, delivery, expires_at) \
                 SELECT 's', 'key', id, {at} FROM deliveries"
        )
    };
    let week = format!("{NOW} + 604800000");
    postgres::execute(&edge, &claim(&week)).await;
    let insert = |state: &str, more: &str, values: &str| {
        forged("'r'", "'j'", "'{}'")
            .replace("'queued'", &format!("'{state}'"))
            .replace("deadline_at) ", &format!("deadline_at{more}) "))
            .replace("t + 3600000 FROM", &format!("t + 3600000{values} FROM"))
    };
    let moved = |from: &str, to: &str, more: &str| {
        format!("UPDATE runs SET state = '{to}', changed_at = {NOW}{more} WHERE state = '{from}'")
    };
    let due = format!(", due_at = {NOW}, blocked = 0");
    let refused = [
        // States that skip the queue's rules.
        insert("superseded", "", ""),
        insert("cancelled", "", ""),
        insert("waiting", ", blocked", ", 1"),
        insert("queued", ", stands_for", ", 5"),
        insert("queued", ", burst", ", 1"),
        insert("queued", ", latest_per, burst", ", 'main', 9223372036854775807"),
        insert("queued", "", "").replace(EARLIER, "1000000000000"),
        insert("queued", "", "").replace(EARLIER, "4000000000000"),
        insert("queued", "", "").replace(EARLIER, "9000000000000000000"),
        insert("queued", ", latest_per, stands_for", ", 'main', 2000000000"),
        insert("queued", ", part", ", -1").replace("part, ", "").replace("0, 'queued'", "'queued'"),
        // What only the dispatch side and people do.
        moved("held", "queued", &due),
        moved("held", "failed", ""),
        moved("held", "cancelled", ""),
        moved("cancelled", "queued", &due),
        moved("cancelled", "held", &due),
        moved("queued", "held", ""),
        moved("queued", "failed", ""),
        moved("queued", "cancelled", ""),
        moved("queued", "superseded", ""),
        moved("waiting", "queued", &due),
        moved("waiting", "failed", ", blocked = 0"),
        moved("waiting", "superseded", ", burst = seq, blocked = 0"),
        moved("queued", "superseded", ", burst = seq"),
        moved("superseded", "queued", ""),
        moved("started", "queued", ""),
        moved("sending", "queued", ""),
        moved("failed", "queued", ", due_at = 9000000000000000, blocked = 1"),
        "UPDATE runs SET state = 'queued', due_at = 4000000000000, changed_at = 4000000000000, \
         blocked = 1 WHERE state = 'failed'"
            .to_owned(),
        // A change beside the state.
        "UPDATE runs SET environment = '{\"A\":\"x\"}' WHERE state = 'queued'".to_owned(),
        "UPDATE runs SET environment = '{\"A\":\"x\"}' WHERE state = 'sending'".to_owned(),
        "UPDATE runs SET environment = '{\"A\":\"x\"}' WHERE state = 'held'".to_owned(),
        "UPDATE runs SET environment = NULL WHERE state = 'failed'".to_owned(),
        "UPDATE runs SET due_at = due_at + 1 WHERE state = 'queued'".to_owned(),
        "UPDATE runs SET deadline_at = 0 WHERE state = 'queued'".to_owned(),
        "UPDATE runs SET deadline_at = 0 WHERE state = 'waiting'".to_owned(),
        "UPDATE runs SET blocked = 2 WHERE state = 'queued'".to_owned(),
        "UPDATE runs SET reason = 'started by ops' WHERE state = 'held'".to_owned(),
        "UPDATE runs SET reason = 'started by ops' WHERE state = 'failed'".to_owned(),
        format!("UPDATE runs SET reason = 'x', changed_at = {NOW} WHERE state = 'failed'"),
        "UPDATE runs SET burst = 1 WHERE state = 'started'".to_owned(),
        "UPDATE runs SET burst = 1 WHERE state = 'held'".to_owned(),
        "UPDATE runs SET burst = 1 WHERE state = 'failed'".to_owned(),
        "UPDATE runs SET burst = 1 WHERE state = 'queued'".to_owned(),
        "UPDATE runs SET burst = 1 WHERE state = 'waiting'".to_owned(),
        "UPDATE runs SET burst = 99 WHERE state = 'superseded'".to_owned(),
        "UPDATE runs SET burst = NULL WHERE state = 'superseded'".to_owned(),
        // Deliveries and claims.
        delivery("'00000000-0000-7000-8000-000000000000'", "", "t, '', 1, 1, '', '', ''"),
        delivery(id, "", "4000000000000, '', 1, 1, '', '', ''"),
        delivery(&id.replace("'0')", "'f')"), "", "1, '', 1, 1, '', '', ''"),
        delivery(id, ", repeats", "t, '', 1, 1, '', '', '', 5"),
        delivery(id, ", stripped", "t, '', 1, 1, '', '', '', true"),
        delivery(id, ", erased_at", "t, '', 1, 1, '', '', '', t"),
        delivery(id, ", erased_by", "t, '', 1, 1, '', '', '', 'ops'"),
        delivery(id, ", repeated_at", "t, '', 1, 1, '', '', '', t"),
        delivery(id, "", "t, '', 1, 1, '', '', ''").replace("'ab', 16", "'ab', 15"),
        delivery(id, "", "t, '', 1, 1, '', '', ''").replace("decode(repeat('ab', 16), 'hex')", "NULL"),
        "UPDATE deliveries SET repeats = repeats + 1, repeated_at = 1".to_owned(),
        "UPDATE deliveries SET repeats = repeats + 1, repeated_at = 9000000000000".to_owned(),
        "UPDATE deliveries SET erased_at = 1, erased_by = 'ops'".to_owned(),
        delivery(id, "", "t, '', 1, 1000000000000, '', '', ''"),
        delivery(id, "", "t, '', -1, 1, '', '', ''"),
        "UPDATE deliveries SET repeats = repeats + 2".to_owned(),
        "UPDATE deliveries SET repeats = 0".to_owned(),
        claim("9000000000000").replace("'key'", "'other'"),
        claim(&week).replace("'s'", "'t'"),
        claim(&week).replace("id, ", "gen_random_uuid(), ").replace("'key'", "'stray'"),
        claim("0").replace("'key'", "'other'"),
        "UPDATE claims SET expires_at = 0".to_owned(),
        "UPDATE claims SET expires_at = expires_at - 1".to_owned(),
        "UPDATE claims SET delivery = gen_random_uuid()".to_owned(),
        // Acts of others.
        "INSERT INTO audit (at, who, act, kind, name) VALUES (1, 'ops', 'release --retry', 'run', 'x')".to_owned(),
        "INSERT INTO audit (at, who, act, kind, name) VALUES (1, 'ops', 'resume', 'all', '')".to_owned(),
        "INSERT INTO audit (at, who, act, kind, name) VALUES (1, repeat('x', 9999), 'reload', 'configuration', '')"
            .to_owned(),
    ];
    let before = rows(&cluster.database).await;
    for sql in &refused {
        let why = postgres::try_execute(&edge, sql).await.err().unwrap_or_else(|| panic!("{sql}"));
        assert!(!why.contains("syntax") && !why.contains("does not exist"), "{sql}: {why}");
    }
    assert_eq!(rows(&cluster.database).await, before, "nothing was changed");
    // What a reload is recorded with comes from the session.
    let reload = "INSERT INTO audit (at, who, act, kind, name) VALUES \
                  (1, 'ops', 'reload', 'configuration', 'v')";
    postgres::execute(&edge, reload).await;
    let client = connect(&cluster.database).await;
    let row = client
        .query_one(&format!("SELECT who, abs(at - {NOW}) < 60000 FROM audit"), &[])
        .await
        .expect("read");
    let who: String = row.get(0);
    let user = edge.split("//").nth(1).and_then(|rest| rest.split('@').next()).expect("a user");
    assert_eq!(who, format!("database user {user}: ops"));
    assert!(row.get::<_, bool>(1), "the database says when");
}

/// Everything that matters of the rows, for comparison.
async fn rows(database: &str) -> Vec<String> {
    let client = connect(database).await;
    let sql = "SELECT runs::text FROM runs UNION ALL SELECT deliveries::text FROM deliveries \
               UNION ALL SELECT claims::text FROM claims UNION ALL SELECT audit::text FROM audit ORDER BY 1";
    let rows = client.query(sql, &[]).await.expect("read");
    rows.iter().map(|row| row.get(0)).collect()
}
