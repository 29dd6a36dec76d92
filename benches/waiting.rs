//! Measures what a long queue costs: a store with 100 waiting runs and one with 100,000, in turns. Prints
//! how long a process takes from its start until `/readyz` answers 200, and how long it takes to take a
//! run and record its start. Exits with 1 if one of the promises below is not kept.
//!
//! `cargo bench --bench waiting`
#![allow(missing_docs, clippy::print_stdout, reason = "a program for developers")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cdsw_gateway::clock::later;
use cdsw_gateway::model::{AttemptResult, ContentDigest, DeliveryId, Environment, Outcome, RunId};
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{
    Asks, KeptHeaders, Lease, LeaseAsk, NewDelivery, NewRun, NewRunState, Next, NotAsked, Permit,
    Store,
};
use jiff::Timestamp;

const FEW: usize = 100;
const MANY: usize = 100_000;
/// How often taking and recording a run is measured on each store.
const ROUNDS: usize = 31;
/// How often a process is started on each store.
const STARTS: usize = 7;

/// Promise: a process is ready this soon after its start.
const READY: Duration = Duration::from_secs(2);
/// Promise: a run of the long queue costs at most this many times what one of the short queue costs.
const DEARER: f64 = 2.0;

/// A store with `waiting` runs of the job `retrain`, and `FEW` of `other`.
struct Filled {
    waiting: usize,
    place: tempfile::TempDir,
}

