//! Slows down whoever guesses admin tokens, by address, and logs it now and then.
//!
//! Each wrong token fills a bucket of its address, which leaks. Where the bucket is full, a wrong token is
//! answered that it is one of too many, and soon a second late, as every refusal is
//! ([`crate::serving::Slowing`]). The right token always gets through: otherwise whoever shares an address with
//! an admin could lock the admin out.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::between;
use crate::serving::{Buckets, Peer};

/// Wrong tokens that an address may send at once.
const BURST: u32 = 10;
/// After this time, an address may send one more.
const EACH: Duration = Duration::from_secs(2);
/// Time between two log lines on one address.
const BETWEEN_LINES: Duration = Duration::from_secs(60);
/// Addresses of which it is known when a line was written on them last.
const LINES: usize = 256;

/// What the addresses have tried.
#[derive(Debug)]
pub(super) struct Guesses {
    buckets: Buckets,
    lines: HashMap<Peer, Line>,
}

/// What was logged on one address.
#[derive(Clone, Copy, Debug)]
struct Line {
    at: Timestamp,
    since: u64,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { buckets: Buckets::new(BURST, EACH), lines: HashMap::new() }
    }
}

impl Guesses {
    /// The address sent a wrong token. Returns how long it should wait, zero where it need not; and how many to
    /// log now, none where no line is due.
    pub(super) fn wrong(&mut self, peer: Peer, now: Timestamp) -> (Duration, Option<u64>) {
        let wait = self.buckets.full_for(peer, since_1970(now));
        self.buckets.add(peer, since_1970(now));
        (wait, self.due_to_log(peer, now))
    }

    fn due_to_log(&mut self, peer: Peer, now: Timestamp) -> Option<u64> {
        self.lines.retain(|_, line| between(line.at, now) < 2 * BETWEEN_LINES);
        let has_room = self.lines.len() < LINES;
        match self.lines.get_mut(&peer) {
            Some(line) if between(line.at, now) < BETWEEN_LINES => {
                line.since += 1;
                None
            }
            Some(line) => {
                let since = line.since + 1;
                *line = Line { at: now, since: 0 };
                Some(since)
            }
            None if !has_room => None,
            None => {
                self.lines.insert(peer, Line { at: now, since: 0 });
                Some(1)
            }
        }
    }
}

fn since_1970(now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(now.as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn peer(number: u8) -> Peer {
        Peer::of([127, 0, 0, number].into())
    }

    #[test]
    fn an_address_has_ten_guesses_and_then_one_each_two_seconds() {
        let mut guesses = Guesses::default();
        for _ in 0..BURST {
            assert_eq!(guesses.wrong(peer(1), NOW).0, Duration::ZERO);
        }
        assert_eq!(guesses.wrong(peer(1), NOW).0, EACH);
        assert_eq!(guesses.wrong(peer(2), NOW).0, Duration::ZERO, "another is not concerned");
        assert_eq!(guesses.wrong(peer(1), NOW + EACH).0, Duration::ZERO);
    }

    #[test]
    fn a_flood_of_guesses_makes_one_log_line_a_minute() {
        let mut guesses = Guesses::default();
        assert_eq!(guesses.wrong(peer(1), NOW).1, Some(1));
        for _ in 0..3000 {
            assert_eq!(guesses.wrong(peer(1), NOW).1, None);
        }
        assert_eq!(guesses.wrong(peer(1), NOW + BETWEEN_LINES).1, Some(3001));
        assert_eq!(guesses.wrong(peer(2), NOW + BETWEEN_LINES).1, Some(1));
    }
}
