//! A leaky bucket for each client: how much it may do at once, and how much over time. Pure.

use std::collections::HashMap;
use std::time::Duration;

use super::peers::Peer;

/// The clients that are remembered. Of more, the one whose bucket is emptiest is forgotten.
const CLIENTS: usize = 4096;

/// The buckets of all clients. Times are counted from any fixed moment.
#[derive(Debug)]
pub struct Buckets {
    burst: u32,
    each: Duration,
    /// When each client's bucket is empty again.
    empty_at: HashMap<Peer, Duration>,
}

impl Buckets {
    /// A client may do `burst` things at once, and then one more after each period.
    pub fn new(burst: u32, each: Duration) -> Self {
        Self { burst, each, empty_at: HashMap::new() }
    }

    /// How long the client's bucket stays full; zero where it is not.
    pub fn full_for(&self, peer: Peer, now: Duration) -> Duration {
        let filled = self.empty_at.get(&peer).map_or(Duration::ZERO, |at| at.saturating_sub(now));
        (filled + self.each).saturating_sub(self.each * self.burst)
    }

    /// The client did one thing. A bucket that is full stays full for no longer than it is.
    pub fn add(&mut self, peer: Peer, now: Duration) {
        if !self.empty_at.contains_key(&peer) && self.empty_at.len() >= CLIENTS {
            let emptiest = self.empty_at.iter().min_by_key(|(_, at)| **at).map(|(peer, _)| *peer);
            emptiest.and_then(|peer| self.empty_at.remove(&peer));
        }
        let most = now + self.each * self.burst;
        let at = self.empty_at.entry(peer).or_insert(now);
        *at = ((*at).max(now) + self.each).min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Duration = Duration::from_secs(2);

    fn peer(number: u32) -> Peer {
        Peer::of(std::net::Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn a_client_has_a_burst_and_then_one_each_period() {
        let mut buckets = Buckets::new(10, EACH);
        let now = Duration::from_secs(100);
        for _ in 0..10 {
            assert_eq!(buckets.full_for(peer(1), now), Duration::ZERO);
            buckets.add(peer(1), now);
        }
        assert_eq!(buckets.full_for(peer(1), now), EACH);
        assert_eq!(
            buckets.full_for(peer(2), now),
            Duration::ZERO,
            "another client is not concerned"
        );
        for _ in 0..1000 {
            buckets.add(peer(1), now);
        }
        assert_eq!(buckets.full_for(peer(1), now), EACH, "it is full, and no more");
        assert_eq!(buckets.full_for(peer(1), now + EACH), Duration::ZERO);
        buckets.add(peer(1), now + EACH);
        assert_eq!(buckets.full_for(peer(1), now + EACH), EACH);
    }

    #[test]
    fn a_bounded_number_of_clients_is_remembered() {
        let mut buckets = Buckets::new(10, EACH);
        for number in 0..5000 {
            buckets.add(peer(number), Duration::from_millis(number.into()));
        }
        assert_eq!(buckets.empty_at.len(), CLIENTS);
        assert!(!buckets.empty_at.contains_key(&peer(0)));
    }
}
