//! Resolves references to secrets. A file is checked at most once a second, and read again if it
//! changed. A variable is read each time. A program runs once, and again on request.
//!
//! An async worker never blocks on a file or a program. A look-up runs on a thread for blocking
//! work, at most one for each reference, and everyone who asks for the same secret shares its
//! answer. So a program that hangs delays only the requests that need its output.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use zeroize::Zeroizing;

use super::command::{self, GRACE, TIME};
use super::file::{self, Stamp};
use super::state::{Answer, Known, State};
use super::{Program, SecretFault, SecretRef, trimmed};
use crate::authenticate::same;
use crate::model::{Secret, length};

/// How long a caller waits for a look-up. A program ends earlier than this, but a file system may
/// never answer.
const PATIENCE: Duration = Duration::from_secs(TIME.as_secs() + GRACE.as_secs() + 1);

/// The secrets that were resolved so far, and the look-ups in progress. Clones share them.
#[derive(Clone)]
pub struct SecretResolver(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// The last value of each secret that was resolved.
    seen: Mutex<HashMap<SecretRef, Secret>>,
    /// Grows with each change of them.
    changes: AtomicU64,
    now: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl Default for SecretResolver {
    fn default() -> Self {
        Self::timed(Instant::now)
    }
}

impl fmt::Debug for SecretResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.lock().fmt(f)
    }
}

/// A secret that is known, or a look-up of it.
pub(in crate::config) enum Pending {
    /// The secret is known.
    AtHand(Answer),
    /// A look-up is in progress.
    LookUp(SecretRef, watch::Receiver<Option<Answer>>),
}

impl Pending {
    /// The secret. Waits for the look-up, if there is one.
    pub(in crate::config) async fn answer(self) -> Answer {
        let (reference, mut told) = match self {
            Self::AtHand(answer) => return answer,
            Self::LookUp(reference, told) => (reference, told),
        };
        let cannot =
            |why: String| Err(SecretFault::new(&reference, format!("cannot be had: {why}")));
        match tokio::time::timeout(PATIENCE, told.wait_for(Option::is_some)).await {
            Ok(Ok(answer)) => match answer.clone() {
                Some(answer) => answer,
                None => cannot("the look-up gave no answer".to_owned()),
            },
            Ok(Err(_)) => cannot("the look-up was cut off".to_owned()),
            Err(_) => cannot(format!("it took longer than {}", length(PATIENCE))),
        }
    }
}

impl SecretResolver {
    /// A resolver that has resolved nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A resolver with its own clock, which decides whether a secret is still fresh.
    pub fn timed(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        let (state, seen, changes) = (Mutex::default(), Mutex::default(), AtomicU64::new(0));
        Self(Arc::new(Shared { state, seen, changes, now: Box::new(now) }))
    }

    /// The secret that a reference points at.
    ///
    /// # Errors
    /// [`SecretFault`] if the secret does not exist, cannot be read or is empty.
    pub async fn resolve(&self, reference: &SecretRef) -> Result<Secret, SecretFault> {
        self.begin(reference).answer().await
    }

    /// The secret, if neither a file has to be read nor a program run for it.
    pub fn at_hand(&self, reference: &SecretRef) -> Option<Result<Secret, SecretFault>> {
        match reference {
            SecretRef::Env(name) => Some(self.0.see(reference, from_env(reference, name))),
            _ => self.0.lock().at_hand(reference, (self.0.now)()),
        }
    }

    /// The secret if it is known. Otherwise its look-up, which begins now unless one is in
    /// progress. It must be called within the async runtime.
    pub(in crate::config) fn begin(&self, reference: &SecretRef) -> Pending {
        if let SecretRef::Env(name) = reference {
            return Pending::AtHand(self.0.see(reference, from_env(reference, name)));
        }
        // All under one lock, so that a look-up that ends right now is not started a second time.
        let mut state = self.0.lock();
        if let Some(answer) = state.at_hand(reference, (self.0.now)()) {
            return Pending::AtHand(answer);
        }
        if let Some(told) = state.under_way(reference) {
            return Pending::LookUp(reference.clone(), told);
        }
        let (ticket, tell) = state.open(reference);
        drop(state);
        let told = tell.subscribe();
        let (shared, looked_up) = (Arc::clone(&self.0), reference.clone());
        tokio::task::spawn_blocking(move || {
            // The answer is kept even if the caller no longer waits for it.
            shared.look_up(&looked_up, ticket, &tell);
        });
        Pending::LookUp(reference.clone(), told)
    }

