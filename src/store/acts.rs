//! What people do, and what they can pause: plain data, shared by both stores.

use std::fmt;

use jiff::Timestamp;

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// The name of the token that was used.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// The address of the request; `None` for what the gateway does by itself.
    pub origin: Option<String>,
    /// The reason that was given.
    pub note: Option<String>,
}

/// Something that can be paused until somebody resumes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pausable {
    /// Every start.
    All,
    /// The starts of one job.
    Job(String),
    /// The runs of one route.
    Route(String),
    /// The starts with one API key, as `workbench/key`.
    Key(String),
}

impl Pausable {
    /// The word used in SQL, logs and on screens.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Job(_) => "job",
            Self::Route(_) => "route",
            Self::Key(_) => "key",
        }
    }

    /// Its name; empty for [`Pausable::All`].
    pub fn name(&self) -> &str {
        match self {
            Self::All => "",
            Self::Job(name) | Self::Route(name) | Self::Key(name) => name,
        }
    }
}

impl fmt::Display for Pausable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("every start"),
            Self::Job(name) => write!(f, "job {name}"),
            Self::Route(name) => write!(f, "route {name}"),
            Self::Key(name) => write!(f, "API key {name}"),
        }
    }
}
