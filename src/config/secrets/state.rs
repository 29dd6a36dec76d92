//! What a resolver knows, and what it is looking up. It looks at nothing itself, and time is an
//! argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::file::Stamp;
use super::resolver::Answer;
use super::{SecretFault, SecretRef};

/// A file is not looked at more often.
const LOOK: Duration = Duration::from_secs(1);
/// A program that failed is not run more often.
const FAILURE: Duration = Duration::from_secs(10);

/// Secrets that are known, and look-ups that are under way.
#[derive(Debug, Default)]
pub(super) struct State {
    known: HashMap<SecretRef, Known>,
    look_ups: HashMap<SecretRef, LookUp>,
    last_ticket: u64,
}

/// What was found at a reference.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) result: Answer,
    pub(super) looked: Instant,
    /// The state that a file was in.
    pub(super) stamp: Option<Stamp>,
}

/// A look-up that is under way; the ticket tells it from one that began later.
#[derive(Debug)]
struct LookUp {
    ticket: u64,
    told: watch::Receiver<Option<Answer>>,
}

impl State {
    /// What is known and still fresh.
    pub(super) fn at_hand(&self, reference: &SecretRef, now: Instant) -> Option<Answer> {
        let known = self.known.get(reference)?;
        let age = now.saturating_duration_since(known.looked);
        let is_fresh = match reference {
            SecretRef::Env(_) => false,
            SecretRef::File(_) => age < LOOK,
            // A failure is tried again, but not by every request.
            SecretRef::Command(_) => known.result.is_ok() || age < FAILURE,
        };
        is_fresh.then(|| known.result.clone())
    }

    /// What a file held that was in this state.
    pub(super) fn read_in_state(&self, reference: &SecretRef, stamp: &Stamp) -> Option<Answer> {
        let known = self.known.get(reference)?;
        let same = known.stamp.as_ref() == Some(stamp) && known.result.is_ok();
        same.then(|| known.result.clone())
    }

    /// The look-up that is under way. One that was cut off, as by a panic, is none.
    pub(super) fn under_way(
        &self,
        reference: &SecretRef,
    ) -> Option<watch::Receiver<Option<Answer>>> {
        let told = &self.look_ups.get(reference)?.told;
        told.has_changed().is_ok().then(|| told.clone())
    }

    /// Notes that a look-up begins, in the place of one that is under way.
    pub(super) fn open(&mut self, reference: &SecretRef) -> (u64, watch::Sender<Option<Answer>>) {
        let (tell, told) = watch::channel(None);
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.look_ups.insert(reference.clone(), LookUp { ticket, told });
        (ticket, tell)
    }

    /// Keeps what a look-up found, unless it began before everything had to be looked at again. A
    /// program that fails leaves what it printed before, and its fault is given back.
    pub(super) fn close(
        &mut self,
        reference: &SecretRef,
        ticket: u64,
        found: Known,
    ) -> Option<SecretFault> {
        if self.look_ups.get(reference).is_none_or(|look_up| look_up.ticket != ticket) {
            return None;
        }
        self.look_ups.remove(reference);
        let had_one = self.known.get(reference).is_some_and(|known| known.result.is_ok());
        match &found.result {
            Err(fault) if had_one && matches!(reference, SecretRef::Command(_)) => {
                Some(fault.clone())
            }
            _ => {
                self.known.insert(reference.clone(), found);
                None
            }
        }
    }

    /// Forgets what is known of files, and begins a look-up of every program that was run. What is
    /// under way is told to whoever waits for it, and not kept.
    pub(super) fn begin_again(&mut self) -> Vec<(SecretRef, u64, watch::Sender<Option<Answer>>)> {
        self.look_ups.clear();
        self.known.retain(|reference, _| matches!(reference, SecretRef::Command(_)));
        let programs: Vec<SecretRef> = self.known.keys().cloned().collect();
        programs
            .into_iter()
            .map(|reference| {
                let (ticket, tell) = self.open(&reference);
                (reference, ticket, tell)
            })
            .collect()
    }

    /// Forgets what is known of this one, and does not keep what is being looked up.
    pub(super) fn forget(&mut self, reference: &SecretRef) {
        self.known.remove(reference);
        self.look_ups.remove(reference);
    }
}
