//! Coalescing (`latest_per`): of the unsent runs of a route with the same text, only the newest is sent. It
//! supersedes the older ones and stands for them.
//!
//! A run that is in flight, held or ended is never superseded. A run and those that it stands for share one
//! `burst` number, so that the run that stands for another is found in one step.

use std::collections::HashMap;

use jiff::Timestamp;

use super::run::{Moved, RunRow, moved};
use crate::model::run::{Change, UnlawfulChange};

/// What a new run takes over from the runs that it supersedes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Place {
    /// The burst of the first of them; `None` where there are none.
    pub(in crate::store) burst: Option<i64>,
    /// When the first of them was accepted.
    pub(in crate::store) burst_at: Timestamp,
    /// How many it stands for, itself included.
    pub(in crate::store) stands_for: i64,
}

impl Place {
    /// The place of a run that supersedes none.
    pub(in crate::store) fn own(now: Timestamp) -> Self {
        Self { burst: None, burst_at: now, stands_for: 1 }
    }
}

/// What is written when runs are superseded.
#[derive(Debug, Default, PartialEq)]
pub(in crate::store) struct Coalesced {
    /// Changed rows by their `seq`.
    pub(in crate::store) rows: Vec<(i64, Moved)>,
    /// Bursts to merge, as `(from, into)`, before the rows are written. Runs that were superseded earlier
    /// move together with the run that stood for them.
    pub(in crate::store) merges: Vec<(i64, i64)>,
}

/// The largest number of runs that one stands for, as it is counted.
const MOST: i64 = 1_000_000_000;

/// How many runs two bursts have together.
fn together(one: i64, other: i64) -> i64 {
    one.saturating_add(other).clamp(1, MOST)
}

impl Coalesced {
    fn supersede(
        &mut self,
        run: &RunRow,
        burst: i64,
        now: Timestamp,
    ) -> Result<(), UnlawfulChange> {
        let row = Moved { burst: Some(burst), ..moved(run.state, Change::Supersede, now)? };
        self.rows.push((run.seq, row));
        if run.burst != burst {
            self.merges.push((run.burst, burst));
        }
        Ok(())
    }
}

/// Lets a new run supersede every unsent run of its route with the same `latest_per` text. `unsent` has them
/// in the order of acceptance.
///
/// # Errors
/// [`UnlawfulChange`] where one of them is sent already.
pub(in crate::store) fn take_place(
    unsent: &[RunRow],
    now: Timestamp,
) -> Result<(Place, Coalesced), UnlawfulChange> {
    let mut place = Place::own(now);
    let mut written = Coalesced::default();
    for run in unsent {
        let burst = *place.burst.get_or_insert(run.burst);
        place.burst_at = place.burst_at.min(run.burst_at);
        place.stands_for = together(place.stands_for, run.stands_for);
        written.supersede(run, burst, now)?;
    }
    Ok((place, written))
}

/// Supersedes a run that is queued again after an attempt, where there is a newer one by now; `None` where
/// there is not. `unsent` has all unsent runs of its route with the same `latest_per` text.
///
/// # Errors
/// [`UnlawfulChange`] where the run is sent already.
pub(in crate::store) fn give_way(
    run: &RunRow,
    unsent: &[RunRow],
    now: Timestamp,
) -> Result<Option<Coalesced>, UnlawfulChange> {
    let newer = unsent.iter().filter(|other| other.seq > run.seq).max_by_key(|other| other.seq);
    let Some(newer) = newer else { return Ok(None) };
    let mut written = Coalesced::default();
    written.supersede(run, run.burst, now)?;
    if newer.burst != run.burst {
        written.merges.push((newer.burst, run.burst));
    }
    let stands = Moved {
        burst: Some(run.burst),
        burst_at: Some(newer.burst_at.min(run.burst_at)),
        stands_for: Some(together(newer.stands_for, run.stands_for)),
        ..Moved::kept(newer, now)
    };
    written.rows.push((newer.seq, stands));
    Ok(Some(written))
}

/// Keeps only the newest of these queued runs for each route and `latest_per` text, and supersedes the
/// others.
///
/// # Errors
/// [`UnlawfulChange`] where one of them is sent already.
pub(in crate::store) fn only_newest(
    queued: &[RunRow],
    now: Timestamp,
) -> Result<Coalesced, UnlawfulChange> {
    let mut kinds: HashMap<(&str, Option<&str>), Vec<&RunRow>> = HashMap::new();
    for run in queued {
        kinds.entry((&run.route, run.latest_per.as_deref())).or_default().push(run);
    }
    let mut written = Coalesced::default();
    for mut runs in kinds.into_values().filter(|runs| runs.len() > 1) {
        runs.sort_unstable_by_key(|run| run.seq);
        let Some((newest, older)) = runs.split_last() else { continue };
        for run in older {
            written.supersede(run, newest.seq, now)?;
            if let Some((_, row)) = written.rows.last_mut() {
                row.reason = Some("a newer run took its place after a pause".to_owned());
            }
        }
        if newest.burst != newest.seq {
            written.merges.push((newest.burst, newest.seq));
        }
        let stands = Moved {
            burst: Some(newest.seq),
            stands_for: Some(runs.iter().map(|run| run.stands_for).fold(0, together)),
            ..Moved::kept(newest, now)
        };
        written.rows.push((newest.seq, stands));
    }
    // All transactions write in ascending order, so that two of them cannot deadlock.
    written.rows.sort_unstable_by_key(|(seq, _)| *seq);
    written.merges.sort_unstable();
    written.merges.dedup();
    Ok(written)
}
