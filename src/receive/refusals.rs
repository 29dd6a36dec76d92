//! The last refused requests of each source, and those to addresses that are no source's, in memory, for the
//! people who run the gateway: the reason, the address, the names of the headers, and what the request names of
//! itself. Never another value of a header, never a body.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use jiff::Timestamp;

/// The most refusals that are remembered for each source, and of requests to no source.
const REMEMBERED: usize = 50;
/// The most header names that are remembered for each refusal.
const HEADERS: usize = 64;

/// A request that was not kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// When it was answered.
    pub at: Timestamp,
    /// The source; none where the request asked for none that is configured.
    pub source: Option<String>,
    /// The path that it asked for, shortened and without what may be a secret, where there is no source.
    pub path: Option<String>,
    /// The client's address; empty where it is not known.
    pub remote: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The reason's label, as in the metric.
    pub reason: &'static str,
    /// The reason as a sentence.
    pub words: String,
    /// The sender's id of the delivery, where the request names one. Not verified.
    pub delivery_id: Option<String>,
    /// The repository, where the request names one. Not verified.
    pub repository: Option<String>,
    /// The names of its headers.
    pub headers: Vec<String>,
}

/// The last refusals of each source, and of no source.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<Option<String>, VecDeque<Refused>>>);

impl Refusals {
    /// Remembers one. When its source has too many, its oldest is dropped.
    pub(super) fn add(&self, mut refused: Refused) {
        refused.headers.truncate(HEADERS);
        let mut all = self.lock();
        let of_source = all.entry(refused.source.clone()).or_default();
        if of_source.len() == REMEMBERED {
            of_source.pop_front();
        }
        of_source.push_back(refused);
    }

    /// Those of a source, or of no source, newest first.
    pub fn of(&self, source: Option<&str>) -> Vec<Refused> {
        let key = source.map(str::to_owned);
        self.lock().get(&key).into_iter().flatten().rev().cloned().collect()
    }

    /// All of them, newest first.
    pub fn all(&self) -> Vec<Refused> {
        let mut all: Vec<Refused> = self.lock().values().flatten().cloned().collect();
        all.sort_by_key(|refused| std::cmp::Reverse(refused.at));
        all
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Option<String>, VecDeque<Refused>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
