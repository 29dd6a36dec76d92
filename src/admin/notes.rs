//! The notes: what a person should look at, in words, each with the command that shows or mends it. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::views::JobStatus;
use crate::checkup::SKEW;
use crate::config::Plan;
use crate::dispatch::OpenBreaker;
use crate::model::{counted, length, to_the_second};
use crate::store::{Counts, Pausable, Pause, StoreFault};

/// A queue that is empty within this many minutes needs no note.
const SOON: i64 = 2;

/// What the notes are made from.
pub(super) struct Facts<'a> {
    pub(super) now: Timestamp,
    pub(super) stopping: bool,
    /// Why a delivery cannot be kept now.
    pub(super) store: Option<&'a StoreFault>,
    pub(super) counts: Counts,
    pub(super) held_too_long: u64,
    pub(super) pauses: &'a [Pause],
    pub(super) breakers: &'a [OpenBreaker],
    pub(super) jobs: &'a [JobStatus],
    pub(super) plan: &'a Plan,
    pub(super) clocks_ahead: &'a BTreeMap<Arc<str>, SignedDuration>,
    /// Addresses of published keys that could not be fetched.
    pub(super) without_keys: &'a [Arc<str>],
    /// Notes on sources that can receive nothing.
    pub(super) deaf: Vec<String>,
    /// A note where no admin token can be used.
    pub(super) no_token: Option<String>,
    pub(super) config_faults: usize,
    pub(super) tolerated: usize,
}

/// The notes, the most pressing first.
pub(super) fn notes(facts: &Facts<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(facts.stopping.then(|| "the process was told to stop".to_owned()));
    notes.extend(facts.store.map(ToString::to_string));
    notes.extend(failed(facts.jobs));
    notes.extend(held(facts));
    notes.extend(facts.pauses.iter().map(|pause| paused(pause, facts)));
    notes.extend(facts.breakers.iter().map(|open| breaker(open, facts)));
    notes.extend(facts.jobs.iter().filter_map(|job| queue(job, facts.now)));
    notes.extend(facts.deaf.iter().cloned());
    notes.extend(facts.without_keys.iter().map(|url| {
        format!("no keys could be fetched from {url}, so what they sign is answered with 503 (doctor says why)")
    }));
    notes.extend(facts.clocks_ahead.iter().filter_map(|(bench, ahead)| clock(bench, *ahead)));
    notes.extend(facts.no_token.clone());
    notes.extend(configuration(facts));
    notes
}

fn failed(jobs: &[JobStatus]) -> Option<String> {
    let runs: u64 = jobs.iter().map(|job| job.failed_lately).sum();
    let since = jobs.iter().filter_map(|job| job.first_failed).min()?;
    let of: Vec<String> = jobs
        .iter()
        .filter(|job| job.failed_lately > 0)
        .map(|job| format!("{} of {}", job.failed_lately, job.job))
        .collect();
    Some(format!(
        "{} failed since {}: {} (runs list --state failed; release RUN --retry or replay DELIVERY)",
        counted(runs, "run"),
        to_the_second(since),
        of.join(", ")
    ))
}

fn held(facts: &Facts<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let held = facts.counts.held;
    if held > 0 {
        let (runs, are) = (counted(held, "run"), if held == 1 { "is" } else { "are" });
        let wait = if held == 1 { "waits" } else { "wait" };
        notes.push(format!("{runs} {are} held and {wait} for a person (runs list --state held)"));
    }
    let long = facts.held_too_long;
    if long > 0 {
        let have = if long == 1 { "has" } else { "have" };
        let runs = counted(long, "run");
        notes.push(format!("{runs} {have} been held for too long (server.hold_alert)"));
    }
    notes
}

fn paused(pause: &Pause, facts: &Facts<'_>) -> String {
    let waits = |concerns: &dyn Fn(&str) -> bool| {
        let jobs = facts.jobs.iter().filter(|job| concerns(&job.job));
        match jobs.map(|job| job.queued).sum::<u64>() {
            0 => String::new(),
            queued => format!("; {} queued", counted(queued, "run")),
        }
    };
    match &pause.what {
        Pausable::Key(name) => {
            let uses = |job: &str| {
                let job = facts.plan.jobs.get(job);
                job.is_some_and(|job| format!("{}/{}", job.workbench.name, job.api_key) == *name)
            };
            format!(
                "API key {name} has been paused since {}: {}; its runs wait until the key changes \
                 (keys resume {name}){}",
                to_the_second(pause.since),
                pause.note.as_deref().unwrap_or("paused"),
                waits(&uses)
            )
        }
        what => {
            let queued = match what {
                Pausable::All => waits(&|_| true),
                Pausable::Job(name) => waits(&|job| job == name),
                Pausable::Route(_) | Pausable::Key(_) => String::new(),
            };
            format!(
                "{what} has been paused since {} by {}{queued}",
                to_the_second(pause.since),
                pause.who
            )
        }
    }
}

