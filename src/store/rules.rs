//! What every store does alike, apart from its SQL: which change follows from what was asked, and the
//! words that are kept with it. Pure.

use jiff::Timestamp;

use crate::model::Latest;
use crate::model::run::{Change, after};
use crate::model::{RunId, RunState};
use crate::store::{Act, Next, Release, StoreFault};

/// What a new run takes over from those whose place it takes.
pub(super) struct Taken {
    /// The first of them; none where there were none.
    pub(super) burst: Option<i64>,
    /// When the first of them was accepted, in milliseconds since 1970.
    pub(super) burst_at: i64,
    /// How many it stands for, itself included.
    pub(super) stands_for: i64,
}

/// When a run falls due that was accepted now: its wait from now, but the first of its burst must
/// not wait longer than that. In milliseconds since 1970.
pub(super) fn due_at(latest: &Latest, burst_at: i64, now: i64) -> i64 {
    let add = |from: i64, length: std::time::Duration| {
        from.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
    };
    add(now, latest.wait).min(add(burst_at, latest.wait_at_most)).max(now)
}

/// The change that follows an attempt.
pub(super) fn change_of(next: &Next) -> Change {
    match next.clone() {
        Next::Started { engine_id } => Change::Started { engine_id },
        Next::Retry { at, reason } => Change::Retry { at, reason },
        Next::Hold { reason } => Change::Hold { reason },
        Next::Fail { reason } => Change::Fail { reason },
    }
}

/// The change that a person's word on a run makes, and the word as it is kept.
///
/// # Errors
/// [`StoreFault::Unlawful`] where the run is not held. This is stricter than the machine: a failed run is
/// replayed, not released, and a queued one needs no word at all.
pub(super) fn released(
    run: RunId,
    state: RunState,
    release: &Release,
    act: &Act,
) -> Result<(Change, &'static str), StoreFault> {
    if state != RunState::Held {
        let message = format!("it is {state}, and only a held run can be released");
        return Err(StoreFault::Unlawful { run, state, message });
    }
    let (change, word) = match release {
        Release::Retry { .. } => (Change::Requeue { at: act.at }, "release --retry"),
        Release::Started { engine_id } => {
            (Change::Started { engine_id: engine_id.clone() }, "release --started")
        }
        Release::Fail => {
            (Change::Fail { reason: format!("given up by {}", act.who) }, "release --fail")
        }
    };
    after(state, &change).map_err(|refused| StoreFault::unlawful(run, &refused))?;
    Ok((change, word))
}

/// Why the brake holds a run.
pub(super) fn braked(per_hour: Option<u32>) -> String {
    format!(
        "the brake: its job has had {} runs within an hour (starts_per_hour); see whether that is \
         meant, then release it or cancel it",
        per_hour.unwrap_or(0)
    )
}

/// No delivery that is received at this moment or later has a smaller id: it begins with the time, by the
/// same look at the same clock.
pub(in crate::store) fn first_id_of(moment: Timestamp) -> [u8; 16] {
    let millis = u128::try_from(moment.as_millisecond()).unwrap_or(0);
    (millis << 80).to_be_bytes()
}
