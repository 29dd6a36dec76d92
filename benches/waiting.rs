//! What a long queue costs: a store with 100 waiting runs and one with 100,000, side by side. Prints
//! how long a process takes from its start until it is ready, and what taking a run and recording
//! its start costs, as ratios in one run.
//!
//! `cargo bench --bench waiting`
#![allow(missing_docs, clippy::print_stdout, reason = "a program for developers")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cdsw_gateway::clock::later;
use cdsw_gateway::model::{AttemptResult, DeliveryId, Environment, Outcome, RunId};
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{LeaseAsk, NewDelivery, NewRun, NewRunState, Next, Permit, Store};
use jiff::Timestamp;

const FEW: usize = 100;
const MANY: usize = 100_000;
/// How often each thing is measured.
const ROUNDS: usize = 31;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    let mut medians = Vec::new();
    for waiting in [FEW, MANY] {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("gateway.db");
        runtime.block_on(fill(&file, waiting));
        let starting = median((0..7).map(|_| ready(place.path())).collect());
        let leasing = median(runtime.block_on(lease(&file)));
        println!(
            "{waiting:>7} waiting: ready after {starting:?}, a run taken and recorded in {leasing:?}"
        );
        medians.push((starting, leasing));
    }
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    println!("ready: {:.2} times as long", ratio(medians[1].0, medians[0].0));
    println!("taken and recorded: {:.2} times as long", ratio(medians[1].1, medians[0].1));
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

/// A job that rests, so that a process that starts sends nothing of it.
async fn fill(file: &Path, waiting: usize) {
    let store = SqliteStore::open(file).expect("opens");
    let mut bits = 0;
    let mut next = || {
        bits += 1;
        bits
    };
    let runs = (0..waiting).map(|_| NewRun {
        id: RunId::new(start(), next()),
        route: "retrain-on-push".into(),
        job: "retrain".into(),
        part: 0,
        state: NewRunState::Queued(Environment::from_iter([(
            "GIT_SHA",
            "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5",
        )])),
        deadline: later(start(), Duration::from_secs(3600 * 24 * 365 * 50)),
        latest: None,
    });
    let runs: Vec<NewRun> = runs.collect();
    for (number, runs) in runs.chunks(10).enumerate() {
        let delivery = NewDelivery {
            id: DeliveryId::new(start(), u128::MAX - number as u128),
            source: "github".into(),
            provider: "github".into(),
            kind: "push".into(),
            name: None,
            key: number.to_string().into(),
            handshake: false,
            received_at: start(),
            remote: None,
            headers: Vec::new(),
            query: String::new(),
            body: Bytes::from_static(include_bytes!("push.json")),
            claims: None,
            explanation: b"{}".to_vec(),
            runs: runs.to_vec(),
        };
        store.accept(delivery).await.expect("kept");
    }
}

/// From the start of the process until it says its addresses.
fn ready(place: &Path) -> Duration {
    let config = place.join("gateway.yaml");
    std::fs::write(&config, CONFIG).expect("written");
    let begin = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cdsw-gateway"))
        .args(["serve", "--print-addresses", "--log", "error", "--config"])
        .arg(&config)
        .env("ADMIN_TOKEN", "for measuring alone")
        .env("SECRET", "for measuring alone")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    for _ in 0..2 {
        lines.next().expect("an address").expect("text");
    }
    let took = begin.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    took
}

/// The key cannot be read, so nothing is sent.
const CONFIG: &str = r"
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, admin_tokens: { ops: { env: ADMIN_TOKEN } } }
store: sqlite:gateway.db
workbenches: { main: { url: http://127.0.0.1:9, api_keys: { alice: { env: NOT_SET } } } }
jobs: { other: { workbench: main, project: alice/risk, job: 1, api_key: alice } }
sources: { github: { provider: github, secrets: [{ env: SECRET }] } }
routes: { none: { on: { source: github, event: none }, job: other } }
";

/// Takes runs one by one and records each as started.
async fn lease(file: &Path) -> Vec<Duration> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(file).expect("opens"));
    let ask = LeaseAsk {
        now: later(start(), Duration::from_secs(1)),
        permits: vec![Permit {
            job: "retrain".into(),
            count: 1,
            at_once: usize::MAX,
            key: None,
            declared: "retrain 0".into(),
            lease: Duration::from_secs(60),
            per_minute: Some(1_000_000),
            per_hour: Some(1_000_000),
            backlog_per_minute: 10,
            trial: None,
        }],
        most: 1,
    };
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let mut leased = store.lease_due(ask.clone()).await.expect("leased");
        let lease = leased.leases.pop().expect("one waits");
        let result = AttemptResult {
            outcome: Outcome::Started,
            status: Some(200),
            engine_id: Some("engine".to_owned()),
            reason: "started as engine".to_owned(),
            reply: None,
            retry_after: None,
            took: Duration::from_millis(12),
            key_refused: false,
        };
        let next = Next::Started { engine_id: "engine".to_owned() };
        store.finish_attempt(lease, result, next, ask.now).await.expect("recorded");
        all.push(begin.elapsed());
    }
    all
}