    /// The secret, if no program has to be run for it. It blocks on the file system, and remembers nothing.
    pub(in crate::config) fn read_without_program(&self, reference: &SecretRef) -> Option<Answer> {
        match reference {
            SecretRef::Env(name) => Some(from_env(reference, name)),
            SecretRef::File(path) => Some(file::read(reference, path)),
            SecretRef::Command(_) => None,
        }
    }

    /// Looks at everything again: files at their next use, and programs now, all in parallel. If a
    /// program fails, its earlier output stays in force. It blocks until the last program has
    /// ended, so call it on a thread for blocking work.
    ///
    /// # Errors
    /// The faults of those programs.
    pub fn refresh(&self) -> Result<(), Vec<SecretFault>> {
        let programs = self.0.lock().begin_again();
        let faults: Vec<SecretFault> = std::thread::scope(|scope| {
            let runs: Vec<_> = programs
                .into_iter()
                .map(|(reference, ticket, tell)| {
                    scope.spawn(move || self.0.look_up(&reference, ticket, &tell))
                })
                .collect();
            runs.into_iter().filter_map(|run| run.join().ok().flatten()).collect()
        });
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// How often a secret was resolved that had another value before, or none.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// The last value of each secret that was resolved so far.
    pub fn seen(&self) -> Vec<(SecretRef, Secret)> {
        let seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().map(|(reference, secret)| (reference.clone(), secret.clone())).collect()
    }

    /// Looks at this secret again at its next use.
    pub fn forget(&self, reference: &SecretRef) {
        self.0.lock().forget(reference);
    }
}

impl Shared {
    /// Performs a look-up, stores the result and wakes those who wait for it. Returns a fault that
    /// did not replace the known secret. It blocks.
    fn look_up(
        &self,
        reference: &SecretRef,
        ticket: u64,
        tell: &watch::Sender<Option<Answer>>,
    ) -> Option<SecretFault> {
        let (result, stamp) = match reference {
            SecretRef::Env(name) => (from_env(reference, name), None),
            SecretRef::Command(program) => (from_program(reference, program), None),
            SecretRef::File(path) => match file::look(reference, path) {
                Ok(stamp) => match self.unchanged(reference, &stamp) {
                    Some(known) => (known, Some(stamp)),
                    None => (file::read(reference, path), Some(stamp)),
                },
                Err(fault) => (Err(fault), None),
            },
        };
        let result = self.see(reference, result);
        let known = Known { result: result.clone(), looked: (self.now)(), stamp };
        let fault = self.lock().close(reference, ticket, known);
        tell.send_replace(Some(result));
        fault
    }

    /// Remembers a secret that was resolved, and hands it on.
    fn see(&self, reference: &SecretRef, answer: Answer) -> Answer {
        let Ok(secret) = &answer else { return answer };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = seen.get(reference).is_some_and(|known| {
            known.is_clone_of(secret) || same(known.expose(), secret.expose())
        });
        if !is_known {
            seen.insert(reference.clone(), secret.clone());
            self.changes.fetch_add(1, Ordering::Release);
        }
        answer
    }

    /// The known content of a file, if the file has not changed since it was read.
    fn unchanged(&self, reference: &SecretRef, stamp: &Stamp) -> Option<Answer> {
        self.lock().read_in_state(reference, stamp)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn from_env(reference: &SecretRef, name: &str) -> Answer {
    let value = std::env::var(name).map_err(|error| {
        SecretFault::new(
            reference,
            match error {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8 text",
            },
        )
    })?;
    trimmed(reference, Zeroizing::new(value).as_bytes())
}

fn from_program(reference: &SecretRef, program: &Program) -> Answer {
    let printed =
        command::run(program, TIME).map_err(|reason| SecretFault::new(reference, reason))?;
    trimmed(reference, &printed)
}
