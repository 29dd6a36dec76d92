//! The state of a simulated workbench: users and jobs, requests, runs, and rules for faults.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::connection::Credentials;
use super::faults::{FaultRule, Moment};
use super::log::{LogEntry, RequestLog};
use super::seed::{Seed, Variables, name_of};
use super::{Now, SimulatorError, SimulatorOptions};
use crate::model::Target;
use crate::random::{Random, SeededRandom};

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

/// Which checks of a request are strict.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strictness {
    pub(super) content_type: bool,
    pub(super) json: bool,
    pub(super) values: bool,
}

/// The shared state. Its lock is never held across an `await`.
pub(super) struct World {
    state: Mutex<State>,
    /// Start requests that have been read.
    starts: watch::Sender<u64>,
    /// How often held replies have been released.
    releases: watch::Sender<u64>,
    /// Whether the port is to be open.
    wanted: watch::Sender<bool>,
    /// Whether the port is open.
    open: watch::Sender<bool>,
    beginning: Seed,
    random: SeededRandom,
    now: Now,
    seed: u64,
    remembered: usize,
    pub(super) strict: Strictness,
}

struct State {
    seed: Seed,
    faults: Vec<FaultRule>,
    log: RequestLog,
    runs: VecDeque<RunRecord>,
    started: u64,
}

