//! What the simulated workbench knows: who may do what, what was asked, what was started.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::faults::{Fault, FaultRule};
use super::{Now, SimulatorOptions};
use crate::chance::{Chance, SeededChance};
use crate::model::{Secret, is_reserved};

type Variables = BTreeMap<String, String>;

/// Somebody with a key.
#[derive(Clone, Debug)]
pub struct SimulatedUser {
    /// Their name.
    pub name: String,
    key: Secret,
}

impl SimulatedUser {
    /// A user with this API key.
    pub fn new(name: &str, key: &str) -> Self {
        Self { name: name.to_owned(), key: Secret::new(key) }
    }
}

/// A project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedProject {
    /// `owner/slug`
    pub name: String,
    /// Its variables.
    #[serde(default)]
    pub environment: Variables,
}

/// A job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedJob {
    /// `owner/slug` of its project.
    pub project: String,
    /// Its number.
    pub id: u64,
    /// Its variables.
    #[serde(default)]
    pub environment: Variables,
}

/// A request, as remembered. It never holds a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Counted from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Whether the key was somebody's.
    pub key_known: bool,
    /// The first 12 hex digits of the SHA-256 of what came as the key.
    pub key_digest: String,
    /// Variables of the request.
    pub environment: Variables,
    /// Variables of the run: site, project, job and request, the later over the earlier.
    pub merged: Variables,
    /// Reserved names that the request set.
    pub reserved: Vec<String>,
    /// What was made to go wrong.
    pub fault: Option<String>,
    /// The status of the answer; none where there was none.
    pub status: Option<u16>,
    /// The engine that runs the job, where it was started.
    pub engine_id: Option<String>,
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or_else(|| "---".to_owned(), |status| status.to_string());
        write!(f, "{:>4}  {}  {status}  {} {}", self.number, self.at, self.method, self.path)?;
        if let Some(engine_id) = &self.engine_id {
            write!(f, "  engine {engine_id}")?;
        }
        if let Some(fault) = &self.fault {
            write!(f, "  fault {fault}")?;
        }
        for (name, value) in &self.environment {
            write!(f, "  {name}={value:?}")?;
        }
        Ok(())
    }
}

/// A run that was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its engine.
    pub engine_id: String,
    /// `owner/project/id` of its job.
    pub job: String,
    /// Its variables.
    pub environment: Variables,
}

/// Everything, behind one lock that is never held across a wait.
pub(super) struct World {
    state: Mutex<State>,
    starts: watch::Sender<u64>,
    releases: watch::Sender<u64>,
    chance: SeededChance,
    now: Now,
    remembered: usize,
    pub(super) strict_content_type: bool,
    pub(super) strict_values: bool,
}

struct State {
    users: Vec<SimulatedUser>,
    projects: Vec<SimulatedProject>,
    jobs: Vec<SimulatedJob>,
    faults: Vec<FaultRule>,
    log: VecDeque<LogEntry>,
    next: u64,
    runs: Vec<RunRecord>,
    file: Option<std::fs::File>,
}

