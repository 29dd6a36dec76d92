//! How a command fails: a message, and an exit status that scripts can test.

use std::fmt;

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
