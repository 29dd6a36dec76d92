//! Counts how connections ended, and logs it now and then: whoever attacks a listener does not fill the log.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::observe::{ConnectionEnd, Observation, Observer, OpenConnection};

/// Time between two log lines on the same end of connections.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// What happened to the connections of one listener.
pub(super) struct Tally {
    listener: &'static str,
    observer: Arc<Observer>,
    ends: [Mutex<Since>; ConnectionEnd::ALL.len()],
}

/// What was not logged yet.
#[derive(Default)]
struct Since {
    logged: Option<Instant>,
    count: u64,
}

impl Tally {
    pub(super) fn new(listener: &'static str, observer: Arc<Observer>) -> Self {
        Self { listener, observer, ends: Default::default() }
    }

    /// Counts a connection as open until the guard is dropped.
    pub(super) fn connection_open(&self) -> OpenConnection {
        self.observer.connection_open(self.listener)
    }

    /// This many connections ended in this way.
    pub(super) fn ended(&self, end: ConnectionEnd, count: usize) {
        self.tell(end, count as u64, None);
    }

    /// A connection could not be accepted.
    pub(super) fn not_accepted(&self, error: &io::Error) {
        self.tell(ConnectionEnd::NotAccepted, 1, Some(error));
    }

    fn tell(&self, end: ConnectionEnd, count: u64, error: Option<&io::Error>) {
        if count == 0 {
            return;
        }
        let now = Instant::now();
        let to_log = {
            let mut since = self.ends[end as usize].lock().unwrap_or_else(PoisonError::into_inner);
            since.count += count;
            match since.logged {
                Some(logged) if now.duration_since(logged) < BETWEEN_LINES => None,
                _ => {
                    since.logged = Some(now);
                    Some(std::mem::take(&mut since.count))
                }
            }
        };
        let listener = self.listener;
        self.observer.tell(Observation::ConnectionsEnded { listener, end, count, to_log, error });
    }
}
