//! Processes that share a database and a simulated workbench, and senders that load them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use cdsw_gateway::simulator::{Fault, FaultRule, Simulator};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::common::process::{Running, program};
use crate::common::{self, HOLD_AND_RETRY as ROUTES, PUSH, Site, github_signature};

/// Time-outs of the workbench that make a lease as short as one can be.
const BENCH: &str = "    connect_timeout: 1s\n    timeout: 1s\n";

/// A database, a workbench, and the configuration of processes there.
pub struct Cluster {
    pub database: String,
    pub simulator: Simulator,
    pub site: Site,
}

/// A process.
pub struct Replica {
    running: Option<Running>,
    pub hooks: Option<String>,
    pub admin: String,
}

impl Cluster {
    pub async fn new() -> Self {
        let database = crate::common::postgres::with_tables().await;
        Self::on(&database).await
    }

    /// On a database that has its tables.
    pub async fn on(database: &str) -> Self {
        let mut options = common::simulator_options();
        options.remembered = 1_000_000;
        let simulator = Simulator::start(options).await.expect("starts");
        // Some starts are on the wire at any moment.
        simulator.add_fault(FaultRule {
            probability: Some(0.2),
            ..FaultRule::always(Fault::SlowHead { millis: 30 })
        });
        let site = Site::with(&simulator.api_url(), ROUTES, "", BENCH);
        let cluster = Self { database: database.to_owned(), simulator, site };
        cluster.configure("gateway.yaml", database, |text| text);
        cluster
    }

    /// Writes a configuration of its own for some process.
    pub fn configure(&self, name: &str, url: &str, edit: impl Fn(String) -> String) -> PathBuf {
        let text = common::config(&self.simulator.api_url(), ROUTES, "", BENCH);
        let store = format!("store: {url}\npostgres: {{ connections: 8 }}");
        let text = edit(text.replace("store: sqlite:gateway.db", &store));
        std::fs::write(self.site.path(name), text).expect("written");
        self.site.path(name)
    }

    pub fn start(&self, role: &str) -> Replica {
        self.start_with(role, self.site.config())
    }

    pub fn start_with(&self, role: &str, config: PathBuf) -> Replica {
        Self::start_program(program(), role, config)
    }

    /// The same of another build of the program.
    pub fn start_program(mut program: Command, role: &str, config: PathBuf) -> Replica {
        let mut running = Running::start(
            program
                .args(["serve", "--print-addresses", "--log", "error", "--role", role])
                .arg("--config")
                .arg(config),
        );
        let mut address = |word: &str| {
            let line = running.line();
            line.strip_prefix(word).expect("in this order").to_owned()
        };
        let hooks = (role != "dispatch").then(|| address("hooks "));
        let admin = address("admin ");
        Replica { running: Some(running), hooks, admin }
    }
}

impl Replica {
    pub fn id(&self) -> u32 {
        self.running.as_ref().expect("it runs").id()
    }

    /// SIGKILL, and its end.
    pub fn kill(&mut self) {
        drop(self.running.take());
    }

    pub fn terminate(mut self) -> std::process::ExitStatus {
        self.running.take().expect("it runs").terminate()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }
}

/// What senders were told.
#[derive(Default)]
pub struct Told {
    /// Every answer 2xx.
    pub accepted: Mutex<Vec<Value>>,
    pub count: AtomicU64,
    /// All others, by status or by what happened instead.
    pub others: Mutex<BTreeMap<String, u64>>,
    /// Answers 503 that named no time to come again.
    pub curt: AtomicU64,
}

/// Senders at work.
pub struct Load {
    pub told: Arc<Told>,
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<()>>,
}

impl Load {
    /// Begins: each sender goes through all addresses, and sends again what was not accepted.
    pub fn start(hooks: &[String], senders: u64) -> Self {
        let (told, stop) = (Arc::new(Told::default()), Arc::new(AtomicBool::new(false)));
        let senders = (0..senders).map(|sender| {
            let sender = Sender {
                hooks: hooks.to_vec(),
                name: sender,
                told: Arc::clone(&told),
                stop: Arc::clone(&stop),
            };
            tokio::spawn(sender.send())
        });
        Self { senders: senders.collect(), told, stop }
    }

    /// Ends when so many more answers 2xx have come.
    pub async fn more(&self, answers: u64) {
        let target = self.told.count.load(Ordering::Relaxed) + answers;
        let waiting = async {
            while self.told.count.load(Ordering::Relaxed) < target {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await;
        waited.unwrap_or_else(|_| panic!("not {answers} more: {:?}", self.told.others));
    }

    pub async fn stop(self) -> Arc<Told> {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.await.expect("a sender ends");
        }
        self.told
    }
}

struct Sender {
    hooks: Vec<String>,
    name: u64,
    told: Arc<Told>,
    stop: Arc<AtomicBool>,
}

impl Sender {
    async fn send(self) {
        let client = common::client();
        let mut turn = usize::try_from(self.name).expect("small");
        for number in 0u64.. {
            let (event, body) = match number.is_multiple_of(3) {
                true => ("create", common::no_push()),
                false => ("push", PUSH.to_owned()),
            };
            let signature = github_signature(body.as_bytes());
            loop {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                turn += 1;
                let hooks = &self.hooks[turn % self.hooks.len()];
                let answer = client
                    .post(format!("http://{hooks}/hooks/github"))
                    .header("x-github-event", event)
                    .header("x-github-delivery", format!("{}-{number}", self.name))
                    .header("x-hub-signature-256", &signature)
                    .timeout(std::time::Duration::from_secs(10))
                    .body(body.clone())
                    .send()
                    .await;
                if self.heard(answer).await {
                    break;
                }
            }
        }
    }

    /// Whether it was accepted.
    async fn heard(&self, answer: Result<reqwest::Response, reqwest::Error>) -> bool {
        let what = match answer {
            Err(error) if error.is_connect() => "no connection".to_owned(),
            Err(error) if error.is_timeout() => "no answer in time".to_owned(),
            Err(_) => "no answer".to_owned(),
            Ok(answer) if answer.status().is_success() => {
                let Ok(body) = answer.json::<Value>().await else { return false };
                self.told.accepted.lock().expect("not poisoned").push(body);
                self.told.count.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            Ok(answer) => {
                if answer.status() == 503 && !answer.headers().contains_key("retry-after") {
                    self.told.curt.fetch_add(1, Ordering::Relaxed);
                }
                answer.status().as_str().to_owned()
            }
        };
        *self.told.others.lock().expect("not poisoned").entry(what).or_default() += 1;
        // Not at once again: a sender that is refused takes a breath.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        false
    }
}
