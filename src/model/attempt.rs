//! The result of one attempt at starting a run: one of four outcomes, never a guess.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is known after a start request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The workbench answered with the id of the engine that it started.
    Started,
    /// Nothing was started, and the same request may succeed later.
    NotStartedForNow,
    /// Nothing was started, and the same request would be refused again.
    NotStartedForGood,
    /// Nobody knows whether the job was started.
    Unknown,
}

impl Outcome {
    /// All outcomes.
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

/// What is stored about a finished attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptResult {
    /// Its outcome.
    pub outcome: Outcome,
    /// The HTTP status of the reply, where there was one.
    pub status: Option<u16>,
    /// The id that the workbench gave the engine, where it named one.
    pub engine_id: Option<String>,
    /// What happened, as a sentence.
    pub reason: String,
    /// The start of the reply, redacted.
    pub reply: Option<String>,
    /// How long the workbench asked to wait before the next request (`Retry-After`), up to a limit.
    pub retry_after: Option<std::time::Duration>,
    /// How far the workbench's clock is ahead of this machine's, as the `Date` of its reply says; negative where
    /// it is behind. It has whole seconds. `None` where there was no date.
    pub clock_ahead: Option<jiff::SignedDuration>,
    /// Time from sending the request to knowing its outcome.
    pub took: std::time::Duration,
    /// Whether the workbench refused the API key (401), so that other runs with this key would fail too.
    pub key_refused: bool,
}
