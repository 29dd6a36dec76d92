//! Any process may be killed, cut off from the database, or stand still for longer than its lease.

use std::time::Duration;

use cdsw_gateway::simulator::{Fault, FaultRule};

use super::cluster::{Cluster, Load};
use super::proof::{prove, settled};
use crate::common::postgres;

async fn any_of_three_may_die(what: &str, roles: [&str; 3]) {
    let cluster = Cluster::new().await;
    let mut replicas = roles.map(|role| cluster.start(role));
    // Whatever dies, somebody receives: a fourth one that nothing happens to.
    let steady = cluster.start("ingest");
    let mut hooks: Vec<String> = vec![steady.hooks.clone().expect("it receives")];
    hooks.extend(replicas.iter().filter_map(|replica| replica.hooks.clone()));
    let load = Load::start(&hooks, 8);
    load.more(100).await;
    for (replica, role) in replicas.iter_mut().zip(roles) {
        replica.kill();
        load.more(60).await;
        // The next one of its kind takes its place; senders know those that were there.
        *replica = cluster.start(role);
        load.more(60).await;
    }
    // Every connection of everybody, in the middle of whatever they do.
    for _ in 0..5 {
        postgres::execute(
            &cluster.database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
        load.more(40).await;
    }
    let told = load.stop().await;
    settled(&cluster.database).await;
    prove(what, &cluster, &told).await;
    for replica in replicas {
        assert_eq!(replica.terminate().code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_dispatch_and_one_that_receives_may_each_die_and_be_cut_off() {
    if postgres::is_missing() {
        return;
    }
    any_of_three_may_die("two dispatch, one ingest", ["dispatch", "dispatch", "ingest"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_that_do_everything_may_each_die_and_be_cut_off() {
    if postgres::is_missing() {
        return;
    }
    any_of_three_may_die("three of all", ["all", "all", "all"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_stood_still_for_longer_than_its_lease_starts_nothing_twice() {
    if postgres::is_missing() {
        return;
    }
    let cluster = Cluster::new().await;
    let sleeper = cluster.start("all");
    let steady = cluster.start("all");
    let load = Load::start(&[steady.hooks.clone().expect("it receives")], 8);
    load.more(100).await;
    // It has something on the wire, whose answer it will not hear in time.
    cluster.simulator.add_fault(FaultRule {
        probability: Some(0.5),
        ..FaultRule::always(Fault::SlowHead { millis: 200 })
    });
    load.more(100).await;
    sleeper.signal("-STOP");
    let told = load.stop().await;
    // The other one settles what the sleeper had, once its leases have run out.
    settled(&cluster.database).await;
    sleeper.signal("-CONT");
    let load = Load::start(&[sleeper.hooks.clone().expect("it receives")], 4);
    load.more(30).await;
    let more = load.stop().await;
    settled(&cluster.database).await;
    told.accepted.lock().expect("ok").append(&mut more.accepted.lock().expect("ok"));
    prove("stood still past its lease", &cluster, &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_across_processes() {
    if postgres::is_missing() {
        return;
    }
    let cluster = Cluster::new().await;
    let config = cluster.configure("gateway.yaml", &cluster.database, |text| {
        text.replace(
            "    job: 208\n",
            "    job: 208\n    starts_at_once: 2\n    starts_per_minute: 40\n",
        )
    });
    cluster.simulator.clear_faults();
    cluster.simulator.add_fault(FaultRule::always(Fault::SlowHead { millis: 100 }));
    let replicas = [0; 3].map(|_| cluster.start_with("all", config.clone()));
    let hooks: Vec<String> = replicas.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 8);
    load.more(150).await;
    let told = load.stop().await;
    assert!(told.accepted.lock().expect("ok").len() >= 150);
    let begun = async {
        while cluster.simulator.runs().iter().filter(|run| run.job.ends_with("/208")).count() < 40 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(50), begun).await.expect("forty start at once");
    // Every attempt is on disk before it is sent, so the database has seen the most at once.
    let (client, connection) =
        tokio_postgres::connect(&cluster.database, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let row = client
        .query_one(
            "WITH spans AS (SELECT begun_at, begun_at + coalesce(took_ms, 60000) AS ended_at FROM attempts \
               JOIN runs ON runs.id = attempts.run WHERE job = 'retrain'), \
             most AS (SELECT (SELECT count(*) FROM spans AS other WHERE other.begun_at <= spans.begun_at \
               AND other.ended_at > spans.begun_at) AS at_once FROM spans) \
             SELECT max(at_once), (SELECT count(*) FROM spans) FROM most",
            &[],
        )
        .await
        .expect("counted");
    let (at_once, in_all): (i64, i64) = (row.get(0), row.get(1));
    println!("three of all: {in_all} attempts of a job within a minute, {at_once} at once at most");
    assert!(at_once <= 2, "{at_once} at once");
    assert!(in_all <= 40, "{in_all} within a minute");
}