impl World {
    pub(super) fn new(options: SimulatorOptions) -> Result<Self, String> {
        let open = |path: &std::path::PathBuf| {
            std::fs::File::options()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))
        };
        let file = options.log_file.as_ref().map(open).transpose()?;
        Ok(Self {
            state: Mutex::new(State {
                users: options.users,
                projects: options.projects,
                jobs: options.jobs,
                faults: Vec::new(),
                log: VecDeque::new(),
                next: 1,
                runs: Vec::new(),
                file,
            }),
            starts: watch::Sender::new(0),
            releases: watch::Sender::new(0),
            chance: SeededChance::new(options.seed),
            now: options.now,
            remembered: options.remembered.max(1),
            strict_content_type: options.strict_content_type,
            strict_values: options.strict_values,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time as HTTP writes it (RFC 9110, 5.6.7).
    pub(super) fn date(&self) -> String {
        (self.now)().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Whether this is somebody's key.
    pub(super) fn knows(&self, key: &[u8]) -> bool {
        !key.is_empty() && self.lock().users.iter().any(|user| user.key.expose() == key)
    }

    /// The variables that a run of this job would have, if there is such a job.
    pub(super) fn merged(&self, project: &str, job: u64, request: &Variables) -> Option<Variables> {
        let state = self.lock();
        let project_variables =
            &state.projects.iter().find(|known| known.name == project)?.environment;
        let job = state.jobs.iter().find(|known| known.project == project && known.id == job)?;
        let mut merged = project_variables.clone();
        merged.extend(job.environment.clone());
        merged.extend(request.clone());
        Some(merged)
    }

    /// The fault that befalls this start, if one does. A fault with a number of times is used up.
    pub(super) fn fault(&self, job: &str) -> Option<Fault> {
        self.take_fault(|rule| {
            rule.fault != Fault::ResetBeforeRead
                && rule.job.as_deref().is_none_or(|only| only == job)
        })
    }

    /// Whether this connection is reset before anything is read.
    pub(super) fn resets_unread(&self) -> bool {
        self.take_fault(|rule| rule.fault == Fault::ResetBeforeRead).is_some()
    }

    fn take_fault(&self, fits: impl Fn(&FaultRule) -> bool) -> Option<Fault> {
        let mut state = self.lock();
        let position = state.faults.iter().position(|rule| {
            fits(rule)
                && rule.times != Some(0)
                && rule.probability.is_none_or(|likely| self.draw() < likely)
        })?;
        let rule = &mut state.faults[position];
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        let fault = rule.fault.clone();
        state.faults.retain(|rule| rule.times != Some(0));
        Some(fault)
    }

    /// From 0 up to 1.
    fn draw(&self) -> f64 {
        let bits = u32::try_from(self.chance.bits() >> 96).unwrap_or(u32::MAX);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// Starts a run; gives its engine.
    pub(super) fn start_run(&self, job: &str, environment: Variables) -> String {
        let mut state = self.lock();
        let engine_id = engine_id(state.runs.len() as u64 + 1);
        let job = job.to_owned();
        state.runs.push(RunRecord { engine_id: engine_id.clone(), job, environment });
        engine_id
    }

    /// Remembers a request.
    pub(super) fn remember(&self, mut entry: LogEntry, key: &[u8]) {
        let start = entry.path.ends_with("/start");
        entry.at = (self.now)();
        entry.key_digest = hex::encode(Sha256::digest(key))[..12].to_owned();
        entry.reserved = entry
            .environment
            .keys()
            .filter(|name| !matches!(name.as_str(), "GATEWAY_RUN_ID" | "GATEWAY_DELIVERY_ID"))
            .filter(|name| is_reserved(name).is_some())
            .cloned()
            .collect();
        let mut state = self.lock();
        entry.number = state.next;
        state.next += 1;
        if let (Some(file), Ok(line)) = (&mut state.file, serde_json::to_string(&entry)) {
            // A log that cannot be written is seen by whoever reads it.
            let _ = writeln!(file, "{line}");
        }
        if state.log.len() == self.remembered {
            state.log.pop_front();
        }
        state.log.push_back(entry);
        drop(state);
        if start {
            self.starts.send_modify(|count| *count += 1);
        }
    }

    pub(super) fn requests_after(&self, number: u64) -> Vec<LogEntry> {
        self.lock().log.iter().filter(|entry| entry.number > number).cloned().collect()
    }

    pub(super) fn runs(&self) -> Vec<RunRecord> {
        self.lock().runs.clone()
    }

    pub(super) fn add_fault(&self, rule: FaultRule) {
        self.lock().faults.push(rule);
    }

    pub(super) fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    pub(super) fn seed(
        &self,
        users: Vec<SimulatedUser>,
        projects: Vec<SimulatedProject>,
        jobs: Vec<SimulatedJob>,
    ) {
        let mut state = self.lock();
        state.users.extend(users);
        state.projects.extend(projects);
        state.jobs.extend(jobs);
    }

    pub(super) fn reset(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.log.clear();
        state.runs.clear();
    }

    pub(super) fn release(&self) {
        self.releases.send_modify(|count| *count += 1);
    }

    /// Changes when held replies are let go.
    pub(super) fn hold(&self) -> watch::Receiver<u64> {
        self.releases.subscribe()
    }

    pub(super) async fn wait_for(&self, count: u64) {
        let mut starts = self.starts.subscribe();
        let _ = starts.wait_for(|seen| *seen >= count).await;
    }
}

/// Sixteen letters and digits, as the vendor's examples have them; different for each number.
fn engine_id(number: u64) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut bits = SeededChance::new(number).bits();
    let mut id = String::with_capacity(16);
    for _ in 0..16 {
        let index = usize::try_from(bits % 36).unwrap_or(0);
        id.push(char::from(LETTERS[index]));
        bits /= 36;
    }
    id
}
