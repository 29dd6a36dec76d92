//! Runs of which only the newest is to be sent: it takes the place of those before it that are not sent
//! yet, and stands for them.
//!
//! What is on the wire, held or over is never touched. The runs that one stands for share its `burst`,
//! so that each finds the one that stands for it in one step.

use std::collections::HashMap;

use jiff::Timestamp;

use super::run::{Moved, RunRow, moved};
use crate::model::run::{Change, UnlawfulChange};

/// What a new run takes over from those whose place it takes.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Place {
    /// The first of them; none where there were none.
    pub(in crate::store) burst: Option<i64>,
    /// When the first of them was accepted.
    pub(in crate::store) burst_at: Timestamp,
    /// How many it stands for, itself included.
    pub(in crate::store) stands_for: i64,
}

impl Place {
    /// Of a run that takes nobody's place.
    pub(in crate::store) fn own(now: Timestamp) -> Self {
        Self { burst: None, burst_at: now, stands_for: 1 }
    }
}

/// What is written when runs take the place of others.
#[derive(Debug, Default, PartialEq)]
pub(in crate::store) struct Coalesced {
    /// Rows by their place in the order of acceptance.
    pub(in crate::store) rows: Vec<(i64, Moved)>,
    /// Bursts that become a part of another, `(from, into)`, before the rows are written: those that
    /// were superseded before go along with the run that stood for them.
    pub(in crate::store) merges: Vec<(i64, i64)>,
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

/// A new run takes the place of every run of its kind that is not sent yet; `unsent` is in the order of
/// acceptance.
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
        place.stands_for += run.stands_for;
        written.supersede(run, burst, now)?;
    }
    Ok((place, written))
}

/// A run that is queued again after an attempt gives way to the newest of its kind, where there is a
/// newer one by now; `unsent` has all of its kind that are not sent yet.
///
/// # Errors
/// [`UnlawfulChange`] where it is sent already.
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
        stands_for: Some(newer.stands_for + run.stands_for),
        ..Moved::kept(newer, now)
    };
    written.rows.push((newer.seq, stands));
    Ok(Some(written))
}

/// Of each route, and of each kind where it has some, only the newest of these queued runs stays.
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
            stands_for: Some(runs.iter().map(|run| run.stands_for).sum()),
            ..Moved::kept(newest, now)
        };
        written.rows.push((newest.seq, stands));
    }
    // In one order everywhere, so that two processes never wait for each other.
    written.rows.sort_unstable_by_key(|(seq, _)| *seq);
    written.merges.sort_unstable();
    written.merges.dedup();
    Ok(written)
}
