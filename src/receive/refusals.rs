//! The last refusals of each source, in memory, for the people who run the gateway: why, from
//! where, and which headers were there. Never a value of a header, never a body.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use jiff::Timestamp;

/// Refusals remembered for each source.
const REMEMBERED: usize = 50;
/// Header names remembered for each refusal.
const HEADERS: usize = 64;

/// A request that was not kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// When.
    pub at: Timestamp,
    /// Address that it came from.
    pub remote: String,
    /// HTTP status that it was answered with.
    pub status: u16,
    /// The reason, as in the metric.
    pub reason: &'static str,
    /// The reason, in words.
    pub words: String,
    /// Names of the headers that it had.
    pub headers: Vec<String>,
}

/// The last refusals of each source.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<String, VecDeque<Refused>>>);

impl Refusals {
    /// Remembers one; the oldest of its source gives way.
    pub(super) fn add(&self, source: &str, mut refused: Refused) {
        refused.headers.truncate(HEADERS);
        let mut all = self.lock();
        let of_source = all.entry(source.to_owned()).or_default();
        if of_source.len() == REMEMBERED {
            of_source.pop_front();
        }
        of_source.push_back(refused);
    }

    /// Those of a source, newest first.
    pub fn of(&self, source: &str) -> Vec<Refused> {
        self.lock().get(source).into_iter().flatten().rev().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, VecDeque<Refused>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
