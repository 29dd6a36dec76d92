//! The state of a resolver: what it knows, and which look-ups are in progress. It does no input or
//! output, and time is an argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::file::Stamp;
use super::{SecretFault, SecretRef};
use crate::model::Secret;

/// A secret, or why it cannot be read.
pub(super) type Answer = Result<Secret, SecretFault>;

/// A file is checked at most once in this time.
const LOOK: Duration = Duration::from_secs(1);
/// A program that failed is run again after this time at the earliest.
const FAILURE: Duration = Duration::from_secs(10);

/// The known secrets, and the look-ups in progress.
#[derive(Debug, Default)]
pub(super) struct State {
    known: HashMap<SecretRef, Known>,
    look_ups: HashMap<SecretRef, LookUp>,
    last_ticket: u64,
}

/// The result of a look-up.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) result: Answer,
    pub(super) looked: Instant,
    /// The state of the file, for a secret that is in a file.
    pub(super) stamp: Option<Stamp>,
}

/// A look-up in progress. The ticket distinguishes it from a later one for the same reference.
#[derive(Debug)]
struct LookUp {
    ticket: u64,
    told: watch::Receiver<Option<Answer>>,
}

impl State {
    /// The known result, if it is still fresh.
    pub(super) fn at_hand(&self, reference: &SecretRef, now: Instant) -> Option<Answer> {
        let known = self.known.get(reference)?;
        let age = now.saturating_duration_since(known.looked);
        let is_fresh = match reference {
            SecretRef::Env(_) => false,
            SecretRef::File(_) => age < LOOK,
            // A failed program is run again, but not for every request.
            SecretRef::Command(_) => known.result.is_ok() || age < FAILURE,
        };
        is_fresh.then(|| known.result.clone())
    }

    /// The content of a file that was read in this state.
    pub(super) fn read_in_state(&self, reference: &SecretRef, stamp: &Stamp) -> Option<Answer> {
        let known = self.known.get(reference)?;
        let same = known.stamp.as_ref() == Some(stamp) && known.result.is_ok();
        same.then(|| known.result.clone())
    }

    /// The look-up in progress. One that ended without an answer, as by a panic, does not count.
    pub(super) fn under_way(
        &self,
        reference: &SecretRef,
    ) -> Option<watch::Receiver<Option<Answer>>> {
        let told = &self.look_ups.get(reference)?.told;
        told.has_changed().is_ok().then(|| told.clone())
    }

    /// Records that a look-up begins. It replaces one that is in progress.
    pub(super) fn open(&mut self, reference: &SecretRef) -> (u64, watch::Sender<Option<Answer>>) {
        let (tell, told) = watch::channel(None);
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.look_ups.insert(reference.clone(), LookUp { ticket, told });
        (ticket, tell)
    }

    /// Stores the result of a look-up, unless a later look-up or `forget` replaced it. If a program
    /// fails, its earlier output is kept and the fault is returned.
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

    /// Forgets what is known of files, and begins a look-up of every program that was run before. A
    /// look-up in progress still answers those who wait for it, but its result is not stored.
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

    /// Forgets this secret. The result of a look-up in progress is not stored.
    pub(super) fn forget(&mut self, reference: &SecretRef) {
        self.known.remove(reference);
        self.look_ups.remove(reference);
    }
}
