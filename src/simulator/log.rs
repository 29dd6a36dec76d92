//! The log of the requests to a simulated workbench and of its answers. Of a key it holds only the first
//! digits of a digest.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SimulatorError;
use super::seed::Variables;
use crate::model::is_reserved;
use crate::observe::{Observation, Observer};

/// Longest value that a line for people shows whole, in characters.
const SHOWN: usize = 60;
/// Reserved names that the gateway itself sets.
const GATEWAYS_OWN: [&str; 2] = ["GATEWAY_RUN_ID", "GATEWAY_DELIVERY_ID"];

/// A request, as remembered. It never holds a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Counted from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Its method; empty where the request was not read.
    pub method: String,
    /// Its path; empty where the request was not read.
    pub path: String,
    /// Whether the key, or the name and password, belong to a user.
    pub key_known: bool,
    /// The first 12 hex digits of the SHA-256 of the key that was sent (of `name:password` where there
    /// was a password); empty where none was sent.
    pub key_digest: String,
    /// Variables of the request.
    pub environment: Variables,
    /// Variables of the run: those of site, project, job and request, where a later one overrides an
    /// earlier one.
    pub merged: Variables,
    /// Reserved names that the request set, without those that the gateway itself sets.
    pub reserved: Vec<String>,
    /// The name of the fault that was applied.
    pub fault: Option<String>,
    /// The status of the answer; none where there was none.
    pub status: Option<u16>,
    /// The id of the engine, where the job was started.
    pub engine_id: Option<String>,
}

impl LogEntry {
    /// An entry of which nothing is known yet.
    pub(super) fn blank(at: Timestamp) -> Self {
        Self {
            number: 0,
            at,
            method: String::new(),
            path: String::new(),
            key_known: false,
            key_digest: String::new(),
            environment: Variables::new(),
            merged: Variables::new(),
            reserved: Vec::new(),
            fault: None,
            status: None,
            engine_id: None,
        }
    }

    /// Whether it asks for a start, valid or not.
    pub(super) fn asks_for_start(&self) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        self.method == "POST" && path.ends_with("/start")
    }
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or_else(|| "---".to_owned(), |status| status.to_string());
        write!(f, "{:>4}  {}  {status}", self.number, self.at)?;
        if self.method.is_empty() {
            f.write_str("  (not read)")?;
        } else {
            write!(f, "  {} {}", self.method, self.path)?;
        }
        if let Some(engine_id) = &self.engine_id {
            write!(f, "  engine {engine_id}")?;
        }
        if let Some(fault) = &self.fault {
            write!(f, "  fault {fault}")?;
        }
        if !self.reserved.is_empty() {
            write!(f, "  reserved {}", self.reserved.join(","))?;
        }
        for (name, value) in &self.environment {
            let shown: String = value.chars().take(SHOWN).collect();
            let rest = if shown.len() < value.len() { "…" } else { "" };
            write!(f, "  {}={shown:?}{rest}", name.escape_debug())?;
        }
        Ok(())
    }
}

/// The reserved names among those of a request.
pub(super) fn reserved(environment: &Variables) -> Vec<String> {
    let names = environment.keys().filter(|name| !GATEWAYS_OWN.contains(&name.as_str()));
    names.filter(|name| is_reserved(name).is_some()).cloned().collect()
}

/// The entries that are remembered, and the file that they are written to.
pub(super) struct RequestLog {
    entries: VecDeque<LogEntry>,
    most: usize,
    last: u64,
    file: Option<File>,
}

impl RequestLog {
    /// A log of so many entries.
    pub(super) fn new(most: usize, file: Option<&Path>) -> Result<Self, SimulatorError> {
        let open = |path: &Path| {
            File::options()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| SimulatorError::LogFile { path: path.to_owned(), error })
        };
        let file = file.map(open).transpose()?;
        Ok(Self { entries: VecDeque::new(), most: most.max(1), last: 0, file })
    }

    /// Gives the entry its number and keeps it.
    pub(super) fn add(&mut self, mut entry: LogEntry) {
        self.last += 1;
        entry.number = self.last;
        self.write(&entry);
        if self.entries.len() == self.most {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The entries after this number, oldest first.
    pub(super) fn after(&self, number: u64) -> Vec<LogEntry> {
        let first = self.entries.partition_point(|entry| entry.number <= number);
        self.entries.range(first..).cloned().collect()
    }

    /// Forgets all entries; numbers count on.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    fn write(&mut self, entry: &LogEntry) {
        let (Some(file), Ok(mut line)) = (&mut self.file, serde_json::to_string(entry)) else {
            return;
        };
        line.push('\n');
        // One write per line, so that several simulators can share a file.
        if let Err(error) = file.write_all(line.as_bytes()) {
            // The simulator has no observer of its own, since nobody reads its metrics.
            Observer::new().tell(Observation::RequestLogLost { error: &error });
            self.file = None;
        }
    }
}