impl World {
    pub(super) fn new(options: SimulatorOptions) -> Result<Self, SimulatorError> {
        let beginning = Seed::of(&options);
        Ok(Self {
            state: Mutex::new(State {
                seed: beginning.clone(),
                faults: Vec::new(),
                log: RequestLog::new(options.remembered, options.log_file.as_deref())?,
                runs: VecDeque::new(),
                started: 0,
            }),
            starts: watch::Sender::new(0),
            releases: watch::Sender::new(0),
            wanted: watch::Sender::new(true),
            open: watch::Sender::new(true),
            beginning,
            random: SeededRandom::new(options.seed),
            now: options.now,
            seed: options.seed,
            remembered: options.remembered.max(1),
            strict: Strictness {
                content_type: options.strict_content_type,
                json: options.strict_json,
                values: options.strict_values,
            },
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The time as HTTP writes it (RFC 9110, 5.6.7); none without a clock (6.6.1).
    pub(super) fn date(&self) -> Option<String> {
        let now = self.now();
        (now != Timestamp::UNIX_EPOCH)
            .then(|| now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }

    /// Whether these are the credentials of a user.
    pub(super) fn knows(&self, credentials: &Credentials) -> bool {
        self.lock().seed.users.iter().any(|user| user.owns(credentials))
    }

    /// The variables that a run of this job would have; none where there is no such job.
    pub(super) fn merged(&self, job: &Target, request: &Variables) -> Option<Variables> {
        self.lock().seed.merged(job, request)
    }

    /// The latest run of a job, `null` where it had none; none where there is no such job.
    pub(super) fn describe(&self, target: &Target) -> Option<serde_json::Value> {
        let state = self.lock();
        let job = state.seed.job(target)?;
        let name = name_of(target);
        let latest = state.runs.iter().rev().find(|run| run.job == name).map(|run| {
            let status = job.status.as_deref().unwrap_or("succeeded");
            serde_json::json!({
                "engine_id": run.engine_id, "status": status, "environment": run.environment,
            })
        });
        Some(latest.into())
    }

    /// The first rule that applies now. Where its number of times is limited, this uses up one.
    pub(super) fn take_fault(&self, moment: Moment<'_>) -> Option<FaultRule> {
        let mut state = self.lock();
        let position = state.faults.iter().position(|rule| {
            rule.fits(moment) && rule.probability.is_none_or(|likely| self.draw() < likely)
        })?;
        let rule = state.faults[position].clone();
        match &mut state.faults[position].times {
            Some(times) if *times > 1 => *times -= 1,
            Some(_) => drop(state.faults.remove(position)),
            None => {}
        }
        Some(rule)
    }

    /// A random number of at least 0 and less than 1.
    fn draw(&self) -> f64 {
        let bits = u32::try_from(self.random.bits() >> 96).unwrap_or(u32::MAX);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// Records a run and returns the id of its engine.
    pub(super) fn start_run(&self, job: &str, environment: Variables) -> String {
        let mut state = self.lock();
        state.started += 1;
        let engine_id = engine_id(self.seed, state.started);
        if state.runs.len() == self.remembered {
            state.runs.pop_front();
        }
        let job = job.to_owned();
        state.runs.push_back(RunRecord { engine_id: engine_id.clone(), job, environment });
        engine_id
    }

    /// Remembers a request.
    pub(super) fn remember(&self, entry: LogEntry) {
        let start = entry.asks_for_start();
        self.lock().log.add(entry);
        if start {
            self.starts.send_modify(|count| *count += 1);
        }
    }

    pub(super) fn requests_after(&self, number: u64) -> Vec<LogEntry> {
        self.lock().log.after(number)
    }

    pub(super) fn runs(&self) -> Vec<RunRecord> {
        self.lock().runs.iter().cloned().collect()
    }

    pub(super) fn add_fault(&self, rule: FaultRule) {
        if rule.times != Some(0) {
            self.lock().faults.push(rule);
        }
    }

    pub(super) fn faults(&self) -> Vec<FaultRule> {
        self.lock().faults.clone()
    }

    pub(super) fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    pub(super) fn seed(&self, seed: Seed) {
        self.lock().seed.add(seed);
    }

    pub(super) fn reset(&self) {
        let mut state = self.lock();
        state.seed = self.beginning.clone();
        state.faults.clear();
        state.log.clear();
        state.runs.clear();
        self.starts.send_replace(0);
        drop(state);
        self.release();
        self.set_listening(true);
    }

    pub(super) fn release(&self) {
        self.releases.send_modify(|count| *count += 1);
    }

    /// A counter that changes when held replies are released.
    pub(super) fn hold(&self) -> watch::Receiver<u64> {
        self.releases.subscribe()
    }

    pub(super) fn set_listening(&self, open: bool) {
        self.wanted.send_replace(open);
    }

    /// Whether the port is to be open.
    pub(super) fn wanted(&self) -> watch::Receiver<bool> {
        self.wanted.subscribe()
    }

    /// Records that the port has been opened or closed.
    pub(super) fn port_is(&self, open: bool) {
        self.open.send_replace(open);
    }

    pub(super) async fn listen(&self, open: bool) {
        let mut is = self.open.subscribe();
        self.set_listening(open);
        // The sender lives in `self`, which outlives this wait.
        let _ = is.wait_for(|is| *is == open).await;
    }

    pub(super) async fn wait_for_starts(&self, count: u64) {
        let mut starts = self.starts.subscribe();
        // The sender lives in `self`, which outlives this wait.
        let _ = starts.wait_for(|seen| *seen >= count).await;
    }
}

/// Sixteen letters and digits, as the vendor's examples have them.
///
/// The first 64 bits of a seed's sequence differ for every seed, and thirteen digits hold all of them. So
/// no simulator gives an id twice, and two simulators with different small seeds share no id.
fn engine_id(seed: u64, number: u64) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let bits = SeededRandom::new(seed.rotate_left(32) ^ number).bits();
    let (whole, rest) = (bits >> 64, bits & u128::from(u64::MAX));
    let digits = |mut word: u128, count| {
        (0..count).map(move |_| {
            let digit = usize::try_from(word % 36).unwrap_or(0);
            word /= 36;
            char::from(DIGITS[digit])
        })
    };
    digits(whole, 13).chain(digits(rest, 3)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn engine_ids_are_repeatable_and_never_given_twice() {
        let mut seen = BTreeSet::new();
        for seed in 0..20 {
            for number in 1..=500 {
                let id = engine_id(seed, number);
                assert!(
                    id.len() == 16
                        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                );
                assert_eq!(id, engine_id(seed, number));
                assert!(seen.insert(id));
            }
        }
    }
}
