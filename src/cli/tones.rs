//! How every list and view shows times and the states of runs.

use super::screen::{Screen, Tone};
use crate::admin::views::RunSummary;
use crate::model::RunState;

/// A moment, to the second.
pub(super) fn time(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A run's state, in the colour of its tone.
pub(super) fn state(screen: Screen, run: &RunSummary) -> String {
    screen.paint(state_tone(run.state), run.state)
}

/// The tone of a run's state.
fn state_tone(state: RunState) -> Tone {
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
