//! Sets the gauges that are read when somebody asks for the metrics.

use jiff::Timestamp;

use super::{Bench, Job, JobState, KindName, Metrics, State, level};
use crate::model::RunState;
use crate::observe::{JobLevels, Levels};
use crate::store::Counts;

/// The states that are not final, in the order in which they are shown.
const OPEN: [RunState; 4] =
    [RunState::Waiting, RunState::Queued, RunState::Sending, RunState::Held];

impl Metrics {
    pub(super) fn set(&self, levels: &Levels) {
        if let Some(configured) = &levels.configured {
            self.of_configuration(configured);
        }
        if let Some(counts) = &levels.counts {
            self.waiting(counts);
        }
        if let Some(held) = levels.held_too_long {
            self.held_long.set(level(held));
        }
        if let Some(paused) = &levels.paused {
            self.paused.set(level(paused.len()));
            // What is no longer paused must not stay at 1.
            self.paused_names.clear();
            for (kind, name) in paused {
                let labels = KindName { kind, name: name.clone() };
                self.paused_names.get_or_create(&labels).set(1);
            }
        }
        for (workbench, is_open) in &levels.breakers {
            let labels = Bench { workbench: workbench.to_string() };
            self.breakers_open.get_or_create(&labels).set(i64::from(*is_open));
        }
        for (workbench, ahead) in &levels.clocks_ahead {
            let labels = Bench { workbench: workbench.to_string() };
            self.clock_ahead.get_or_create(&labels).set(ahead.as_millis() as f64 / 1000.0);
        }
        if let Some(count) = levels.issuers_without_keys {
            self.no_keys.set(level(count));
        }
        if let Some(jobs) = &levels.jobs {
            self.of_jobs(jobs, levels.now);
        }
        if let Some(sample) = &levels.process {
            self.process.set(sample);
        }
    }

    fn waiting(&self, counts: &Counts) {
        let states = [
            ("waiting", counts.waiting),
            ("queued", counts.queued),
            ("sending", counts.sending),
            ("held", counts.held),
        ];
        for (state, count) in states {
            self.runs.get_or_create(&State { state }).set(level(count));
        }
    }

    fn of_jobs(&self, jobs: &[JobLevels], now: Timestamp) {
        for state in OPEN {
            let oldest = jobs.iter().flat_map(|job| &job.open);
            let oldest = oldest.filter(|(of, ..)| *of == state).map(|(.., oldest)| *oldest).min();
            let labels = State { state: state.as_str() };
            self.oldest.get_or_create(&labels).set(age(oldest, now));
        }
        for job in jobs {
            for state in OPEN {
                let open = job.open.iter().find(|(of, ..)| *of == state);
                let labels = JobState { job: job.job.to_string(), state: state.as_str() };
                self.job_runs
                    .get_or_create(&labels)
                    .set(level(open.map_or(0, |(_, runs, _)| *runs)));
                let oldest = open.map(|(.., oldest)| *oldest);
                self.job_oldest.get_or_create(&labels).set(age(oldest, now));
            }
            let labels = Job { job: job.job.to_string() };
            self.failed_lately.get_or_create(&labels).set(level(job.failed_lately));
            self.backlog.get_or_create(&labels).set(level(job.backlog));
            self.backlog_pace.get_or_create(&labels).set(i64::from(job.per_minute.unwrap_or(0)));
            let end = job.expected_end.map_or(0.0, |end| end.as_duration().as_secs_f64());
            self.backlog_end.get_or_create(&labels).set(end);
            self.late.get_or_create(&labels).set(level(job.late));
        }
    }
}

/// Seconds since then; 0 where there is nothing.
fn age(oldest: Option<Timestamp>, now: Timestamp) -> f64 {
    let passed =
        oldest.map_or(0, |oldest| now.as_millisecond().saturating_sub(oldest.as_millisecond()));
    passed.max(0) as f64 / 1000.0
}