fn breaker(open: &OpenBreaker, facts: &Facts<'_>) -> String {
    let name = &open.workbench;
    let on_it = |job: &&JobStatus| {
        facts.plan.jobs.get(job.job.as_str()).is_some_and(|job| *job.workbench.name == **name)
    };
    let queued: u64 = facts.jobs.iter().filter(on_it).map(|job| job.queued).sum();
    let queued = counted(queued, "run");
    match open.until {
        Some(until) => format!(
            "starts on workbench {name} kept failing, so its circuit breaker is open until {}; deliveries \
             are kept, {queued} queued (workbenches resume {name} tries one start now)",
            to_the_second(until)
        ),
        None => format!(
            "the circuit breaker of workbench {name} is half-open: one start at a time is tried; {queued} queued"
        ),
    }
}

/// A queue that has a pace and takes a while, or in which deadlines will pass.
fn queue(job: &JobStatus, now: Timestamp) -> Option<String> {
    let (per_minute, end) = (job.per_minute?, job.expected_end?);
    let minutes = end.duration_since(now).as_mins();
    if minutes < SOON && job.expected_late == 0 {
        return None;
    }
    let key = if job.backlog > 0 { "resume_per_minute" } else { "starts_per_minute" };
    let mut note = format!(
        "job {}: {} queued; they are started at {per_minute} a minute ({key}), the last at about {}, in {}",
        job.job,
        counted(job.queued, "run"),
        to_the_second(end),
        counted(u64::try_from(minutes).unwrap_or(0), "minute")
    );
    if job.backlog > 0 {
        note.push_str(&format!("; {} of them waited for a pause or an outage", job.backlog));
    }
    if job.expected_late > 0 {
        note.push_str(&format!(
            "; the deadline of {} of them is before that: raise {key} or the job's deadline",
            job.expected_late
        ));
    }
    Some(note)
}

fn clock(workbench: &str, ahead: SignedDuration) -> Option<String> {
    if ahead.abs() <= SKEW {
        return None;
    }
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    let off = length(ahead.unsigned_abs());
    Some(format!(
        "the clock of workbench {workbench} is {off} {side} this machine's; set the wrong one right"
    ))
}

fn configuration(facts: &Facts<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let (faults, tolerated) = (facts.config_faults, facts.tolerated);
    if faults > 0 {
        notes.push(format!(
            "the configuration files have {} and are not all in force (see the log, or `cdsw-gateway check`)",
            counted(faults as u64, "fault")
        ));
    }
    if tolerated > 0 {
        notes.push(format!(
            "the configuration has {} that only this version accepts; `cdsw-gateway check` refuses it and says what \
             to change",
            counted(tolerated as u64, "setting")
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_clock_that_is_off_is_named_with_its_side() {
        let note = |seconds| clock("main", SignedDuration::from_secs(seconds));
        assert_eq!((note(0), note(30), note(-30)), (None, None, None));
        let wanted =
            "the clock of workbench main is 31 s behind this machine's; set the wrong one right";
        assert_eq!(note(-31).as_deref(), Some(wanted));
        assert!(note(3600).is_some_and(|note| note.contains("is 1 h ahead of")));
    }

    #[test]
    fn a_queue_that_is_soon_empty_needs_no_note() {
        let job = |end: &str, late| JobStatus {
            job: "retrain".to_owned(),
            queued: 600,
            backlog: 588,
            per_minute: Some(12),
            expected_end: Some(at(end)),
            expected_late: late,
            ..JobStatus::default()
        };
        let now = at("2026-03-01T12:00:00Z");
        assert_eq!(queue(&job("2026-03-01T12:01:00Z", 0), now), None);
        let note = queue(&job("2026-03-01T12:49:00Z", 3), now);
        let wanted = "job retrain: 600 runs queued; they are started at 12 a minute (resume_per_minute), the last at \
                      about 2026-03-01 12:49:00Z, in 49 minutes; 588 of them waited for a pause or an outage; the \
                      deadline of 3 of them is before that: raise resume_per_minute or the job's deadline";
        assert_eq!(note.as_deref(), Some(wanted));
        assert_eq!(
            queue(&JobStatus { per_minute: None, ..job("2026-03-01T12:49:00Z", 0) }, now),
            None
        );
    }

    #[test]
    fn failed_runs_are_one_note_over_all_jobs() {
        let job = |name: &str, failed, first: &str| JobStatus {
            job: name.to_owned(),
            failed_lately: failed,
            first_failed: Some(at(first)),
            ..JobStatus::default()
        };
        assert_eq!(failed(&[JobStatus::default()]), None);
        let jobs = [job("a", 2, "2026-03-01T12:05:00Z"), job("b", 1, "2026-03-01T12:00:00Z")];
        let note = failed(&jobs).expect("a note");
        assert!(
            note.starts_with("3 runs failed since 2026-03-01 12:00:00Z: 2 of a, 1 of b ("),
            "{note}"
        );
    }
}
