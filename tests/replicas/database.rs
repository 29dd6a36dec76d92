//! The database stops and comes back, or another one takes its place.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Load};
use crate::postgres::{self, Own};
use crate::proof::{prove, settled};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_stops_and_starts_again_under_load() {
    let server = Own::start("");
    let database = server.with_tables("gateway").await;
    let cluster = Cluster::on(&database).await;
    let replicas = [cluster.start("all"), cluster.start("all")];
    let hooks: Vec<String> = replicas.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 6);
    load.more(100).await;
    for _ in 0..3 {
        server.control(&["-m", "immediate", "stop"]);
        refused(&load).await;
        server.control(&["-w", "start"]);
        let back = Instant::now();
        load.more(1).await;
        let took = back.elapsed();
        println!("accepted again {} ms after the database was back", took.as_millis());
        assert!(took < Duration::from_secs(5), "{took:?}");
        load.more(50).await;
    }
    let told = load.stop().await;
    settled(&database).await;
    prove("database stopped and started", &cluster, &told).await;
}

/// Ends when senders have been told that it cannot be kept now.
async fn refused(load: &Load) {
    let count = || load.told.others.lock().expect("ok").get("503").copied().unwrap_or(0);
    let before = count();
    let waiting = async {
        while count() < before + 5 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("503 in between");
}

/// The standby has every commit before it is answered (`synchronous_standby_names`), so that it can
/// take the primary's place at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streaming_standby_takes_over_under_load() {
    let primary = Own::start("max_wal_senders = 4");
    let database = primary.with_tables("gateway").await;
    let standby = primary.standby();
    postgres::execute(&primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    postgres::execute(&primary.url, "SELECT pg_reload_conf()").await;
    let both = format!(
        "postgres://tests@127.0.0.1:{},127.0.0.1:{}/gateway?target_session_attrs=read-write",
        primary.port(),
        standby.port()
    );
    let mut cluster = Cluster::on(&database).await;
    cluster.configure("gateway.yaml", &both, |text| text);
    let replicas = [cluster.start("all"), cluster.start("all")];
    let hooks: Vec<String> = replicas.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 6);
    load.more(100).await;
    primary.control(&["-m", "immediate", "stop"]);
    refused(&load).await;
    standby.control(&["-w", "promote"]);
    let back = Instant::now();
    load.more(1).await;
    let took = back.elapsed();
    println!("accepted again {} ms after the standby was promoted", took.as_millis());
    assert!(took < Duration::from_secs(5), "{took:?}");
    load.more(50).await;
    let told = load.stop().await;
    cluster.database = database.replace(&primary.port().to_string(), &standby.port().to_string());
    settled(&cluster.database).await;
    prove("failed over to a standby", &cluster, &told).await;
}

/// PgBouncer hands each transaction to another connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_behind_a_pooler_in_transaction_mode() {
    if Command::new("pgbouncer").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "tests/run.sh installs pgbouncer");
        println!("pgbouncer is not installed, so nothing was tried");
        return;
    }
    let database = postgres::with_tables().await;
    let pooler = postgres::Pooler::start(&database);
    let cluster = Cluster::on(&database).await;
    let direct = format!("pooler: transaction, direct: \"{database}\", connections: 8");
    cluster.configure("gateway.yaml", &pooler.url, |text| text.replace("connections: 8", &direct));
    let replicas = [cluster.start("ingest"), cluster.start("dispatch"), cluster.start("all")];
    let hooks: Vec<String> = replicas.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 8);
    load.more(300).await;
    let told = load.stop().await;
    settled(&database).await;
    prove("behind a pooler", &cluster, &told).await;
}
