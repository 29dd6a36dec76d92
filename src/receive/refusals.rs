//! The last refused requests of each source, in memory, for the people who run the gateway: the reason, the
//! address and the names of the headers. Never a header's value, never a body.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use jiff::Timestamp;

/// The most refusals that are remembered for each source.
const REMEMBERED: usize = 50;
/// The most header names that are remembered for each refusal.
const HEADERS: usize = 64;

/// A request that was not kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// When it was answered.
    pub at: Timestamp,
    /// The client's address; empty where it is not known.
    pub remote: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The reason's label, as in the metric.
    pub reason: &'static str,
    /// The reason as a sentence.
    pub words: String,
    /// The names of its headers.
    pub headers: Vec<String>,
}

/// The last refusals of each source.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<String, VecDeque<Refused>>>);

impl Refusals {
    /// Remembers one. When the source has too many, its oldest is dropped.
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
