//! What one try at starting a run came to: one of four outcomes, never a guess.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The four things that can be known about a start request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The workbench answered with the id of the engine that it started.
    Started,
    /// Nothing was started, and the same request may succeed later.
    NotStartedForNow,
    /// Nothing was started, and the same request would be refused again.
    NotStartedForGood,
    /// The job may or may not be running.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 4] =
        [Self::Started, Self::NotStartedForNow, Self::NotStartedForGood, Self::Unknown];

    /// The word used in SQL, logs, metrics and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::NotStartedForNow => "not-started-for-now",
            Self::NotStartedForGood => "not-started-for-good",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Started => "started",
            Self::NotStartedForNow => "not started, for now",
            Self::NotStartedForGood => "not started, for good",
            Self::Unknown => "unknown",
        })
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not an outcome"))
    }
}

/// Everything that is kept about a finished attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptResult {
    /// Which of the four it was.
    pub outcome: Outcome,
    /// HTTP status of the reply, where there was one.
    pub status: Option<u16>,
    /// The workbench's id of the engine, where it named one.
    pub engine_id: Option<String>,
    /// What happened, in words.
    pub reason: String,
    /// The start of the reply, bounded and redacted.
    pub reply: Option<String>,
    /// Seconds that the workbench asked to be left alone for (`Retry-After`), bounded by policy.
    pub retry_after: Option<std::time::Duration>,
    /// Time from sending the request to knowing its outcome.
    pub took: std::time::Duration,
    /// The workbench did not accept the key (401): its other runs would fare no better.
    pub key_refused: bool,
}
