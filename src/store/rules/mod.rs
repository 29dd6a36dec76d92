//! The rules that decide what becomes of a run: pure functions from the facts that a store has read to the
//! rows that it writes. Both stores apply them, and no SQL decides.
//!
//! | file | decides |
//! |---|---|
//! | [`run`] | what blocks a start; what a change of state writes |
//! | [`new`] | the row of a new run |
//! | [`asked`] | what becomes of a run that the configuration does not ask for |
//! | [`again`] | repeats, replays, and a person's decision about a held run |
//! | [`claims`] | whether a delivery is a repeat of the one that has its claim |
//! | [`coalesce`] | which run supersedes which |
//! | [`limits`] | how many runs of a job may be taken now, and which the brake holds |
//! | [`pauses`] | which permits a pause blocks |

pub(in crate::store) mod again;
pub(in crate::store) mod asked;
pub(in crate::store) mod claims;
pub(in crate::store) mod coalesce;
pub(in crate::store) mod limits;
pub(in crate::store) mod new;
pub(in crate::store) mod pauses;
pub(in crate::store) mod run;

use jiff::Timestamp;

/// The smallest id that a delivery received at this moment can have. An id begins with the time of receipt,
/// so no delivery received then or later has a smaller one.
pub(in crate::store) fn first_id_of(moment: Timestamp) -> [u8; 16] {
    let millis = u128::try_from(moment.as_millisecond()).unwrap_or(0);
    (millis << 80).to_be_bytes()
}
