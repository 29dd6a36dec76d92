//! How a check of a commit stands: one set of words for the build, job, check, status and deployment of every
//! forge.

use std::fmt;

/// How a build, job, pipeline, check, commit status or deployment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It has not begun: it is queued, planned, or waits for a person.
    Pending,
    /// It has begun and has not ended.
    Running,
    /// It ended well.
    Success,
    /// It ended badly: a failure, an error, or a time-out.
    Failure,
    /// It was stopped before it ended by itself.
    Cancelled,
    /// It was left out.
    Skipped,
    /// It ended, and says neither that it went well nor that it failed.
    Neutral,
}

impl Status {
    /// Every status, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Success,
        Self::Failure,
        Self::Cancelled,
        Self::Skipped,
        Self::Neutral,
    ];

    /// Its word in `on: { status: … }`, in `git.status` and as an action.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Neutral => "neutral",
        }
    }

    /// The status that a forge's own word stands for, in any case. `None` for a word that no forge is known to
    /// use. The words are those of the forges' documentation:
    /// GitHub (check conclusions, commit statuses, deployment statuses, workflow jobs), GitLab (pipelines, jobs,
    /// deployments), Gitea and Forgejo (commit statuses, workflow runs), Bitbucket Cloud (commit statuses) and
    /// Azure DevOps (builds, pipeline runs and stages, releases).
    pub fn of(word: &str) -> Option<Self> {
        Some(match &*word.to_ascii_lowercase() {
            "pending"
            | "queued"
            | "requested"
            | "waiting"
            | "action_required"
            | "created"
            | "waiting_for_resource"
            | "waiting_for_callback"
            | "preparing"
            | "manual"
            | "scheduled"
            | "blocked"
            | "notstarted"
            | "undefined" => Self::Pending,
            "running" | "in_progress" | "inprogress" | "started" | "canceling" | "cancelling" => {
                Self::Running
            }
            "success" | "successful" | "succeeded" | "passed" | "fixed" => Self::Success,
            "failure" | "failed" | "error" | "errored" | "broken" | "timed_out"
            | "startup_failure" | "rejected" => Self::Failure,
            "cancelled" | "canceled" | "stopped" => Self::Cancelled,
            "skipped" => Self::Skipped,
            "neutral"
            | "stale"
            | "inactive"
            | "warning"
            | "partiallysucceeded"
            | "succeededwithissues" => Self::Neutral,
            _ => return None,
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_is_read_from_its_own_word_and_from_those_of_the_forges() {
        for status in Status::ALL {
            assert_eq!(Status::of(status.word()), Some(status));
        }
        for (word, status) in [
            ("SUCCESSFUL", Status::Success),
            ("INPROGRESS", Status::Running),
            ("partiallySucceeded", Status::Neutral),
            ("canceled", Status::Cancelled),
            ("timed_out", Status::Failure),
            ("waiting_for_resource", Status::Pending),
        ] {
            assert_eq!(Status::of(word), Some(status), "{word}");
        }
        assert_eq!(Status::of("completed"), None, "it says that it ended, and not how");
    }
}
