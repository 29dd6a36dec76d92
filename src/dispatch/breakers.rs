//! The circuit breakers of all workbenches.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::breaker::{Breaker, Standing, Ticket, Turn, failed};
use crate::clock::between;
use crate::config::WorkbenchPlan;
use crate::model::AttemptResult;
use crate::store::shared::OpenCircuit;

/// A circuit breaker that is open or half-open, for the admin API.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenBreaker {
    /// The workbench.
    pub workbench: String,
    /// When the next start is tried; `None` while the breaker is half-open.
    pub until: Option<Timestamp>,
}

/// Breakers by workbench.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<Arc<str>, Breaker>>);

/// How far each workbench's clock is ahead of this machine's, as its last reply said.
#[derive(Debug, Default)]
pub(super) struct Clocks(Mutex<BTreeMap<Arc<str>, SignedDuration>>);

impl Clocks {
    /// Notes what the reply to an attempt said.
    pub(super) fn note(&self, workbench: &Arc<str>, result: Option<&AttemptResult>) {
        if let Some(ahead) = result.and_then(|result| result.clock_ahead) {
            let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            clocks.insert(Arc::clone(workbench), ahead);
        }
    }

    pub(super) fn all(&self) -> BTreeMap<Arc<str>, SignedDuration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Breakers {
    /// How many of the starts asked for may be sent to a workbench. The second value is the workbench's name
    /// where the start is a trial of a half-open breaker.
    pub(super) fn room(
        &self,
        workbench: &Arc<str>,
        wanted: usize,
        now: Timestamp,
    ) -> (usize, Option<Arc<str>>) {
        let breakers = self.lock();
        let Some(breaker) = breakers.get(workbench) else { return (wanted, None) };
        let is_trial = breaker.standing(now) == Standing::HalfOpen;
        (breaker.room(wanted, now), is_trial.then(|| Arc::clone(workbench)))
    }

    /// Notes that an attempt is sent. `trial` is true for the one start that a half-open breaker lets
    /// through.
    pub(super) fn begin(&self, workbench: &Arc<str>, trial: bool) -> Ticket {
        self.lock().entry(Arc::clone(workbench)).or_default().begin(trial)
    }

    /// Closes the breaker of a workbench.
    pub(super) fn close(&self, workbench: &str) {
        if let Some(breaker) = self.lock().get_mut(workbench) {
            breaker.close();
        }
    }

    /// Ends the wait of an open breaker: it is half-open from now on. False where it is closed.
    pub(super) fn half_open(&self, workbench: &str, now: Timestamp) -> bool {
        self.lock().get_mut(workbench).is_some_and(|breaker| breaker.half_open(now))
    }

    /// Takes over the open circuit breakers that the processes have shared through the store.
    pub(super) fn mirror(&self, circuits: &[OpenCircuit]) {
        let mut breakers = self.lock();
        for circuit in circuits {
            let breaker = breakers.entry(Arc::clone(&circuit.workbench)).or_default();
            breaker.open_until(circuit.until, circuit.length);
        }
        for (name, breaker) in breakers.iter_mut() {
            // Another process has closed it.
            if breaker.is_known_open() && circuits.iter().all(|circuit| circuit.workbench != *name)
            {
                breaker.close();
            }
        }
    }

    /// Notes the end of an attempt. `result` is `None` where no request was sent or it was cut off.
    pub(super) fn end(
        &self,
        workbench: &WorkbenchPlan,
        ticket: Ticket,
        result: Option<&AttemptResult>,
        now: Timestamp,
    ) -> Turn {
        let mut breakers = self.lock();
        let breaker = breakers.entry(Arc::clone(&workbench.name)).or_default();
        breaker.end(ticket, result.and_then(failed), now, &workbench.breaker)
    }

    /// Open breakers that the other processes have not been told of yet.
    pub(super) fn untold(&self, now: Timestamp) -> Vec<OpenCircuit> {
        let untold: Vec<Arc<str>> = {
            let breakers = self.lock();
            let untold = breakers.iter().filter(|(_, breaker)| breaker.is_untold());
            untold.map(|(name, _)| Arc::clone(name)).collect()
        };
        untold.iter().filter_map(|name| self.open_circuit_of(name, now)).collect()
    }

    /// The other processes have been told.
    pub(super) fn told(&self, workbench: &str) {
        if let Some(breaker) = self.lock().get_mut(workbench) {
            breaker.told();
        }
    }

    /// The open breaker of a workbench, to be shared with the other processes; `None` where it is not open.
    pub(super) fn open_circuit_of(
        &self,
        workbench: &Arc<str>,
        now: Timestamp,
    ) -> Option<OpenCircuit> {
        match self.lock().get(workbench)?.standing(now) {
            Standing::Open(until) => {
                let workbench = Arc::clone(workbench);
                Some(OpenCircuit { workbench, until, length: between(now, until) })
            }
            _ => None,
        }
    }

    /// When the first of the open breakers becomes half-open.
    pub(super) fn next_trial(&self, now: Timestamp) -> Option<Timestamp> {
        let breakers = self.lock();
        let until = breakers.values().filter_map(|breaker| match breaker.standing(now) {
            Standing::Open(until) => Some(until),
            _ => None,
        });
        until.min()
    }

    pub(super) fn open_circuits(&self, now: Timestamp) -> Vec<OpenBreaker> {
        let breakers = self.lock();
        let mut open: Vec<OpenBreaker> = breakers
            .iter()
            .filter_map(|(name, breaker)| {
                let until = match breaker.standing(now) {
                    Standing::Closed => return None,
                    Standing::Open(until) => Some(until),
                    Standing::HalfOpen => None,
                };
                Some(OpenBreaker { workbench: name.to_string(), until })
            })
            .collect();
        open.sort_by(|a, b| a.workbench.cmp(&b.workbench));
        open
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
