//! The breakers of all workbenches: which of them rests, and what goes through meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::breaker::{Breaker, Standing, Ticket, Turn, failed};
use crate::clock::between;
use crate::config::WorkbenchPlan;
use crate::model::AttemptResult;
use crate::store::shared::OpenCircuit;

/// A workbench that rests, for people who look.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenBreaker {
    /// The workbench.
    pub workbench: String,
    /// When the next start is tried; none while one is being tried.
    pub until: Option<Timestamp>,
}

/// Breakers by workbench.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<Arc<str>, Breaker>>);

impl Breakers {
    /// How many of these starts a workbench may be sent, and the workbench that they are a trial of,
    /// where they are one.
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

    /// Notes that an attempt goes on the wire; `trial` is true for the one that is let through.
    pub(super) fn begin(&self, workbench: &Arc<str>, trial: bool) -> Ticket {
        self.lock().entry(Arc::clone(workbench)).or_default().begin(trial)
    }

    /// Starts on a workbench that is back go through again.
    pub(super) fn close(&self, workbench: &str) {
        if let Some(breaker) = self.lock().get_mut(workbench) {
            breaker.close();
        }
    }

    /// Takes over what all processes together know.
    pub(super) fn mirror(&self, circuits: &[OpenCircuit]) {
        let mut breakers = self.lock();
        for circuit in circuits {
            let breaker = breakers.entry(Arc::clone(&circuit.workbench)).or_default();
            breaker.open_until(circuit.until, circuit.length);
        }
        for (name, breaker) in breakers.iter_mut() {
            // Another process has found it to be back.
            if breaker.is_known_open() && circuits.iter().all(|circuit| circuit.workbench != *name)
            {
                breaker.close();
            }
        }
    }

    /// Notes what an attempt came to; `None` where nothing went over the wire.
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

    /// Breakers that the other processes have yet to be told of.
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

    /// A workbench's rest, for the other processes.
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

    /// When the first of the resting workbenches is tried again.
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
