//! A hostile ingest process writes claims: it can keep no genuine delivery out, and none for longer than its
//! source's window.

use super::hostile::{NOW, connect, zones};
use super::rights::with_users;
use crate::common::{self, PUSH, github_signature, postgres};

/// SQL that inserts a delivery of this key and its claim, as accepting does.
pub fn forged(key: &str, until: &str) -> String {
    format!(
        "WITH new AS (SELECT (left(lpad(to_hex(t), 12, '0') || '7' || md5(random()::text), 16) || \
             'b' || left(md5(random()::text), 15))::uuid AS id, t FROM (SELECT {NOW} AS t) AS x), \
         claimed AS (INSERT INTO claims (source, delivery_key, delivery, expires_at) \
             SELECT 'github', {key}, id, {until} FROM new RETURNING delivery) \
         INSERT INTO deliveries (id, source, provider, kind, delivery_key, handshake, received_at, query, size, \
             stored, headers, explanation, body, digest) \
         SELECT id, 'github', 'github', 'push', {key}, false, t, '', 1, 1025, '', '', '', \
             decode(md5(random()::text), 'hex') FROM new WHERE id IN (SELECT delivery FROM claimed)"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_claim_of_a_hostile_ingest_process_keeps_a_genuine_delivery_out() {
    if postgres::is_missing() {
        return;
    }
    let zones = zones().await;
    let stray = format!(
        "INSERT INTO claims (source, delivery_key, delivery, expires_at) VALUES \
         ('github', 'genuine', gen_random_uuid(), {NOW} + 86400000)"
    );
    let why = postgres::try_execute(&zones.edge, &stray).await.expect_err("no delivery has it");
    assert!(why.contains("claims a key for a delivery that has it"), "{why}");
    // One from before the database refused it, for ten years.
    let stray = stray.replace("86400000", "315360000000");
    postgres::execute(&zones.cluster.database, &stray).await;
    // And one with a delivery, which is lawful: it cannot know the content that comes with the id.
    let ahead = forged("'guessed'", &format!("{NOW} + 86400000"));
    postgres::execute(&zones.edge, &ahead).await;
    let another = format!(
        "INSERT INTO claims (source, delivery_key, delivery, expires_at) SELECT 'github', 'third', id, \
         {NOW} + 86400000 FROM deliveries"
    );
    let why = postgres::try_execute(&zones.edge, &another).await.expect_err("another key");
    assert!(why.contains("claims a key for a delivery that has it"), "{why}");
    let client = connect(&zones.cluster.database).await;
    for id in ["genuine", "guessed", "third"] {
        let hooks = zones.ingest.hooks.as_deref().expect("it receives");
        let mut kept = Vec::new();
        for status in [202, 200] {
            let answer = common::client()
                .post(format!("http://{hooks}/hooks/github"))
                .header("x-github-event", "push")
                .header("x-github-delivery", id)
                .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
                .body(PUSH)
                .send()
                .await
                .expect("an answer");
            assert_eq!(answer.status(), status, "{id}: {}", answer.text().await.expect("text"));
            let answer: serde_json::Value = answer.json().await.expect("JSON");
            kept.push(answer["runs"][0]["id"].as_str().expect("a run").to_owned());
        }
        assert_eq!(kept[0], kept[1], "{id}: and its repeat is known");
        let sql = format!("SELECT state = 'started' FROM runs WHERE id = '{}'", kept[0]);
        super::hostile::within("it is started", async || {
            client.query_one(&sql, &[]).await.expect("read").get(0)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_lasts_no_longer_than_its_sources_window() {
    if postgres::is_missing() {
        return;
    }
    let (cluster, edge, _inside) = with_users().await;
    let client = connect(&cluster.database).await;
    let days = async || -> f64 {
        let sql = format!("SELECT (max(expires_at) - {NOW}) / 86400000.0::float8 FROM claims");
        client.query_one(&sql, &[]).await.expect("read").get(0)
    };
    let ten_years = format!("{NOW} + 315360000000");
    postgres::execute(&edge, &forged("'one'", &ten_years)).await;
    let claimed = days().await;
    assert!(claimed > 6.9 && claimed <= 7.0, "{claimed} days");
    let prolong = format!("UPDATE claims SET expires_at = {ten_years}");
    postgres::execute(&edge, &prolong).await;
    let prolonged = days().await;
    assert!(prolonged > 6.9 && prolonged <= 7.0, "{prolonged} days");
    // A running dispatch process says that this source's deliveries are known for longer.
    let declared = format!(
        "INSERT INTO configurations (version, jobs, windows, seen_at) VALUES \
           ('v', '{{}}', '{{\"github\": 2592000000}}', {NOW}); \
         INSERT INTO replicas (id, role, version, seen_at) VALUES (gen_random_uuid(), 'dispatch', 'v', {NOW})"
    );
    postgres::execute(&cluster.database, &declared).await;
    postgres::execute(&edge, &forged("'two'", &ten_years)).await;
    let claimed = days().await;
    assert!(claimed > 29.9 && claimed <= 30.0, "{claimed} days");
    postgres::execute(&cluster.database, "DELETE FROM replicas").await;
    postgres::execute(&edge, &prolong).await;
    let kept = days().await;
    assert!(kept > 29.9 && kept <= 30.0, "what it may last is not cut by it: {kept} days");
}
