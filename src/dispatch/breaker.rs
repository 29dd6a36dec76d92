//! The circuit breaker of one workbench, as a pure state machine: it opens when starts keep failing.
//!
//! Only failures of the workbench itself count. An error that belongs to one job (404, a bad variable, a job
//! that is already active) shows that the workbench answers, and counts as a success.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{between, later};
use crate::model::{AttemptResult, BreakerPolicy, Outcome};

/// State of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Starts are sent.
    Closed,
    /// No start is sent before this moment.
    Open(Timestamp),
    /// One start at a time is sent as a trial, to see whether the workbench works again.
    HalfOpen,
}

/// What the end of an attempt changed in the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    None,
    /// The attempt was a trial and said nothing about the workbench: another trial may be made.
    Nothing,
    /// The breaker has opened.
    Opened,
    /// The trial succeeded: release the backlog, then call [`Breaker::close`].
    Closed,
}

/// One workbench's breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    recent: VecDeque<(Timestamp, bool)>,
    open: Option<Open>,
    opened: u64,
}

/// How often the breaker had opened when an attempt began, so that a result of an earlier state is ignored.
/// `None` for an attempt that was leased before the breaker opened and is sent after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(Option<u64>);

#[derive(Debug)]
struct Open {
    until: Timestamp,
    length: Duration,
    trials: u32,
    /// A trial has succeeded, and the backlog is being released.
    closing: bool,
    /// Whether the other processes have been told that the breaker is open.
    told: bool,
}

/// Whether an attempt shows that the workbench is out of order. 501 does not: it is about the request.
pub(super) fn failed(result: &AttemptResult) -> Option<bool> {
    match (result.status, result.outcome) {
        (Some(500 | 502..=599), _) => Some(true),
        (Some(_), _) => Some(false),
        (None, Outcome::Started) => Some(false),
        (None, Outcome::NotStartedForNow | Outcome::Unknown | Outcome::NotStartedForGood) => {
            Some(true)
        }
    }
}

