//! What the senders were told, the database and the workbench's log, held against each other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use cdsw_gateway::simulator::Simulator;
use tokio_postgres::NoTls;

use super::cluster::{Cluster, Told};

/// A run as it is kept.
#[derive(Debug)]
struct Kept {
    delivery: String,
    job: String,
    state: String,
    outcomes: Vec<Option<String>>,
}

/// Ends when nothing waits or is on the wire any more.
pub async fn settled(database: &str) {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await.expect("connects");
    tokio::spawn(connection);
    let waiting = async {
        loop {
            let row = client
                .query_one(
                    "SELECT count(*) FROM runs WHERE state IN ('waiting', 'queued', 'sending')",
                    &[],
                )
                .await
                .expect("counted");
            if row.get::<_, i64>(0) == 0 {
                return;
            }
        }
    };
    if tokio::time::timeout(Duration::from_secs(90), waiting).await.is_err() {
        let rows = client
            .query(
                "SELECT state, job, blocked, reason, count(*) FROM runs GROUP BY 1, 2, 3, 4",
                &[],
            )
            .await
            .expect("read");
        panic!("something still waits: {rows:?}");
    }
}

/// # Panics
/// Where anything is not as promised.
pub async fn prove(what: &str, cluster: &Cluster, told: &Told) {
    let (client, connection) =
        tokio_postgres::connect(&cluster.database, NoTls).await.expect("connects");
    tokio::spawn(connection);
    let deliveries: Vec<(String, String)> = client
        .query("SELECT id::text, delivery_key FROM deliveries", &[])
        .await
        .expect("read")
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let ids: HashSet<&String> = deliveries.iter().map(|(id, _)| id).collect();
    let keys: HashSet<&String> = deliveries.iter().map(|(_, key)| key).collect();
    assert_eq!(keys.len(), deliveries.len(), "a delivery is kept once");
    let mut runs = HashMap::<String, Kept>::new();
    for row in client
        .query("SELECT id::text, delivery::text, job, state FROM runs", &[])
        .await
        .expect("read")
    {
        let kept =
            Kept { delivery: row.get(1), job: row.get(2), state: row.get(3), outcomes: Vec::new() };
        runs.insert(row.get(0), kept);
    }
    for row in client
        .query("SELECT run::text, outcome FROM attempts ORDER BY run, number", &[])
        .await
        .expect("read")
    {
        runs.get_mut(row.get::<_, &str>(0)).expect("of a run").outcomes.push(row.get(1));
    }
    let answers = told.accepted.lock().expect("not poisoned");
    for answer in answers.iter() {
        let id = answer["delivery"].as_str().expect("an id");
        assert!(ids.contains(&id.to_owned()), "a 2xx named delivery {id}, which is not kept");
        let run = answer["runs"][0]["id"].as_str().expect("a run");
        assert_eq!(runs.get(run).map(|kept| &*kept.delivery), Some(id), "{answer}");
    }
    assert_eq!(runs.len(), deliveries.len(), "each delivery has the one run of its route");
    let starts = starts(&cluster.simulator);
    for id in starts.keys() {
        assert!(runs.contains_key(id), "the workbench runs {id}, which nobody knows here");
    }
    let mut states = BTreeMap::<&str, usize>::new();
    for (id, kept) in &runs {
        lawful(id, kept, starts.get(id).copied().unwrap_or(0));
        *states.entry(&kept.state).or_default() += 1;
    }
    assert_eq!(told.curt.load(std::sync::atomic::Ordering::Relaxed), 0, "503 without Retry-After");
    let twice = starts.values().filter(|times| **times > 1).count();
    println!(
        "{what}: {} answers 2xx, each kept; others {:?}; runs {states:?}; {} starts, none twice \
         under hold, {twice} more than once under retry",
        answers.len(),
        told.others.lock().expect("not poisoned"),
        starts.values().sum::<usize>(),
    );
    assert!(!answers.is_empty() && !starts.is_empty(), "nothing went on, so nothing was proved");
}

fn starts(simulator: &Simulator) -> HashMap<String, usize> {
    let mut starts = HashMap::new();
    for run in simulator.runs() {
        *starts.entry(run.environment["GATEWAY_RUN_ID"].clone()).or_default() += 1;
    }
    starts
}

fn lawful(id: &str, kept: &Kept, starts: usize) {
    let hold = kept.job == "retrain";
    assert!(!hold || starts <= 1, "{id} was started {starts} times: {kept:?}");
    assert!(kept.outcomes.iter().all(Option::is_some), "{id}: an attempt is open: {kept:?}");
    let last = kept.outcomes.last().and_then(Option::as_deref);
    match &*kept.state {
        "started" => assert!(starts >= 1 && last == Some("started"), "{id}: {starts}: {kept:?}"),
        "held" => assert!(hold && last == Some("unknown"), "{id}: {kept:?}"),
        _ => panic!("{id} is {} in the end: {kept:?}", kept.state),
    }
}
