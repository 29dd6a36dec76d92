//! Slows down clients whose requests are refused again and again.
//!
//! A refusal costs the gateway about as much as it costs the client. So whoever sends wrong requests as fast as
//! they are refused would take the processors from everybody else. From some number on, each refusal is sent
//! a second late. What is accepted is never late, whoever sends it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use tokio::time::Instant;

use super::After;
use super::buckets::Buckets;
use super::peers::Peer;

/// Refusals that a client gets at once.
const BURST: u32 = 50;
/// After this time, one more is not late.
const EACH: Duration = Duration::from_millis(500);
/// How late the others are sent.
const LATE: Duration = Duration::from_secs(1);

/// The refusals of each client.
pub struct Slowing {
    began: Instant,
    refused: Mutex<Buckets>,
}

impl Default for Slowing {
    fn default() -> Self {
        Self { began: Instant::now(), refused: Mutex::new(Buckets::new(BURST, EACH)) }
    }
}

impl Slowing {
    /// The same answer, marked to be sent late where it is one of too many refusals.
    pub fn slowed(&self, peer: Peer, answer: Response) -> Response {
        self.slowed_at(peer, answer, self.began.elapsed())
    }

    fn slowed_at(&self, peer: Peer, mut answer: Response, now: Duration) -> Response {
        if answer.status().is_client_error() && self.is_one_of_too_many(peer, now) {
            answer.extensions_mut().insert(After(LATE));
        }
        answer
    }

    fn is_one_of_too_many(&self, peer: Peer, now: Duration) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = !refused.full_for(peer, now).is_zero();
        refused.add(peer, now);
        is_full
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::StatusCode;

    use super::*;

    const NOW: Duration = Duration::from_secs(9);

    fn late_at(slowing: &Slowing, peer: Peer, status: StatusCode, now: Duration) -> bool {
        let answer = slowing.slowed_at(peer, status.into_response(), now);
        answer.extensions().get::<After>().is_some()
    }

    fn late(slowing: &Slowing, peer: Peer, status: StatusCode) -> bool {
        late_at(slowing, peer, status, NOW)
    }

    #[test]
    fn of_many_refusals_all_but_the_first_are_late_and_nothing_else_is() {
        let slowing = Slowing::default();
        let (one, other) = (Peer::of([127, 0, 0, 1].into()), Peer::of([127, 0, 0, 2].into()));
        let number = (0..100).filter(|_| late(&slowing, one, StatusCode::UNAUTHORIZED)).count();
        assert_eq!(number, 50);
        assert!(!late(&slowing, one, StatusCode::ACCEPTED));
        assert!(!late(&slowing, one, StatusCode::SERVICE_UNAVAILABLE));
        assert!(!late(&slowing, other, StatusCode::UNAUTHORIZED));
        assert!(!late_at(&slowing, one, StatusCode::NOT_FOUND, NOW + EACH));
        assert!(late_at(&slowing, one, StatusCode::NOT_FOUND, NOW + EACH));
    }
}