impl Breaker {
    /// The state now.
    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        match &self.open {
            None => Standing::Closed,
            // More time left than the breaker was opened for means that the clock was set back.
            Some(open) if now < open.until && between(now, open.until) <= open.length => {
                Standing::Open(open.until)
            }
            Some(_) => Standing::HalfOpen,
        }
    }

    /// How many of the starts asked for may be sent now.
    pub(super) fn room(&self, asked: usize, now: Timestamp) -> usize {
        match (self.standing(now), &self.open) {
            (Standing::Closed, _) => asked,
            (Standing::HalfOpen, Some(open)) => {
                asked.min(usize::from(open.trials == 0 && !open.closing))
            }
            _ => 0,
        }
    }

    /// Notes that an attempt is sent. `trial` is true for the one start that a half-open breaker lets
    /// through.
    pub(super) fn begin(&mut self, trial: bool) -> Ticket {
        match &mut self.open {
            None => Ticket(Some(self.opened)),
            Some(open) if trial => {
                open.trials += 1;
                Ticket(Some(self.opened))
            }
            Some(_) => Ticket(None),
        }
    }

    /// Closes the breaker, after the backlog has been released.
    pub(super) fn close(&mut self) {
        self.open = None;
        self.recent.clear();
    }

    /// Ends the wait: the breaker is half-open from now on. False where it is closed.
    pub(super) fn half_open(&mut self, now: Timestamp) -> bool {
        let Some(open) = &mut self.open else { return false };
        open.until = open.until.min(now);
        true
    }

    /// Takes over from another process that the breaker is open until this moment. An earlier moment than
    /// its own is ignored.
    pub(super) fn open_until(&mut self, until: Timestamp, length: Duration) {
        match &mut self.open {
            Some(open) if open.until >= until => open.told = true,
            Some(open) => (open.until, open.length, open.told) = (until, length, true),
            None => {
                self.opened += 1;
                self.open = Some(Open { until, length, trials: 0, closing: false, told: true });
            }
        }
    }

    /// Whether all processes know that it is open or half-open, and this one is not closing it.
    pub(super) fn is_known_open(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.told && !open.closing)
    }

    /// Whether the other processes have yet to be told that it is open.
    pub(super) fn is_untold(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.told)
    }

    /// The other processes have been told.
    pub(super) fn told(&mut self) {
        if let Some(open) = &mut self.open {
            open.told = true;
        }
    }

    /// Notes the end of an attempt. `failed` is `None` where it says nothing about the workbench.
    pub(super) fn end(
        &mut self,
        ticket: Ticket,
        failed: Option<bool>,
        now: Timestamp,
        policy: &BreakerPolicy,
    ) -> Turn {
        if let Some(open) = &mut self.open {
            // An attempt that was sent before the breaker opened says nothing about the time after.
            if ticket != Ticket(Some(self.opened)) {
                return Turn::None;
            }
            open.trials = open.trials.saturating_sub(1);
            return match failed {
                // Nothing is sent until the backlog has been released; see `close`.
                Some(false) => {
                    open.closing = true;
                    Turn::Closed
                }
                Some(true) => {
                    let length = open.length.saturating_mul(2).min(policy.longest_open);
                    self.open_for(length, now);
                    Turn::Opened
                }
                None => Turn::Nothing,
            };
        }
        let Some(failed) = failed else { return Turn::None };
        self.recent.push_back((now, failed));
        while let Some((at, _)) = self.recent.front()
            && between(*at, now) > policy.window
        {
            self.recent.pop_front();
        }
        // Bounds the memory, whatever the window is.
        while self.recent.len() > MOST {
            self.recent.pop_front();
        }
        let (failures, attempts) = self.recent();
        if attempts >= policy.least && failures * 100 >= attempts * policy.percent {
            self.open_for(policy.open_for, now);
            return Turn::Opened;
        }
        Turn::None
    }

    fn open_for(&mut self, length: Duration, now: Timestamp) {
        self.opened += 1;
        self.open = Some(Open {
            until: later(now, length),
            length,
            trials: 0,
            closing: false,
            told: false,
        });
    }

    /// How many of the recent attempts failed, and how many there were.
    pub(super) fn recent(&self) -> (u32, u32) {
        let failures = self.recent.iter().filter(|(_, failed)| *failed).count();
        (small(failures), small(self.recent.len()))
    }
}