impl Filled {
    fn file(&self) -> PathBuf {
        self.place.path().join("gateway.db")
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    let stores = [FEW, MANY].map(|waiting| {
        let filled = Filled { waiting, place: tempfile::tempdir().expect("a directory") };
        runtime.block_on(fill(&filled.file(), waiting));
        filled
    });
    let mut kept = true;
    let mut promise = |what: &str, figure: String, is_kept: bool| {
        println!("{}  {what}: {figure}", if is_kept { "kept  " } else { "MISSED" });
        kept &= is_kept;
    };
    for (name, config) in
        [("its job not configured", NOT_CONFIGURED), ("its job configured", CONFIGURED)]
    {
        for store in &stores {
            let took = median((0..STARTS).map(|_| ready(store.place.path(), config)).collect());
            let what = format!("ready with {} waiting, {name}", store.waiting);
            promise(&what, format!("{took:?} of {READY:?}"), took < READY);
        }
    }
    for (name, permits) in [
        ("of the long queue", &["retrain"][..]),
        ("of another job, the long queue's first in turn", &["retrain", "other"][..]),
    ] {
        let [few, many] = runtime.block_on(lease(&stores, permits)).map(median);
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        let figure = format!("{few:?} and {many:?}, {ratio:.2} times, of {DEARER}");
        promise(&format!("a run taken and recorded {name}"), figure, ratio <= DEARER);
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

async fn fill(file: &Path, waiting: usize) {
    let store = SqliteStore::open(file).expect("opens");
    let mut bits = 0;
    let mut next = || {
        bits += 1;
        bits
    };
    let jobs = std::iter::repeat_n("retrain", waiting).chain(std::iter::repeat_n("other", FEW));
    let runs = jobs.map(|job| NewRun {
        id: RunId::new(start(), next()),
        route: "retrain-on-push".into(),
        job: job.into(),
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
            digest: ContentDigest::default(),
            window: Duration::from_secs(7 * 24 * 3600),
            handshake: false,
            received_at: start(),
            remote: None,
            headers: KeptHeaders::default(),
            query: String::new(),
            body: Bytes::from_static(include_bytes!("push.json")),
            claims: None,
            explanation: b"{}".to_vec(),
            runs: runs.to_vec(),
        };
        store.accept(delivery).await.expect("kept");
    }
}

/// Starts a process, and returns the time until it is ready.
fn ready(place: &Path, config: &str) -> Duration {
    let file = place.join("gateway.yaml");
    std::fs::write(&file, format!("{COMMON}{config}")).expect("written");
    let begin = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cdsw-gateway"))
        .args(["serve", "--print-addresses", "--log", "error", "--config"])
        .arg(&file)
        .env("ADMIN_TOKEN", "for measuring alone")
        .env("SECRET", "for measuring alone")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut line = || lines.next().expect("an address").expect("text");
    line();
    let admin = line();
    let admin = admin.strip_prefix("admin ").expect("in this order");
    while !is_ready(admin) {
        assert!(begin.elapsed() < READY * 10, "it is never ready");
    }
    let took = begin.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    took
}

fn is_ready(admin: &str) -> bool {
    let mut stream = TcpStream::connect(admin).expect("it listens");
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.starts_with("HTTP/1.1 200")
}

/// The API key cannot be read, so nothing is sent.
const COMMON: &str = r"
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, admin_tokens: { ops: { env: ADMIN_TOKEN } } }
store: sqlite:gateway.db
workbenches: { main: { url: http://127.0.0.1:9, api_keys: { alice: { env: NOT_SET } } } }
sources: { github: { provider: github, secrets: [{ env: SECRET }] } }
";
const NOT_CONFIGURED: &str = r"
jobs: { third: { workbench: main, project: alice/risk, job: 1, api_key: alice } }
routes: { none: { on: { source: github, event: none }, job: third } }
";
const CONFIGURED: &str = r"
jobs: { retrain: { workbench: main, project: alice/risk, job: 1, api_key: alice, starts_per_minute: 60 } }
routes: { none: { on: { source: github, event: none }, job: retrain } }
";

/// Takes runs one by one, on each store in turn, and records each as started. Only the last of `jobs` may
/// start a run; the jobs before it are at their limit.
async fn lease(stores: &[Filled; 2], jobs: &[&str]) -> [Vec<Duration>; 2] {
    let stores = stores.each_ref().map(|filled| SqliteStore::open(&filled.file()).expect("opens"));
    let stores = stores.map(|store| Arc::new(store) as Arc<dyn Store>);
    let mut all = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (store, all) in stores.iter().zip(&mut all) {
            all.push(one(&**store, jobs).await);
        }
    }
    all
}

/// Asks for every run.
#[derive(Debug)]
struct EveryRun;

impl Asks for EveryRun {
    fn asks_for(&self, _: &Lease) -> Result<(), NotAsked> {
        Ok(())
    }
}

async fn one(store: &dyn Store, jobs: &[&str]) -> Duration {
    // Later than every back-off after a start whose API key could not be read.
    let now = later(start(), Duration::from_secs(3600 * 24 * 365 * 40));
    let last = jobs.len() - 1;
    let permit = |(position, job): (usize, &&str)| Permit {
        job: (*job).into(),
        count: usize::from(position == last),
        at_once: usize::MAX,
        key: None,
        declared: format!("{job} 0").into(),
        lease: Duration::from_secs(60),
        per_minute: Some(1_000_000),
        per_hour: Some(1_000_000),
        backlog_per_minute: Some(10),
        trial: None,
        env_max: 64 * 1024,
    };
    let ask = LeaseAsk {
        now,
        permits: jobs.iter().enumerate().map(permit).collect(),
        most: 1,
        plan: Arc::new(EveryRun),
        version: "1".into(),
    };
    let begin = Instant::now();
    let mut leased = store.lease_due(ask).await.expect("leased");
    let lease = leased.leases.pop().expect("one waits");
    let result = AttemptResult {
        outcome: Outcome::Started,
        status: Some(200),
        engine_id: Some("engine".to_owned()),
        reason: "started as engine".to_owned(),
        reply: None,
        retry_after: None,
        clock_ahead: None,
        took: Duration::from_millis(12),
        key_refused: false,
    };
    let next = Next::Started { engine_id: "engine".to_owned() };
    store.finish_attempt(lease, result, next, now).await.expect("recorded");
    begin.elapsed()
}
