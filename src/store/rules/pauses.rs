//! Which permits a pause stands against. What a paused route keeps back is in
//! [`Standing`](super::run::Standing), since it is a matter of runs and not of jobs.

use crate::store::{Pausable, Permit};

/// Whether a pause stands against every start of the permit's job.
pub(in crate::store) fn stands_against(pauses: &[Pausable], permit: &Permit) -> bool {
    pauses.iter().any(|paused| match paused {
        Pausable::All => true,
        Pausable::Job(name) => **name == *permit.job,
        Pausable::Key(name) => permit.key.as_deref() == Some(&**name),
        Pausable::Route(_) => false,
    })
}

/// What is paused, by the words that are kept of it; none where they are not this program's.
pub(in crate::store) fn named(kind: &str, name: String) -> Option<Pausable> {
    match kind {
        "all" => Some(Pausable::All),
        "job" => Some(Pausable::Job(name)),
        "route" => Some(Pausable::Route(name)),
        "key" => Some(Pausable::Key(name)),
        _ => None,
    }
}
