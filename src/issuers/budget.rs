//! Budgets of fetches that requests cause before anything is known about their senders. Each peer has one of
//! its own, so that a stranger uses up no other's, and each host has one for all peers together. It does no I/O
//! and reads no clock: the time is an argument.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{between, later};

/// A number of fetches at once, and then one in each period.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    at_once: u32,
    each: Duration,
}

/// What one peer may cause. A sender needs one fetch for each certificate, of which it has few.
const OF_PEER: Allowance = Allowance { at_once: 4, each: Duration::from_secs(30) };
/// What all peers together may cause at one host. Some hundred peers that use up theirs do not use up this one,
/// so that a sender's new certificate can still be fetched.
const OF_HOST: Allowance = Allowance { at_once: 1024, each: Duration::from_millis(100) };
/// The most peers that are remembered. Those whose allowance is whole again are forgotten first.
const MOST_PEERS: usize = 4096;

/// What was used, by peer and by host.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    /// When the allowance of each will be whole again.
    peers: HashMap<Box<str>, Timestamp>,
    hosts: HashMap<Box<str>, Timestamp>,
}

impl Budgets {
    /// Counts a fetch from this host that a request of this peer causes. False where it may not cause one now;
    /// then nothing is counted.
    pub(super) fn take(&mut self, peer: &str, host: &str, now: Timestamp) -> bool {
        let peer = network(peer);
        if !self.peers.contains_key(&peer) && self.peers.len() >= MOST_PEERS {
            self.peers.retain(|_, whole_at| *whole_at > now);
            if self.peers.len() >= MOST_PEERS {
                return false;
            }
        }
        let of_peer = self.peers.entry(peer).or_insert(now);
        let of_host = self.hosts.entry(host.into()).or_insert(now);
        // Stored even where nothing is left, so that a clock that was set back counts from now on.
        *of_peer = OF_PEER.within(*of_peer, now);
        *of_host = OF_HOST.within(*of_host, now);
        let after = (OF_PEER.after_one(*of_peer, now), OF_HOST.after_one(*of_host, now));
        let (Some(after_peer), Some(after_host)) = after else { return false };
        (*of_peer, *of_host) = (after_peer, after_host);
        true
    }
}

impl Allowance {
    /// The time within what can be used now: the clock may have been set back.
    fn within(self, whole_at: Timestamp, now: Timestamp) -> Timestamp {
        whole_at.clamp(now, later(now, self.each * self.at_once))
    }

    /// When the allowance will be whole again after one more fetch; none where there is nothing left of it.
    fn after_one(self, whole_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let after = later(whole_at, self.each);
        (between(now, after) <= self.each * self.at_once).then_some(after)
    }
}

/// The network that counts as one peer: an address of IPv4, or the /64 of an address of IPv6, of which one
/// machine can have as many addresses as it likes.
fn network(peer: &str) -> Box<str> {
    match peer.parse() {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}").into()
        }
        _ => peer.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn a_peer_causes_a_few_fetches_and_then_one_each_half_minute() {
        let mut budgets = Budgets::default();
        let taken = (0..100).filter(|_| budgets.take("192.0.2.1", "h", at(0))).count();
        assert_eq!(taken, 4);
        assert!(!budgets.take("192.0.2.1", "h", at(29)));
        assert!(budgets.take("192.0.2.1", "h", at(30)));
        assert!(!budgets.take("192.0.2.1", "h", at(31)));
    }

    #[test]
    fn what_one_peer_uses_up_is_no_others_and_a_network_of_ipv6_is_one_peer() {
        let mut budgets = Budgets::default();
        for number in 0..100 {
            budgets.take(&format!("2001:db8::{number:x}"), "h", at(0));
        }
        assert!(!budgets.take("2001:db8::ffff:1", "h", at(0)));
        assert!(budgets.take("2001:db8:0:1::1", "h", at(0)));
        assert!(budgets.take("192.0.2.1", "h", at(0)));
    }

    #[test]
    fn two_hundred_peers_that_use_up_theirs_leave_a_host_to_the_others() {
        let mut budgets = Budgets::default();
        for number in 0..200 {
            let peer = format!("192.0.2.{number}");
            assert_eq!((0..10).filter(|_| budgets.take(&peer, "h", at(0))).count(), 4);
        }
        assert!(budgets.take("198.51.100.1", "h", at(0)));
    }

    #[test]
    fn a_host_is_asked_for_a_bounded_number_by_all_together() {
        let mut budgets = Budgets::default();
        let peers: Vec<String> =
            (0..2000).map(|number| format!("192.0.{}.{}", number / 250, number % 250)).collect();
        let taken = peers.iter().filter(|peer| budgets.take(peer, "h", at(0))).count();
        assert_eq!(taken, 1024);
        assert!(budgets.take("198.51.100.1", "another", at(0)));
        assert!(budgets.take("198.51.100.2", "h", at(1)), "one each tenth of a second");
    }

    #[test]
    fn peers_are_forgotten_once_their_allowance_is_whole() {
        let mut budgets = Budgets::default();
        for number in 0..20_000_u32 {
            let peer = IpAddr::from(number.to_be_bytes()).to_string();
            budgets.take(&peer, &format!("h{number}"), at(i64::from(number) / 100));
        }
        assert!(budgets.peers.len() <= MOST_PEERS);
        assert!(budgets.take("192.0.2.1", "h", at(10_000)));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
        let mut budgets = Budgets::default();
        (0..4).for_each(|_| assert!(budgets.take("192.0.2.1", "h", at(100_000))));
        assert!(!budgets.take("192.0.2.1", "h", at(0)));
        assert!(budgets.take("192.0.2.1", "h", at(30)));
    }
}
