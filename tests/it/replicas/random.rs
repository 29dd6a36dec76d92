//! A hostile ingest process at random, with exactly the rights of `roles.sql`, beside an honest load.
//!
//! `HOSTILE_SECONDS` says for how long, `HOSTILE_SEED` repeats its choices. `tests/README.md` says how to run it
//! for ten minutes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cdsw_gateway::random::{Random, SeededRandom};
use tokio_postgres::Client;

use super::hostile::{NOW, Zones, connect, within_a_minute, zones};
use crate::common::{self, PUSH, github_signature, postgres};

/// Time between two honest deliveries, and between two hostile statements.
const HONEST: Duration = Duration::from_millis(50);
const HOSTILE: Duration = Duration::from_millis(5);

const STATES: [&str; 8] =
    ["waiting", "queued", "sending", "started", "held", "failed", "superseded", "cancelled"];
const NAMES: [&str; 6] =
    ["'retrain'", "'report'", "'none'", "''", "E'\\x1b[2J'", "repeat('r', 900)"];
const NUMBERS: [&str; 8] = [
    "0",
    "1",
    "-1",
    "2",
    "1000000000",
    "9223372036854775807",
    "-9223372036854775808",
    "4000000000000",
];
const VARIABLES: [&str; 9] = [
    r#"'{"GIT_SHA":"forged"}'"#,
    r#"'{"GIT_SHA":"forged","LD_PRELOAD":"evil.so"}'"#,
    r#"'{"PATH":"evil"}'"#,
    r#"'{"GIT_SHA":"forged","GATEWAY_RUN_ID":"x"}'"#,
    r#"'{"GIT_SHA":"forged","OTHER":"x"}'"#,
    "'{}'",
    "'junk'",
    "NULL",
    "'{\"GIT_SHA\":\"' || repeat('x', 50000) || '\"}'",
];

struct Chance(SeededRandom);

