//! What of the gateway a process does.

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Receives, dispatches and shows.
    #[default]
    All,
    /// Only receives: it resolves no API key, connects to no workbench, and acts for nobody.
    Ingest,
    /// Only dispatches and shows: it listens on no public address.
    Dispatch,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 3] = [Self::All, Self::Ingest, Self::Dispatch];

    /// Its word.
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
