//! Which permits a pause blocks. A permit belongs to a job; what a paused route blocks is recorded for each
//! run, in [`Standing`](super::run::Standing).

use crate::store::{Pausable, Permit};

/// Whether a pause blocks every start of the permit's job.
pub(in crate::store) fn stands_against(pauses: &[Pausable], permit: &Permit) -> bool {
    pauses.iter().any(|paused| match paused {
        Pausable::All => true,
        Pausable::Job(name) => **name == *permit.job,
        Pausable::Key(name) => permit.key.as_deref() == Some(&**name),
        Pausable::Route(_) => false,
    })
}

/// What is paused, from its stored kind and name; `None` where the kind is unknown.
pub(in crate::store) fn named(kind: &str, name: String) -> Option<Pausable> {
    match kind {
        "all" => Some(Pausable::All),
        "job" => Some(Pausable::Job(name)),
        "route" => Some(Pausable::Route(name)),
        "key" => Some(Pausable::Key(name)),
        _ => None,
    }
}
