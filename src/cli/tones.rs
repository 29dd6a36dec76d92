//! How every list and view shows ids, times and the states of runs.

use std::fmt::Display;

use jiff::Timestamp;

use super::screen::{Screen, Tone};
use super::table::Cell;
use crate::admin::views::{BreakerState, BreakerView, RunSummary};
use crate::model::{RunState, to_the_second};

/// Lengths to which ids are shortened, each ending at a hyphen: to the millisecond; with 12 random bits.
const SHORT: [usize; 2] = [13, 18];

/// A moment, to the second.
pub(super) fn time(moment: Timestamp) -> String {
    to_the_second(moment)
}

/// A moment as people tell it on a terminal, such as `3 min ago`; elsewhere as [`time`].
pub(super) fn when(screen: Screen, moment: Timestamp) -> String {
    screen.from().map_or_else(|| time(moment), |now| told(moment, now))
}

/// A moment to the second, and on a terminal also how long ago it was.
pub(super) fn time_and_when(screen: Screen, moment: Timestamp) -> String {
    match screen.from() {
        None => time(moment),
        Some(now) => format!("{} ({})", time(moment), told(moment, now)),
    }
}

/// A moment as it is told at this time.
fn told(moment: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - moment.as_second();
    let (number, unit) = match seconds.abs() {
        0..=4 => return "now".to_owned(),
        s @ 5..=99 => (s, "s"),
        s @ 100..=5_399 => ((s + 30) / 60, "min"),
        s @ 5_400..=129_599 => ((s + 1_800) / 3_600, "h"),
        s => ((s + 43_200) / 86_400, "days"),
    };
    if seconds < 0 { format!("in {number} {unit}") } else { format!("{number} {unit} ago") }
}

/// A run's state, in the colour of its tone.
pub(super) fn state(screen: Screen, run: &RunSummary) -> String {
    screen.paint(state_tone(run.state), run.state)
}

/// A run's state as a cell of a table.
pub(super) fn state_cell(state: RunState) -> Cell {
    Cell::whole(state.to_string()).tone(state_tone(state))
}

/// The tone of a run's state.
pub(super) fn state_tone(state: RunState) -> Tone {
    match state {
        RunState::Started => Tone::Good,
        RunState::Waiting
        | RunState::Queued
        | RunState::Sending
        | RunState::Superseded
        | RunState::Cancelled => Tone::Dim,
        RunState::Held => Tone::Warn,
        RunState::Failed => Tone::Bad,
    }
}

/// A circuit breaker that is not closed, in words.
pub(super) fn breaker(breaker: &BreakerView) -> String {
    match (breaker.state, breaker.until) {
        (BreakerState::Open, Some(until)) => {
            format!("circuit breaker open until {}: starts failed", time(until))
        }
        (BreakerState::Open, None) => "circuit breaker open: starts failed".to_owned(),
        (BreakerState::HalfOpen, _) => "circuit breaker half-open: one start is tried".to_owned(),
    }
}

/// The ids of a list: where the list must fit a terminal, so much of each that they differ; elsewhere whole.
pub(super) fn ids<Id: Display>(screen: Screen, ids: impl IntoIterator<Item = Id>) -> Vec<Cell> {
    let whole: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    let length = if screen.is_narrow() { enough(&whole) } else { usize::MAX };
    whole.iter().map(|id| Cell::whole(id.get(..length).unwrap_or(id))).collect()
}

/// The shortest of the usual lengths at which these ids still differ.
fn enough(ids: &[String]) -> usize {
    let differ = |length: &&usize| {
        let begins: std::collections::BTreeSet<_> =
            ids.iter().map(|id| id.get(..**length)).collect();
        begins.len() == ids.iter().collect::<std::collections::BTreeSet<_>>().len()
    };
    SHORT.iter().find(differ).copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_people_would_use() {
        let now = Timestamp::from_second(1_700_000_000).expect("in range");
        for (ago, words) in [
            (0, "now"),
            (-3, "now"),
            (42, "42 s ago"),
            (180, "3 min ago"),
            (3_600, "60 min ago"),
            (7_200, "2 h ago"),
            (86_400, "24 h ago"),
            (259_200, "3 days ago"),
            (-600, "in 10 min"),
        ] {
            let moment = Timestamp::from_second(1_700_000_000 - ago).expect("in range");
            assert_eq!(told(moment, now), words);
        }
    }

    #[test]
    fn ids_are_shortened_to_where_they_still_differ() {
        let ids = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (first, later) =
            ("0193a6f2-2097-73fe-ac93-b02f05d484a3", "0193a6f2-2098-7000-ac93-b02f05d484a3");
        let sibling = "0193a6f2-2097-7abc-ac93-b02f05d484a3";
        let twin = "0193a6f2-2097-73fe-ac93-b02f05d484a4";
        assert_eq!(enough(&ids(&[first, later])), 13);
        assert_eq!(enough(&ids(&[first, first])), 13, "one thing, twice");
        assert_eq!(enough(&ids(&[first, later, sibling])), 18);
        assert_eq!(enough(&ids(&[first, twin])), usize::MAX);
    }
}