impl Chance {
    fn of<'a>(&self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn below(&self, of: usize) -> usize {
        usize::try_from(self.0.bits() % of as u128).expect("smaller than `of`")
    }

    /// A time: now, a little or very far away.
    fn time(&self) -> String {
        match self.below(4) {
            0 => self.of(&NUMBERS).to_owned(),
            1 => format!("{NOW} - 120000"),
            2 => format!("{NOW} + 90000000"),
            _ => NOW.to_owned(),
        }
    }

    /// The value of a column of `runs`.
    fn value(&self, column: &str) -> String {
        match column {
            "state" => format!("'{}'", self.of(&STATES)),
            "route" | "job" | "latest_per" | "reason" => self.of(&NAMES).to_owned(),
            "environment" => self.of(&VARIABLES).to_owned(),
            "blocked" => self.of(&["0", "1", "2", "3"]).to_owned(),
            "passed" => "true".to_owned(),
            "engine_id" => "'e'".to_owned(),
            "id" | "delivery" => "gen_random_uuid()".to_owned(),
            "accepted_at" | "changed_at" | "due_at" | "deadline_at" | "lease_until" => self.time(),
            _ => self.of(&NUMBERS).to_owned(),
        }
    }

    fn some<'a>(&self, of: &[&'a str], chance: usize) -> Vec<&'a str> {
        of.iter().filter(|_| self.below(100) < chance).copied().collect()
    }

    /// One statement, and what kind of act it is.
    fn act(&self) -> (&'static str, String) {
        match self.below(14) {
            0..=2 => ("insert a run", self.insert()),
            3..=6 => ("change runs", self.update()),
            7 => {
                let (who, act) =
                    (self.of(&["ops", "gateway", "signal"]), self.of(&["reload", "pause"]));
                let kind = self.of(&["configuration", "run", "all"]);
                (
                    "an act",
                    format!(
                        "INSERT INTO audit (at, who, act, kind, name) VALUES ({}, '{who}', '{act}', '{kind}', 'x')",
                        self.time()
                    ),
                )
            }
            8 => {
                let (column, value) =
                    [("expires_at", self.time()), ("delivery", "gen_random_uuid()".to_owned())]
                        [self.below(2)]
                    .clone();
                ("change claims", format!("UPDATE claims SET {column} = {value}"))
            }
            9 => (
                "change deliveries",
                format!(
                    "UPDATE deliveries SET repeats = {}",
                    self.of(&["0", "repeats - 1", "repeats + 2", "repeats + 100"])
                ),
            ),
            10 => {
                // Also ids that honest deliveries are about to have.
                let key = format!("'honest-{}'", self.below(2000));
                ("claim an id", super::claims::forged(&key, &self.time()))
            }
            11 => {
                let key = format!("'honest-{}'", self.below(2000));
                (
                    "claim without a delivery",
                    format!(
                        "INSERT INTO claims (source, delivery_key, delivery, expires_at) VALUES \
                         ('github', {key}, gen_random_uuid(), {})",
                        self.time()
                    ),
                )
            }
            12 => (
                "notify",
                format!("SELECT pg_notify('cdsw_gateway', '{}')", self.of(&["runs", "rests", "x"])),
            ),
            _ => (
                "what it has no right to",
                self.of(&[
                    "DELETE FROM pauses",
                    "UPDATE runs SET attempts = 0",
                    "SELECT environment FROM runs",
                    "INSERT INTO gates VALUES ('x')",
                    "UPDATE audit SET who = 'x'",
                    "DELETE FROM runs",
                    "SELECT one FROM dispatch_probe FOR UPDATE",
                    "UPDATE deliveries SET erased_at = 1",
                    "INSERT INTO attempts (run, number, begun_at) VALUES (gen_random_uuid(), 1, 1)",
                ])
                .to_owned(),
            ),
        }
    }

    fn insert(&self) -> String {
        // Mostly what the database lets through, so that the dispatch side has something to judge.
        let mut columns: Vec<(&str, String)> = [
            ("id", "gen_random_uuid()".to_owned()),
            ("delivery", "gen_random_uuid()".to_owned()),
            ("route", self.value("route")),
            ("job", self.value("job")),
            ("part", "0".to_owned()),
            ("state", format!("'{}'", self.of(&["queued", "queued", "queued", "held"]))),
            ("environment", self.value("environment")),
            ("accepted_at", "t".to_owned()),
            ("changed_at", "t".to_owned()),
            ("due_at", "t".to_owned()),
            ("deadline_at", "t + 3600000".to_owned()),
        ]
        .into();
        if self.below(3) == 0 {
            let odd = self.of(&["state", "part", "accepted_at", "due_at", "deadline_at"]);
            let column = columns.iter_mut().find(|(name, _)| *name == odd).expect("it is one");
            column.1 = self.value(odd);
        }
        let more =
            ["latest_per", "burst", "stands_for", "blocked", "passed", "attempts", "engine_id"];
        columns.extend(self.some(&more, 4).into_iter().map(|name| (name, self.value(name))));
        let (names, values): (Vec<&str>, Vec<String>) = columns.into_iter().unzip();
        let ago = self.of(&["0", "120000", "120000"]);
        format!(
            "INSERT INTO runs ({}) SELECT {} FROM (SELECT {NOW} - {ago} AS t) AS x",
            names.join(", "),
            values.join(", ")
        )
    }

    fn update(&self) -> String {
        let may =
            ["environment", "changed_at", "due_at", "deadline_at", "blocked", "burst", "reason"];
        let mut set: Vec<String> = self
            .some(&may, 30)
            .into_iter()
            .map(|name| format!("{name} = {}", self.value(name)))
            .collect();
        set.push(format!("state = '{}'", self.of(&STATES)));
        let from = self.of(&STATES);
        format!(
            "UPDATE runs SET {} WHERE state = '{from}' AND seq % 7 = {}",
            set.join(", "),
            self.below(7)
        )
    }
}

#[derive(Default)]
struct Done {
    lawful: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
}

/// Acts at random until it is told to stop.
async fn acts(edge: String, seed: u64, stop: Arc<AtomicBool>) -> Done {
    let (chance, mut done) = (Chance(SeededRandom::new(seed)), Done::default());
    let mut client = connect(&edge).await;
    while !stop.load(Ordering::Relaxed) {
        let (kind, sql) = chance.act();
        let counts = match client.batch_execute(&sql).await {
            Ok(()) => &mut done.lawful,
            Err(error) => {
                let told = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}"));
                assert!(!told.message().contains("syntax"), "{sql}: {told}");
                &mut done.refused
            }
        };
        *counts.entry(kind).or_default() += 1;
        if client.is_closed() {
            client = connect(&edge).await;
        }
        tokio::time::sleep(HOSTILE).await;
    }
    done
}

/// Honest deliveries, one after the other, each sent until it is accepted; gives their runs.
async fn honest(hooks: String, stop: Arc<AtomicBool>) -> (Vec<String>, u64) {
    let (client, mut runs, mut again) = (common::client(), Vec::new(), 0);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (event, body) = match number % 3 {
            0 => ("create", common::no_push()),
            _ => ("push", PUSH.to_owned()),
        };
        loop {
            let answer = client
                .post(format!("http://{hooks}/hooks/github"))
                .header("x-github-event", event)
                .header("x-github-delivery", format!("honest-{number}"))
                .header("x-hub-signature-256", github_signature(body.as_bytes()))
                .body(body.clone())
                .send()
                .await
                .expect("an answer");
            if answer.status().is_success() {
                let told: serde_json::Value = answer.json().await.expect("JSON");
                runs.push(told["runs"][0]["id"].as_str().expect("a run").to_owned());
                break;
            }
            assert_eq!(answer.status(), 503, "it is told to come again");
            again += 1;
            tokio::time::sleep(HONEST).await;
        }
        tokio::time::sleep(HONEST).await;
    }
    (runs, again)
}

