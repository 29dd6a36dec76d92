//! A new version and the one before it, side by side; and configurations that change while they run.

use std::time::Duration;

use cdsw_gateway::store::postgres as store;

use super::cluster::{Cluster, Load};
use super::proof::{prove, settled};
use crate::common::postgres;

/// Whether the first migration's tables, filled, come through the next one while a process that knows
/// the newer version waits for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_the_version_before_are_brought_up_to_date_with_what_is_in_them() {
    if postgres::is_missing() {
        return;
    }
    let database = postgres::database().await;
    let options = postgres::options(&database);
    store::migrate_to(&options, 1).await.expect("migrated");
    postgres::execute(&database, include_str!("old.sql")).await;
    let cluster = Cluster::on(&database).await;
    let migrated = crate::common::process::program()
        .args(["migrate", "--config"])
        .arg(cluster.site.config())
        .output()
        .expect("runs");
    let words = String::from_utf8_lossy(&migrated.stdout);
    assert!(words.contains("from version 1 to 7"), "{words}");
    let replica = cluster.start("all");
    settled(&database).await;
    let load = Load::start(&[replica.hooks.clone().expect("it receives")], 2);
    load.more(20).await;
    load.stop().await;
    settled(&database).await;
    let (client, connection) =
        tokio_postgres::connect(&database, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let rows = client
        .query(
            "SELECT id::text, state FROM runs WHERE delivery = \
             '0193a6f2-2097-73fe-ac93-b02f05d484a1' ORDER BY seq",
            &[],
        )
        .await
        .expect("read");
    let states: Vec<&str> = rows.iter().map(|row| row.get(1)).collect();
    assert_eq!(states, ["started", "held", "failed", "started"], "what was queued was started");
}

/// A process of the version before has its tables from before, and goes on where the migration says
/// that it may: it neither declares itself nor asks what is in force.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_migrates_while_others_work_disturbs_nobody() {
    if postgres::is_missing() {
        return;
    }
    let cluster = Cluster::new().await;
    let old = cluster.start("all");
    let load = Load::start(&[old.hooks.clone().expect("it receives")], 4);
    load.more(50).await;
    // What a later migration leaves behind, which says that this version may go on.
    postgres::execute(
        &cluster.database,
        "ALTER TABLE runs ADD COLUMN later text; CREATE TABLE later (x integer); \
         UPDATE cdsw_gateway_schema SET version = version + 1",
    )
    .await;
    load.more(50).await;
    let second = cluster.start("all");
    load.more(50).await;
    let told = load.stop().await;
    settled(&cluster.database).await;
    prove("beside a newer schema", &cluster, &told).await;
    drop((old, second));
}

/// `OLDER_GATEWAY` names an older build of the program: its tables are brought up to date under it, processes
/// of both work side by side, and then the old ones go, as in a rolling upgrade.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "on request: OLDER_GATEWAY names an older program"]
async fn an_older_program_goes_on_until_it_is_replaced() {
    if postgres::is_missing() {
        return;
    }
    let older = std::env::var_os("OLDER_GATEWAY").expect("OLDER_GATEWAY names an older program");
    let older = || std::process::Command::new(&older);
    let database = postgres::database().await;
    let cluster = Cluster::on(&database).await;
    let config = cluster.site.config();
    let made = older().args(["migrate", "--config"]).arg(&config).status().expect("runs");
    assert!(made.success());
    let old = ["all", "dispatch", "ingest"]
        .map(|role| Cluster::start_program(older(), role, config.clone()));
    let hooks: Vec<String> = old.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 4);
    load.more(100).await;
    store::migrate(&postgres::options(&database)).await.expect("migrated");
    load.more(100).await;
    let new = [cluster.start("all"), cluster.start("dispatch")];
    load.more(100).await;
    let hooks = [new[0].hooks.clone().expect("it receives")];
    let newer = Load::start(&hooks, 4);
    newer.more(100).await;
    let told = load.stop().await;
    old.into_iter().for_each(|replica| assert!(replica.terminate().success()));
    newer.more(100).await;
    let told_by_newer = newer.stop().await;
    settled(&database).await;
    prove("the version before", &cluster, &told).await;
    prove("and the one after", &cluster, &told_by_newer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reload_adds_and_takes_away_reaches_every_process() {
    if postgres::is_missing() {
        return;
    }
    let cluster = Cluster::new().await;
    let config = cluster.site.config();
    let replicas = [cluster.start("all"), cluster.start("dispatch")];
    let old = cluster.configure("old.yaml", &cluster.database, |text| text);
    // It never hears of the change: its file stays as it was.
    let stale = cluster.start_with("all", old);
    let stale_hooks = [stale.hooks.clone().expect("it receives")];
    let load = Load::start(&stale_hooks, 2);
    load.more(20).await;
    load.stop().await;
    settled(&cluster.database).await;
    // The job is taken out. What the stale process accepts for it is kept, and nobody starts it.
    let text = std::fs::read_to_string(&config).expect("read");
    let without = text.replace("job: 208", "job: 999");
    let before = newest(&cluster.database).await;
    std::fs::write(&config, without).expect("written");
    let declared = async {
        while newest(&cluster.database).await == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), declared).await.expect("declared");
    let before = of_job(&cluster, 208);
    let load = Load::start(&stale_hooks, 2);
    load.more(20).await;
    let told = load.stop().await;
    let (client, connection) =
        tokio_postgres::connect(&cluster.database, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let ended = async {
        loop {
            let row = client
                .query_one("SELECT count(*) FROM runs WHERE state IN ('queued', 'sending')", &[])
                .await
                .expect("counted");
            if row.get::<_, i64>(0) == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("all were sent");
    assert_eq!(of_job(&cluster, 208), before, "the stale process started what is forbidden");
    assert!(told.accepted.lock().expect("ok").len() >= 20);
    drop(replicas);
}

fn of_job(cluster: &Cluster, number: u64) -> usize {
    cluster.simulator.runs().iter().filter(|run| run.job.ends_with(&format!("/{number}"))).count()
}

/// The number of the newest configuration.
async fn newest(database: &str) -> i64 {
    let (client, connection) =
        tokio_postgres::connect(database, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    let row = client.query_one("SELECT max(number) FROM configurations", &[]).await;
    row.expect("counted").get(0)
}
