//! This program with the rights of the version before, and the program of the version before with the rights of
//! this one.

use std::sync::Arc;
use std::time::Duration;

use cdsw_gateway::store::postgres::{self as store, LeaseClock, PostgresStore};
use cdsw_gateway::store::{Retention, Store};

use super::cluster::{Cluster, Load};
use super::hostile::NOW;
use super::proof::{prove, settled};
use super::rights::{users, with_users};
use crate::common::{self, postgres};

/// Between `migrate` and the end of a rolling upgrade the rights are still those of the version before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_works_with_the_rights_of_the_version_before() {
    if postgres::is_missing() {
        return;
    }
    let database = postgres::database().await;
    let options = postgres::options(&database);
    store::migrate_to(&options, 5).await.expect("migrated");
    postgres::execute(&database, include_str!("old_roles.sql")).await;
    store::migrate(&options).await.expect("migrated");
    let cluster = Cluster::on(&database).await;
    let (edge, inside) = users(&database).await;
    let receives = cluster.start_with("ingest", cluster.configure("edge.yaml", &edge, |text| text));
    let dispatches =
        cluster.start_with("dispatch", cluster.configure("inside.yaml", &inside, |text| text));
    let load = Load::start(&[receives.hooks.clone().expect("it receives")], 3);
    load.more(60).await;
    let told = load.stop().await;
    settled(&database).await;
    prove("rights of the version before", &cluster, &told).await;
    for admin in [&receives.admin, &dispatches.admin] {
        let ready = common::client().get(format!("http://{admin}/readyz")).send().await;
        assert_eq!(ready.expect("an answer").status(), 200);
    }
    let options = postgres::options(&inside);
    let opened = PostgresStore::open(&options, None, LeaseClock::Database, 9);
    let store: Arc<dyn Store> = Arc::new(opened.await.expect("opens"));
    let retention = Retention { keep: Duration::ZERO, max_size: u64::MAX };
    let far = "2100-01-01T00:00:00Z".parse().expect("a time");
    let step = store.apply_retention(retention, far).await.expect("it may remove");
    assert!(step.removed > 0);
}

/// A program that keeps no digests, as before tables of version 4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_program_is_told_why_it_may_not_keep_a_delivery() {
    if postgres::is_missing() {
        return;
    }
    let (cluster, edge, _inside) = with_users().await;
    let old = format!(
        "INSERT INTO deliveries (id, source, provider, kind, name, delivery_key, handshake, received_at, remote, \
         query, size, stored, headers, explanation, body, claims) SELECT (lpad(to_hex(t), 12, '0') || \
         '7fffbfffffffffffffff')::uuid, 'github', 'github', 'push', NULL, 'k', false, t, NULL, '', 1, 1, '', '', '', \
         NULL FROM (SELECT {NOW} AS t) AS x"
    );
    let why = postgres::try_execute(&edge, &old).await.expect_err("refused");
    assert!(why.contains("must be replaced before roles.sql is applied"), "{why}");
    drop(cluster);
}
