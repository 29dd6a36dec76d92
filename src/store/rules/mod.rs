//! What becomes of a run, decided once: pure functions from the facts that a store has read to the
//! rows that it is to write. Every store applies them, and no SQL decides.
//!
//! | file | decides |
//! |---|---|
//! | [`run`] | what stands against a start; the row that a change makes |
//! | [`new`] | the row that a new run begins as |
//! | [`again`] | repeats, replays, and a person's word on a held run |
//! | [`coalesce`] | which run takes the place of which |
//! | [`limits`] | how many runs of a job may be taken now, and which the brake holds |
//! | [`pauses`] | which permits a pause stands against |

pub(in crate::store) mod again;
pub(in crate::store) mod coalesce;
pub(in crate::store) mod limits;
pub(in crate::store) mod new;
pub(in crate::store) mod pauses;
pub(in crate::store) mod run;

use jiff::Timestamp;

/// No delivery that is received at this moment or later has a smaller id: an id begins with the time, by
/// the same look at the same clock.
pub(in crate::store) fn first_id_of(moment: Timestamp) -> [u8; 16] {
    let millis = u128::try_from(moment.as_millisecond()).unwrap_or(0);
    (millis << 80).to_be_bytes()
}
