//! A hostile ingest process holds every lock that its rights allow: what the dispatch side does for others goes on.

use serde_json::Value;

use super::cluster::Load;
use super::hostile::{NOW, connect, within, zones};
use crate::common::{self, postgres};

/// Runs that a look at the queue has to do something about, as they lie there.
const WAITING: [&str; 4] = [
    // An attempt that was lost.
    "'sending', 0, t - 100000, t + 3600000, t - 50000",
    // A deadline that has passed.
    "'queued', 1, t + 7000000, t - 1000, NULL::bigint",
    // Due later than anything may be.
    "'queued', 1, t + 900000000000, t + 990000000000, NULL::bigint",
    // Left behind by a pause.
    "'queued', 2, t - 1000, t + 3600000, NULL::bigint",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_lock_of_a_hostile_ingest_process_stops_the_starts_of_others() {
    if postgres::is_missing() {
        return;
    }
    let zones = zones().await;
    // Both have written their probe once.
    for admin in [&zones.ingest.admin, &zones.dispatch.admin] {
        assert_eq!(ready(admin).await.0, 200);
    }
    let hostile = connect(&zones.edge).await;
    hostile.batch_execute("BEGIN").await.expect("begun");
    for (number, values) in WAITING.iter().enumerate() {
        let sql = format!(
            "INSERT INTO runs (id, delivery, route, job, part, state, environment, accepted_at, changed_at, attempts, \
             blocked, due_at, deadline_at, lease_until) SELECT gen_random_uuid(), gen_random_uuid(), 'retrain', \
             'retrain', {number}, state, '{{\"GIT_SHA\":\"locked\"}}', t - 200000, t - 200000, \
             CASE state WHEN 'sending' THEN 1 ELSE 0 END, blocked, due_at, deadline_at, lease_until \
             FROM (SELECT {NOW} AS t) AS x, LATERAL (SELECT {values}) AS v \
               (state, blocked, due_at, deadline_at, lease_until)"
        );
        // Locked as soon as they are there.
        let (planting, locking) = (sql, "SELECT seq FROM runs FOR UPDATE SKIP LOCKED");
        postgres::execute(&zones.cluster.database, &planting).await;
        hostile.batch_execute(locking).await.expect("it may lock them");
    }
    for lock in [
        "SELECT one FROM probe FOR UPDATE",
        "SELECT id FROM deliveries FOR UPDATE",
        "SELECT source FROM claims FOR UPDATE",
        "SELECT pg_advisory_xact_lock(n) FROM generate_series(1, 500) AS n",
        "SELECT pg_advisory_xact_lock(1128551239)",
    ] {
        hostile.batch_execute(lock).await.unwrap_or_else(|why| panic!("{lock}: {why}"));
    }
    let locked = connect(&zones.edge).await;
    for table in ["dispatch_probe", "gates", "pauses", "starts", "attempts", "usage", "replicas"] {
        let sql = format!("SELECT 1 FROM {table} FOR UPDATE");
        let why = locked.batch_execute(&sql).await.expect_err(table);
        let why = why.as_db_error().expect("refused").message().to_owned();
        assert!(why.contains("permission denied"), "{table}: {why}");
    }
    let (status, health) = ready(&zones.dispatch.admin).await;
    assert_eq!(status, 200, "{health}");
    let load = Load::start(&[zones.ingest.hooks.clone().expect("it receives")], 3);
    load.more(60).await;
    let told = load.stop().await;
    let answers = told.accepted.lock().expect("ok").clone();
    let client = connect(&zones.cluster.database).await;
    for answer in &answers {
        let run = answer["runs"][0]["id"].as_str().expect("an id");
        let sql = format!("SELECT state = 'started' FROM runs WHERE id = '{run}'");
        within("it is started", async || client.query_one(&sql, &[]).await.expect("read").get(0))
            .await;
    }
    let (status, health) = ready(&zones.dispatch.admin).await;
    assert_eq!(status, 200, "{health}");
    // What was locked has its turn once the lock is gone.
    hostile.batch_execute("ROLLBACK").await.expect("ended");
    let sql = "SELECT count(*) = 0 FROM runs WHERE state NOT IN ('started', 'held', 'failed')";
    within("the others too", async || client.query_one(sql, &[]).await.expect("read").get(0)).await;
}

async fn ready(admin: &str) -> (u16, Value) {
    let answer = common::client()
        .get(format!("http://{admin}/readyz"))
        .bearer_auth(common::ADMIN_TOKEN)
        .send()
        .await
        .expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}
