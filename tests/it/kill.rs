//! The gateway is killed under load, twenty times in a row, and nothing that it accepted is lost or
//! doubled.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cdsw_gateway::model::RunState;
use cdsw_gateway::random::{Random, SeededRandom};
use cdsw_gateway::simulator::{Fault, FaultRule, Simulator};
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{RunFilter, Store};

use crate::common::{self, PUSH, Site, github_signature};

const KILLS: u64 = 20;
const SENDERS: u64 = 8;

/// A gateway process that does not outlive the test.
struct Process {
    child: Child,
    hooks: String,
    admin: String,
}

impl Process {
    fn start(site: &Site) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cdsw-gateway"))
            .args(["serve", "--print-addresses", "--log", "error", "--config"])
            .arg(site.config())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut address = |word: &str| {
            let line = lines.next().expect("it says where it listens").expect("text");
            line.strip_prefix(word).expect("in this order").to_owned()
        };
        let (hooks, admin) = (address("hooks "), address("admin "));
        Self { child, hooks, admin }
    }

    fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("it is gone");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the senders were told.
#[derive(Default)]
struct Told {
    /// Delivery key → delivery id and run id, for every 2xx.
    accepted: std::sync::Mutex<BTreeMap<String, (String, String)>>,
    count: AtomicU64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_under_load_lose_nothing_and_double_nothing() {
    let mut options = common::simulator_options();
    options.remembered = 1_000_000;
    let simulator = Simulator::start(options).await.expect("starts");
    // Some starts are on the wire at every kill.
    simulator.add_fault(FaultRule {
        probability: Some(0.2),
        ..FaultRule::always(Fault::SlowHead { millis: 40 })
    });
    let site = Site::new(&simulator.api_url(), common::ON_PUSH);
    let told = Arc::new(Told::default());
    let random = SeededRandom::new(20);
    let mut on_the_wire = HashSet::new();
    for round in 0..KILLS {
        let process = Process::start(&site);
        let stop = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (told, stop) = (Arc::clone(&told), Arc::clone(&stop));
                let hook = format!("http://{}/hooks/github", process.hooks);
                tokio::spawn(send(hook, format!("{round}-{sender}"), told, stop))
            })
            .collect();
        // The kill comes after so many more answers, at a moment that the seed chooses.
        let more = 1 + u64::try_from(random.bits() % 60).expect("small");
        let target = told.count.load(Ordering::Relaxed) + more;
        while told.count.load(Ordering::Relaxed) < target {
            tokio::task::yield_now().await;
        }
        process.kill();
        stop.store(true, Ordering::Relaxed);
        for sender in senders {
            sender.await.expect("a sender ends");
        }
        on_the_wire.extend(in_flight(&site).await);
    }
    // The next process settles what the last one left, and starts what waits.
    let process = Process::start(&site);
    let kept = settled(&process, &site, &simulator).await;
    check(&told, &kept, &on_the_wire, &simulator);
    let held = kept.values().filter(|state| **state == RunState::Held).count();
    let answers = told.count.load(Ordering::Relaxed);
    let (runs, caught) = (kept.len(), on_the_wire.len());
    println!(
        "{answers} answers 2xx, {runs} runs kept, {caught} on the wire at a kill, {held} held"
    );
}

async fn send(hook: String, name: String, told: Arc<Told>, stop: Arc<AtomicBool>) {
    let client = common::client();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let key = format!("{name}-{number}");
        let answer = client
            .post(&hook)
            .header("x-github-event", "push")
            .header("x-github-delivery", &key)
            .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
            .body(PUSH)
            .send()
            .await;
        let Ok(answer) = answer else { return };
        let success = answer.status().is_success();
        let Ok(body) = answer.json::<serde_json::Value>().await else { return };
        assert!(success, "{body}");
        let text = |pointer: &str| {
            body.pointer(pointer).and_then(|id| id.as_str()).expect("an id").to_owned()
        };
        let ids = (text("/delivery"), text("/runs/0/id"));
        told.accepted.lock().expect("not poisoned").insert(key, ids);
        told.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs that were on the wire when the last process died, read from its file.
async fn in_flight(site: &Site) -> HashSet<String> {
    let store = SqliteStore::open(&site.path("gateway.db")).expect("opens after SIGKILL");
    let sending = RunFilter { state: Some(RunState::Sending), limit: 1000, ..RunFilter::default() };
    let runs = store.runs(sending).await.expect("read");
    runs.iter().map(|run| run.id.to_string()).collect()
}

/// Every run and its state, once nothing is queued or on the wire any more.
async fn settled(
    process: &Process,
    site: &Site,
    simulator: &Simulator,
) -> BTreeMap<String, RunState> {
    simulator.clear_faults();
    let metrics = common::client();
    loop {
        let text =
            metrics.get(format!("http://{}/metrics", process.admin)).send().await.expect("metrics");
        let text = text.text().await.expect("text");
        let waiting =
            |state: &str| text.contains(&format!("cdsw_gateway_runs{{state=\"{state}\"}} 0"));
        if waiting("queued") && waiting("sending") {
            break;
        }
    }
    let copy = tempfile::tempdir().expect("a directory");
    // The file is in use; what is committed can be read from a copy of it and its log.
    let path = copy.path().join("copy.db");
    rusqlite::Connection::open(site.path("gateway.db"))
        .expect("opens")
        .execute("VACUUM INTO ?1", [path.to_str().expect("text")])
        .expect("copied");
    let reader = rusqlite::Connection::open(path).expect("opens");
    let mut statement = reader.prepare("SELECT id, state FROM runs").expect("prepared");
    statement
        .query_map([], |row| {
            let id = cdsw_gateway::model::RunId::from_bytes(row.get(0)?).to_string();
            let state: String = row.get(1)?;
            Ok((id, state.parse().expect("a state")))
        })
        .expect("read")
        .collect::<Result<_, _>>()
        .expect("rows")
}

fn check(
    told: &Told,
    kept: &BTreeMap<String, RunState>,
    in_flight: &HashSet<String>,
    simulator: &Simulator,
) {
    let accepted = told.accepted.lock().expect("not poisoned");
    assert!(accepted.len() >= usize::try_from(KILLS).expect("small"));
    assert!(!in_flight.is_empty(), "no kill met a start on the wire, so nothing was proved");
    let mut seen = HashSet::new();
    for (key, (_, run)) in accepted.iter() {
        assert!(kept.contains_key(run), "{key} was answered 2xx and its run {run} is not kept");
        assert!(seen.insert(run), "{run} was given to two deliveries");
    }
    for run in in_flight {
        assert_eq!(kept.get(run), Some(&RunState::Held), "{run} was on the wire at the kill");
    }
    let mut starts: BTreeMap<String, usize> = BTreeMap::new();
    for run in simulator.runs() {
        *starts.entry(run.environment["GATEWAY_RUN_ID"].clone()).or_default() += 1;
    }
    for (run, times) in &starts {
        assert_eq!(*times, 1, "{run} was started {times} times");
        let state = kept.get(run).copied();
        assert!(
            matches!(state, Some(RunState::Started | RunState::Held)),
            "{run} runs on the workbench and is {state:?} here"
        );
    }
    for (run, state) in kept {
        let rests = matches!(state, RunState::Started | RunState::Held);
        assert!(rests, "{run} ended as {state}");
        if *state == RunState::Started {
            assert!(starts.contains_key(run), "{run} is said to be started and is not");
        }
    }
}
