//! Keys that a workbench has refused. Such a key is paused until it changes or a person resumes it, since
//! each further start would only fail one more run. The pauses are in the store, so that they survive a
//! restart.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::authenticate::hmac::{Algorithm, mac};
use crate::clock::between;
use crate::config::{JobPlan, Live, Plan, SecretFault};
use crate::model::Secret;
use crate::random::Random;
use crate::store::{KeyRefused, Pausable, Pause};

/// Bytes of salt at the front of a mark.
const SALT: usize = 16;
/// Bytes of the digest in a mark: enough to tell one key from the next, too few to guess one from.
const DIGEST: usize = 8;

/// How long this process does not try a key again that a workbench refused to it. Another process may have
/// resumed the key in the meantime because it can already read the new one.
const REFUSED: Duration = Duration::from_secs(30);

/// The paused keys, as last read from the store, and the keys that were refused to this process.
#[derive(Debug)]
pub(super) struct Keys {
    live: Arc<Live>,
    /// Wakes the dispatcher.
    wake: Arc<Notify>,
    /// Keys that are being read in the background.
    looked_at: Arc<Mutex<BTreeSet<String>>>,
    paused: Mutex<HashMap<String, Pause>>,
    refused: Mutex<HashMap<String, (Vec<u8>, Timestamp)>>,
}

impl Keys {
    pub(super) fn new(live: Arc<Live>, wake: Arc<Notify>) -> Self {
        let (paused, refused) = (Mutex::default(), Mutex::default());
        Self { live, wake, looked_at: Arc::default(), paused, refused }
    }

    /// Takes over the pauses that were read from the store.
    pub(super) fn mirror(&self, pauses: &[Pause]) {
        let keys = pauses.iter().filter(|pause| matches!(pause.what, Pausable::Key(_)));
        *lock(&self.paused) =
            keys.map(|pause| (pause.what.name().to_owned(), pause.clone())).collect();
    }

    /// Whether the job's key is not paused.
    pub(super) fn usable(&self, job: &JobPlan) -> bool {
        !lock(&self.paused).contains_key(&name(job))
    }

    /// Whether this process's value of the key was refused within the last `REFUSED`. Only asked where other
    /// processes can resume a key, since their file may have another value. While the key is being read, it
    /// counts as the refused one.
    pub(super) fn was_just_refused(&self, job: &Arc<JobPlan>, now: Timestamp) -> bool {
        let mut refused = lock(&self.refused);
        let key = name(job);
        let Some((mark, at)) = refused.get(&key) else { return false };
        let is_refused = |key: Result<Secret, _>| key.is_ok_and(|key| is_of(mark, &key));
        if between(*at, now) < REFUSED && self.at_hand(job, mark).is_none_or(is_refused) {
            return true;
        }
        refused.remove(&key);
        false
    }

    /// Whether any key is paused.
    pub(super) fn any_paused(&self) -> bool {
        !lock(&self.paused).is_empty()
    }

    /// Paused keys whose value is no longer the one that the workbench refused.
    pub(super) fn changed(&self, plan: &Plan) -> BTreeSet<String> {
        let paused = lock(&self.paused).clone();
        if paused.is_empty() {
            return BTreeSet::new();
        }
        plan.jobs
            .values()
            .filter_map(|job| {
                let pause = paused.get(&name(job))?;
                let mark = pause.mark.as_deref()?;
                let key = self.at_hand(job, mark)?.ok()?;
                (!is_of(mark, &key)).then(|| name(job))
            })
            .collect()
    }

    /// Pauses a key in memory at once, before the pauses are read from the store again.
    pub(super) fn pause(&self, refused: &KeyRefused) {
        let KeyRefused { what, mark, act } = refused;
        let pause = Pause {
            what: what.clone(),
            since: act.at,
            who: act.who.clone(),
            note: act.note.clone(),
            mark: Some(mark.clone()),
        };
        lock(&self.paused).insert(what.name().to_owned(), pause);
        let mut refused = lock(&self.refused);
        refused.insert(what.name().to_owned(), (mark.clone(), act.at));
    }

    /// The job's key, where it can be had without waiting. Otherwise the key is read in the background, so
    /// that other jobs do not wait for it; the dispatcher is woken if it is not the refused one.
    fn at_hand(&self, job: &Arc<JobPlan>, mark: &[u8]) -> Option<Result<Secret, SecretFault>> {
        let at_hand = self.live.api_key_at_hand(job);
        let key = name(job);
        if at_hand.is_none() && lock(&self.looked_at).insert(key.clone()) {
            let (live, wake) = (Arc::clone(&self.live), Arc::clone(&self.wake));
            let (job, mark) = (Arc::clone(job), mark.to_vec());
            let looked_at = Arc::clone(&self.looked_at);
            tokio::spawn(async move {
                let found = live.api_key(&job).await;
                lock(&looked_at).remove(&key);
                if found.is_ok_and(|key| !is_of(&mark, &key)) {
                    wake.notify_one();
                }
            });
        }
        at_hand
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of a job's key: `workbench/key`.
pub(super) fn name(job: &JobPlan) -> String {
    format!("{}/{}", job.workbench.name, job.api_key)
}

/// Makes a mark, by which a refused key is told from its replacement: a salt and the first bytes of a keyed
/// digest. The key cannot be computed from it.
pub(super) fn mark(key: &Secret, random: &dyn Random) -> Vec<u8> {
    let salt = random.bits().to_ne_bytes();
    [&salt[..], &digest(&salt, key)].concat()
}

fn is_of(mark: &[u8], key: &Secret) -> bool {
    mark.split_at_checked(SALT).is_some_and(|(salt, rest)| digest(salt, key) == rest)
}

fn digest(salt: &[u8], key: &Secret) -> Vec<u8> {
    let mut digest = mac(Algorithm::Sha256, salt, &[key.expose()]);
    digest.truncate(DIGEST);
    digest
}

/// The jobs that are started with the key of this name.
pub(super) fn jobs_of<'p>(plan: &'p Plan, key: &'p str) -> impl Iterator<Item = &'p Arc<JobPlan>> {
    plan.jobs.values().filter(move |job| name(job) == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn a_mark_tells_a_key_from_another_and_does_not_hold_it() {
        let random = SeededRandom::new(1);
        let (key, other) = (Secret::new("a key of a workbench"), Secret::new("another key"));
        let made = mark(&key, &random);
        assert!(is_of(&made, &key));
        assert!(!is_of(&made, &other));
        assert!(!is_of(b"", &key));
        assert_eq!(made.len(), SALT + DIGEST);
        assert_ne!(made, mark(&key, &random), "two marks of one key differ");
    }
}