/// Attempts that are remembered at most.
const MOST: usize = 1000;

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("in range")
    }

    /// An attempt that begins and ends at once.
    fn tried(breaker: &mut Breaker, failed: Option<bool>, now: Timestamp) -> Turn {
        let ticket = breaker.begin(breaker.standing(now) == Standing::HalfOpen);
        let turn = breaker.end(ticket, failed, now, &BreakerPolicy::default());
        if turn == Turn::Closed {
            assert_eq!(breaker.room(9, now), 0, "not before what waited has been let go");
            breaker.close();
        }
        turn
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for second in 0..4 {
            assert_eq!(tried(&mut breaker, Some(true), at(second)), Turn::None);
        }
        assert_eq!(tried(&mut breaker, Some(true), at(4)), Turn::Opened);
        breaker
    }

    #[test]
    fn it_opens_when_half_of_enough_attempts_fail_and_not_before() {
        let mut breaker = Breaker::default();
        for second in 0..6 {
            assert_eq!(tried(&mut breaker, Some(false), at(second)), Turn::None);
        }
        for second in 6..11 {
            assert_eq!(tried(&mut breaker, Some(true), at(second)), Turn::None);
        }
        assert_eq!(tried(&mut breaker, Some(true), at(11)), Turn::Opened);
        assert_eq!(breaker.standing(at(12)), Standing::Open(at(41)));
    }

    #[test]
    fn old_failures_are_forgotten() {
        let mut breaker = Breaker::default();
        for second in 0..40 {
            assert_eq!(tried(&mut breaker, Some(true), at(second * 61)), Turn::None);
        }
    }

    #[test]
    fn what_says_nothing_about_the_workbench_is_not_counted() {
        let mut breaker = Breaker::default();
        for second in 0..40 {
            assert_eq!(tried(&mut breaker, None, at(second)), Turn::None);
        }
        assert_eq!(breaker.recent(), (0, 0));
    }

    #[test]
    fn one_goes_through_at_a_time_once_it_is_half_open() {
        let mut breaker = opened();
        assert_eq!(breaker.room(9, at(33)), 0);
        assert_eq!(breaker.standing(at(34)), Standing::HalfOpen);
        assert_eq!(breaker.room(9, at(34)), 1);
        let ticket = breaker.begin(true);
        assert_eq!(breaker.room(9, at(34)), 0);
        breaker.end(ticket, None, at(35), &BreakerPolicy::default());
        assert_eq!(breaker.room(9, at(35)), 1, "it said nothing, so another may try");
    }

    #[test]
    fn it_closes_when_the_trial_succeeds_and_stays_open_longer_when_it_fails() {
        let mut breaker = opened();
        assert_eq!(tried(&mut breaker, Some(true), at(34)), Turn::Opened);
        assert_eq!(breaker.standing(at(36)), Standing::Open(at(94)));
        assert_eq!(tried(&mut breaker, Some(false), at(95)), Turn::Closed);
        assert_eq!(breaker.room(9, at(96)), 9);
    }

    #[test]
    fn a_person_can_end_its_wait_and_one_start_is_tried() {
        let mut breaker = opened();
        assert!(breaker.half_open(at(10)));
        assert_eq!(breaker.room(9, at(10)), 1);
        assert_eq!(tried(&mut breaker, Some(true), at(10)), Turn::Opened);
        assert_eq!(breaker.standing(at(11)), Standing::Open(at(70)), "it waits longer after that");
        assert!(!Breaker::default().half_open(at(10)), "it is closed");
    }

    #[test]
    fn what_was_taken_before_it_opened_and_sent_after_is_no_trial() {
        let mut breaker = opened();
        let late = breaker.begin(false);
        let policy = BreakerPolicy::default();
        assert_eq!(breaker.end(late, Some(false), at(5), &policy), Turn::None);
        assert_eq!(breaker.standing(at(5)), Standing::Open(at(34)));
        let late = breaker.begin(false);
        assert_eq!(breaker.end(late, Some(true), at(36), &policy), Turn::None);
        assert_eq!(breaker.room(9, at(36)), 1);
    }

    #[test]
    fn another_process_can_open_it_and_keep_it_open_longer() {
        let mut breaker = Breaker::default();
        breaker.open_until(at(30), Duration::from_secs(30));
        assert_eq!(breaker.standing(at(1)), Standing::Open(at(30)));
        breaker.open_until(at(60), Duration::from_secs(60));
        assert_eq!(breaker.standing(at(31)), Standing::Open(at(60)));
        breaker.open_until(at(10), Duration::from_secs(30));
        assert_eq!(breaker.standing(at(31)), Standing::Open(at(60)));
    }

    #[test]
    fn it_is_never_open_longer_than_the_longest() {
        let policy = BreakerPolicy::default();
        let mut breaker = opened();
        let mut now = at(34);
        for _ in 0..20 {
            tried(&mut breaker, Some(true), now);
            let Standing::Open(until) = breaker.standing(now) else { panic!("it is open") };
            assert!(between(now, until) <= policy.longest_open);
            now = until;
        }
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open_longer() {
        let breaker = opened();
        assert_eq!(breaker.standing(at(34 - 31)), Standing::HalfOpen);
    }

    #[test]
    fn what_was_on_the_wire_when_it_opened_changes_nothing() {
        let policy = BreakerPolicy::default();
        let mut breaker = Breaker::default();
        let old = [breaker.begin(false), breaker.begin(false)];
        for second in 0..5 {
            tried(&mut breaker, Some(true), at(second));
        }
        assert_eq!(breaker.end(old[0], Some(false), at(10), &policy), Turn::None);
        assert_eq!(breaker.standing(at(10)), Standing::Open(at(34)));
        breaker.begin(true);
        assert_eq!(breaker.end(old[1], Some(true), at(35), &policy), Turn::None);
        assert_eq!(breaker.room(9, at(35)), 0, "the trial is still on the wire");
    }
}
