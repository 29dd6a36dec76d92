//! The breakers of all workbenches: which of them rests, and what goes through meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::breaker::{Breaker, Standing, Ticket, Turn, failed};
use crate::config::WorkbenchPlan;
use crate::model::AttemptResult;
use crate::store::Permit;

/// A workbench that rests, for people who look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resting {
    /// The workbench.
    pub workbench: String,
    /// When the next start is tried; none while one is being tried.
    pub until: Option<Timestamp>,
}

/// Breakers by workbench.
#[derive(Debug, Default)]
pub(super) struct Rests(Mutex<HashMap<Arc<str>, Breaker>>);

impl Rests {
    /// What is left of a permit, and the workbench that it is a trial of, where it is one.
    pub(super) fn narrow(&self, permit: &mut Permit, workbench: &Arc<str>, now: Timestamp) -> bool {
        let breakers = self.lock();
        let Some(breaker) = breakers.get(workbench) else { return true };
        permit.count = breaker.room(permit.count, now);
        if breaker.standing(now) == Standing::HalfOpen {
            permit.trial = Some(Arc::clone(workbench));
        }
        permit.count > 0
    }

    /// Notes that an attempt goes on the wire.
    pub(super) fn begin(&self, workbench: &Arc<str>, now: Timestamp) -> Ticket {
        self.lock().entry(Arc::clone(workbench)).or_default().begin(now)
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

    /// When the first of the resting workbenches is tried again.
    pub(super) fn next_trial(&self, now: Timestamp) -> Option<Timestamp> {
        let breakers = self.lock();
        let until = breakers.values().filter_map(|breaker| match breaker.standing(now) {
            Standing::Open(until) => Some(until),
            _ => None,
        });
        until.min()
    }

    pub(super) fn resting(&self, now: Timestamp) -> Vec<Resting> {
        let breakers = self.lock();
        let mut resting: Vec<Resting> = breakers
            .iter()
            .filter_map(|(name, breaker)| {
                let until = match breaker.standing(now) {
                    Standing::Closed => return None,
                    Standing::Open(until) => Some(until),
                    Standing::HalfOpen => None,
                };
                Some(Resting { workbench: name.to_string(), until })
            })
            .collect();
        resting.sort_by(|a, b| a.workbench.cmp(&b.workbench));
        resting
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
