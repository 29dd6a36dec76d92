//! What waits, by job: how many runs, at which pace they are started, and when the last of them is expected to
//! start. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::views::JobStatus;
use crate::config::{JobPlan, Plan};
use crate::model::{RunState, expected_end, pace};
use crate::observe::JobLevels;
use crate::store::{BacklogRow, Failures, Queue};

/// How long a failed run is shown in notes.
pub(super) const LATELY: Duration = Duration::from_secs(24 * 3600);

/// Every configured job, and every other job that has runs which have not ended or that failed lately.
pub(super) fn statuses(
    plan: &Plan,
    queue: &Queue,
    failures: &[Failures],
    now: Timestamp,
) -> Vec<JobStatus> {
    let mut jobs: BTreeMap<&str, JobStatus> =
        plan.jobs.keys().map(|name| (&**name, JobStatus::of(name))).collect();
    for row in &queue.rows {
        let job = jobs.entry(&row.job).or_insert_with(|| JobStatus::of(&row.job));
        match row.state {
            RunState::Waiting => (job.waiting, job.oldest_waiting) = (row.runs, Some(row.oldest)),
            RunState::Queued => (job.queued, job.oldest_queued) = (row.runs, Some(row.oldest)),
            RunState::Sending => (job.sending, job.oldest_sending) = (row.runs, Some(row.oldest)),
            RunState::Held => (job.held, job.oldest_held) = (row.runs, Some(row.oldest)),
            _ => {}
        }
    }
    for failed in failures {
        let job = jobs.entry(&failed.job).or_insert_with(|| JobStatus::of(&failed.job));
        job.failed_lately = failed.runs;
        (job.first_failed, job.last_failed) = (Some(failed.first), Some(failed.last));
    }
    for (name, job) in &mut jobs {
        let backlog =
            queue.backlogs.iter().find(|backlog| backlog.job == *name && backlog.left > 0);
        job.backlog = backlog.map_or(0, |backlog| backlog.left);
        job.backlog_since = backlog.and_then(|backlog| backlog.since);
        job.per_minute = plan.jobs.get(*name).and_then(|job| pace_of(job, backlog));
        let end = job.per_minute.map(|pace| expected_end(job.queued, pace, now));
        job.expected_end = end.filter(|_| job.queued > 0);
    }
    jobs.into_values().collect()
}

/// How many runs of the job are started in a minute; `None` where only the workbench limits it.
fn pace_of(job: &JobPlan, backlog: Option<&BacklogRow>) -> Option<u32> {
    let paced = backlog.map(|backlog| pace(job.resume_per_minute, backlog.size));
    [job.starts_per_minute, paced].into_iter().flatten().min()
}

impl JobStatus {
    fn of(job: &str) -> Self {
        Self { job: job.to_owned(), ..Self::default() }
    }

    /// Whether there is something to show of it.
    pub(super) fn has_something(&self) -> bool {
        let Self { waiting, queued, sending, held, failed_lately, .. } = self;
        waiting + queued + sending + held + failed_lately > 0 || self.waits_for.is_some()
    }
}

impl From<&JobStatus> for JobLevels {
    fn from(job: &JobStatus) -> Self {
        let open = [
            (RunState::Waiting, job.waiting, job.oldest_waiting),
            (RunState::Queued, job.queued, job.oldest_queued),
            (RunState::Sending, job.sending, job.oldest_sending),
            (RunState::Held, job.held, job.oldest_held),
        ];
        Self {
            job: job.job.as_str().into(),
            open: open
                .into_iter()
                .filter_map(|(state, runs, oldest)| Some((state, runs, oldest?)))
                .collect(),
            failed_lately: job.failed_lately,
            backlog: job.backlog,
            per_minute: job.per_minute,
            expected_end: job.expected_end,
            late: job.expected_late,
        }
    }
}
