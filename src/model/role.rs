//! The role of a process, where one gateway runs as several.

/// The part of the gateway that a process runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Receives webhooks, starts jobs and serves the admin API.
    #[default]
    All,
    /// Only receives: it resolves no API key, connects to no workbench, and takes no action for a person.
    Ingest,
    /// Starts jobs and serves the admin API: it does not listen for webhooks.
    Dispatch,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 3] = [Self::All, Self::Ingest, Self::Dispatch];

    /// Its name, as logs and the list of processes show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Ingest => "ingest",
            Self::Dispatch => "dispatch",
        }
    }

    /// Whether it receives webhooks.
    pub fn receives(self) -> bool {
        self != Self::Dispatch
    }

    /// Whether it starts jobs.
    pub fn dispatches(self) -> bool {
        self != Self::Ingest
    }
}