/// Held and cancelled runs that the routes do ask for, so that they would be started if anybody moved them.
async fn plant(database: &str) {
    for state in ["held", "cancelled"] {
        let sql = format!(
            "INSERT INTO runs (id, delivery, route, job, part, state, reason, environment, accepted_at, changed_at, \
             due_at, deadline_at) SELECT gen_random_uuid(), '00000000-0000-7000-8000-00000000aaaa', 'retrain', \
             'retrain', n, '{state}', 'by a person', '{{\"GIT_SHA\":\"kept back\"}}', t, t, t, t + 86400000 \
             FROM (SELECT {NOW} - 120000 AS t) AS x, generate_series(1, 20) AS n"
        );
        postgres::execute(database, &sql).await;
    }
}

async fn planted(client: &Client) -> Vec<String> {
    let sql = "SELECT runs::text FROM runs WHERE delivery = '00000000-0000-7000-8000-00000000aaaa' ORDER BY seq";
    client.query(sql, &[]).await.expect("read").iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_ingest_process_at_random_starts_nothing_moves_nothing_and_loses_nothing() {
    if postgres::is_missing() {
        return;
    }
    let number = |name: &str, otherwise| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (seconds, seed) = (number("HOSTILE_SECONDS", 5), number("HOSTILE_SEED", 1));
    let zones = zones().await;
    plant(&zones.cluster.database).await;
    let client = connect(&zones.cluster.database).await;
    let before = planted(&client).await;
    let stop = Arc::new(AtomicBool::new(false));
    let hooks = zones.ingest.hooks.clone().expect("it receives");
    let hostile = tokio::spawn(acts(zones.edge.clone(), seed, Arc::clone(&stop)));
    let load = tokio::spawn(honest(hooks, Arc::clone(&stop)));
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end && !hostile.is_finished() && !load.is_finished() {
        tokio::time::sleep(HONEST).await;
    }
    stop.store(true, Ordering::Relaxed);
    let done = hostile.await.expect("it acts");
    let (runs, again) = load.await.expect("it sends");
    check(&zones, &client, &runs).await;
    assert_eq!(planted(&client).await, before, "no held or cancelled run was moved");
    println!(
        "{seconds} s with seed {seed}: {} honest deliveries ({again} sent again), each started once; {} starts; \
         hostile statements that took effect {:?}, refused {:?}",
        runs.len(),
        zones.cluster.simulator.runs().len(),
        done.lawful,
        done.refused
    );
    assert!(!runs.is_empty() && !done.lawful.is_empty() && !done.refused.is_empty());
}

/// # Panics
/// Where the workbench started what no route asks for, an act stands in another's name, or something honest was
/// lost.
async fn check(zones: &Zones, client: &Client, honest: &[String]) {
    for run in honest {
        let sql = format!("SELECT state = 'started' FROM runs WHERE id = '{run}'");
        let started =
            within_a_minute(async || client.query_one(&sql, &[]).await.expect("it is kept").get(0));
        assert!(started.await, "honest run {run} is not started");
    }
    let sql = "SELECT id::text, route, job, state FROM runs";
    let rows = client.query(sql, &[]).await.expect("read");
    let kept: HashMap<String, (String, String, String)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3)))).collect();
    let mut times = HashMap::<String, usize>::new();
    for run in zones.cluster.simulator.runs() {
        let id = &run.environment["GATEWAY_RUN_ID"];
        let (route, job, state) = kept.get(id).unwrap_or_else(|| panic!("{id} is not kept"));
        assert_eq!((&**route, &**state), (&**job, "started"), "{id}");
        assert!(["retrain", "report"].contains(&&**job), "{id} of {job}");
        let names = |name: &String| name == "GIT_SHA" || name.starts_with("GATEWAY_");
        assert!(run.environment.keys().all(names), "{:?}", run.environment);
        assert!(run.environment.contains_key("GIT_SHA"), "{:?}", run.environment);
        assert!(run.environment["GIT_SHA"] != "kept back", "a run that was kept back was started");
        *times.entry(id.clone()).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "a run was started more than once");
    assert!(honest.iter().all(|run| times.contains_key(run)), "an honest run was not started");
    let user = zones.edge.split("//").nth(1).and_then(|rest| rest.split('@').next());
    let named = format!("database user {}: ", user.expect("a user"));
    let acts = client.query("SELECT who FROM audit", &[]).await.expect("read");
    for act in acts {
        let who: &str = act.get(0);
        assert!(who.starts_with(&named), "an act in the name of {who}");
    }
}
