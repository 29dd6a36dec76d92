//! How a command fails: a message, and an exit status that scripts can test.

use std::fmt;

use serde::Serialize;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command ran and found something wrong, which it has already printed.
    Found,
    /// The operation failed.
    Failed(String),
    /// The arguments are wrong.
    Usage(String),
    /// The configuration is faulty; the report has been written.
    Config(String),
    /// The running gateway cannot be reached or does not accept the token.
    Unreachable(String),
    /// There is no such thing.
    Missing(String),
    /// The current state does not allow it.
    Conflict(String),
}

impl Failure {
    /// The word for tools; one goes with each exit status.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Found | Self::Failed(_) => "failed",
            Self::Usage(_) => "usage",
            Self::Config(_) => "faulty-configuration",
            Self::Unreachable(_) => "unreachable",
            Self::Missing(_) => "not-found",
            Self::Conflict(_) => "conflict",
        }
    }

    /// The exit status.
    pub(super) fn status(&self) -> u8 {
        match self {
            Self::Found | Self::Failed(_) => 1,
            // The argument parser exits with the same status.
            Self::Usage(_) => 2,
            Self::Config(_) => 3,
            Self::Unreachable(_) => 4,
            Self::Missing(_) => 5,
            Self::Conflict(_) => 6,
        }
    }
}

/// A failure as `--json` shows it, below `error`.
#[derive(Debug, Serialize)]
pub(super) struct ErrorView {
    /// A word for tools; it goes with one exit status.
    code: &'static str,
    /// What failed.
    message: String,
    /// What to do about it, where there is something to say.
    hint: Option<String>,
}

impl ErrorView {
    /// The view of a failure. Messages name what failed, and what to do stands behind a semicolon.
    pub(super) fn of(failure: &Failure) -> Self {
        let words = failure.to_string();
        let (message, hint) = match (failure, words.split_once("; ")) {
            // A report is many lines, each with hints of its own.
            (Failure::Config(_), _) | (_, None) => (words.trim().to_owned(), None),
            (_, Some((message, hint))) => (message.to_owned(), Some(hint.to_owned())),
        };
        Self { code: failure.code(), message, hint }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found => Ok(()),
            Self::Failed(why)
            | Self::Usage(why)
            | Self::Config(why)
            | Self::Unreachable(why)
            | Self::Missing(why)
            | Self::Conflict(why) => f.write_str(why),
        }
    }
}
