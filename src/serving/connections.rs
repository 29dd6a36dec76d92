//! The connections that a listener has open: how many one client may have, and which one is closed for a
//! new one when there are no more.
//!
//! Who connects is not known before a request was proved, so a stranger may open as many connections as a
//! sender. What a stranger cannot have is a history: where there are no more connections, the one is closed whose
//! client never brought anything, and that was waited for the longest.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::activity::Activity;
use super::buckets::Buckets;
use super::peers::Peer;

/// A client whose connections were closed this often gets no other one closed for it,
const GIVES_WAY: u32 = 64;
/// and one more after each such period.
const GIVES_WAY_EACH: Duration = Duration::from_millis(250);
/// The addresses that are remembered for having brought something.
const GOOD: usize = 1024;
/// When connections are closed, this part of the most that may be open is closed at once, so that the search
/// is not done for each new one of a flood.
const BATCH: usize = 64;

/// The open connections of one listener.
pub(super) struct Connections {
    most: usize,
    most_of_one: usize,
    open: Mutex<Open>,
}

struct Open {
    /// Times are counted from here.
    began: Instant,
    next: u64,
    by_peer: HashMap<Peer, usize>,
    /// Clients of which a request was proved, and when its connection ended.
    good: HashMap<Peer, Instant>,
    /// How often connections of each client were closed for others.
    gave_way: Buckets,
    all: HashMap<u64, Arc<Activity>>,
}

/// A connection's place. Dropping it gives the place back.
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    pub(super) activity: Arc<Activity>,
}

/// What a new connection gets.
pub(super) enum Admission {
    /// A place. This many other connections were told to close for it.
    Place(Place, usize),
    /// Nothing: its client has as many as it may, or all connections are at work.
    None,
}

impl Connections {
    /// At most `most` connections, and `most_of_one` of one client.
    pub(super) fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        let open = Open {
            began: Instant::now(),
            next: 0,
            by_peer: HashMap::new(),
            good: HashMap::new(),
            gave_way: Buckets::new(GIVES_WAY, GIVES_WAY_EACH),
            all: HashMap::new(),
        };
        Arc::new(Self {
            most: most.max(1),
            most_of_one: most_of_one.max(1),
            open: Mutex::new(open),
        })
    }

    /// A place for a new connection. A trusted proxy brings many clients, so it may have any number.
    pub(super) fn admit(self: &Arc<Self>, peer: Peer, is_proxy: bool, now: Instant) -> Admission {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = open.by_peer.get(&peer).copied().unwrap_or(0);
        let is_good = !is_proxy && open.good.contains_key(&peer);
        let has_room = open.all.len() < self.most && (is_proxy || of_peer < self.most_of_one);
        let came_too_often =
            !open.gave_way.full_for(peer, now.duration_since(open.began)).is_zero();
        if !has_room && came_too_often && !is_good && !is_proxy {
            return Admission::None;
        }
        let closed = if !is_proxy && of_peer >= self.most_of_one {
            open.close_worst(batch(self.most_of_one), now, |other, _| other.peer() == peer)
        } else if open.all.len() >= self.most {
            open.close_worst(batch(self.most), now, |_, other_is_good| is_good || !other_is_good)
        } else {
            return Admission::Place(self.place(&mut open, peer, is_proxy, now), 0);
        };
        match closed {
            0 => Admission::None,
            closed => Admission::Place(self.place(&mut open, peer, is_proxy, now), closed),
        }
    }

    fn place(self: &Arc<Self>, open: &mut Open, peer: Peer, is_proxy: bool, now: Instant) -> Place {
        let number = open.next;
        open.next += 1;
        let activity = Activity::new(peer, is_proxy, now);
        *open.by_peer.entry(peer).or_default() += 1;
        open.all.insert(number, Arc::clone(&activity));
        Place { connections: Arc::clone(self), number, activity }
    }
}

fn batch(most: usize) -> usize {
    (most / BATCH).max(1)
}

impl Open {
    /// Tells the worst of these connections to close, at most `count` of them, and forgets them. Says how
    /// many. Those of clients that never proved anything go first, of these those that send no large body, and
    /// then those that were waited for the longest. A connection that works on a request is never closed.
    fn close_worst(
        &mut self,
        count: usize,
        now: Instant,
        may_be: impl Fn(&Activity, bool) -> bool,
    ) -> usize {
        let is_good = |activity: &Activity| {
            activity.is_useful() || !activity.is_proxy() && self.good.contains_key(&activity.peer())
        };
        let mut worst: Vec<_> = self
            .all
            .iter()
            .filter(|(_, activity)| !activity.is_working() && may_be(activity, is_good(activity)))
            .map(|(number, activity)| {
                let waited_for = Reverse(activity.waited_for(now));
                (is_good(activity), activity.is_uploading(), waited_for, *number)
            })
            .collect();
        if worst.len() > count {
            worst.select_nth_unstable(count - 1);
            worst.truncate(count);
        }
        for (.., number) in &worst {
            if let Some(activity) = self.forget(*number, now) {
                self.gave_way.add(activity.peer(), now.duration_since(self.began));
                activity.close();
            }
        }
        worst.len()
    }

    fn remember(&mut self, peer: Peer, now: Instant) {
        if !self.good.contains_key(&peer) && self.good.len() >= GOOD {
            let oldest = self.good.iter().min_by_key(|(_, at)| **at).map(|(peer, _)| *peer);
            oldest.and_then(|peer| self.good.remove(&peer));
        }
        self.good.insert(peer, now);
    }

    fn forget(&mut self, number: u64, now: Instant) -> Option<Arc<Activity>> {
        let activity = self.all.remove(&number)?;
        if activity.is_useful() && !activity.is_proxy() {
            self.remember(activity.peer(), now);
        }
        if let Some(count) = self.by_peer.get_mut(&activity.peer()) {
            *count -= 1;
            if *count == 0 {
                self.by_peer.remove(&activity.peer());
            }
        }
        Some(activity)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.forget(self.number, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> Peer {
        Peer::of([127, 0, 0, number].into())
    }

    fn admit(connections: &Arc<Connections>, number: u8, now: Instant) -> Option<Place> {
        match connections.admit(peer(number), false, now) {
            Admission::Place(place, _) => Some(place),
            Admission::None => None,
        }
    }

    fn places(
        connections: &Arc<Connections>,
        number: u8,
        count: usize,
        now: Instant,
    ) -> Vec<Place> {
        (0..count).map(|_| admit(connections, number, now).expect("a place")).collect()
    }

    fn told_to_close(places: &[Place]) -> usize {
        places.iter().filter(|place| place.activity.is_told_to_close()).count()
    }

    #[test]
    fn a_client_at_its_share_loses_the_connection_that_was_waited_for_the_longest() {
        let connections = Connections::new(8, 4);
        let now = Instant::now();
        let mut of_one = places(&connections, 1, 4, now);
        of_one[0].activity.answered(false, now + Duration::from_secs(5));
        let fifth = admit(&connections, 1, now + Duration::from_secs(9)).expect("a place");
        let told: Vec<bool> =
            of_one.iter().map(|place| place.activity.is_told_to_close()).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert!(!told[0], "it answered last");
        for place in of_one.drain(..) {
            place.activity.works();
            std::mem::forget(place);
        }
        fifth.activity.works();
        assert!(admit(&connections, 1, now).is_none(), "all of its connections are at work");
        assert!(admit(&connections, 2, now).is_some(), "another client is not concerned");
    }

    #[test]
    fn when_all_are_taken_the_one_that_was_waited_for_the_longest_gives_way() {
        let connections = Connections::new(4, 4);
        let now = Instant::now();
        let all: Vec<Place> = (1..=4)
            .map(|number| {
                let later = now + Duration::from_millis(number.into());
                admit(&connections, number, later).expect("a place")
            })
            .collect();
        all[0].activity.works();
        let fifth = admit(&connections, 9, now + Duration::from_secs(1)).expect("a place");
        let told: Vec<bool> = all.iter().map(|place| place.activity.is_told_to_close()).collect();
        assert_eq!(told, [false, true, false, false], "the first one is at work");
        drop((all, fifth));
        assert!(connections.open.lock().expect("whole").by_peer.is_empty());
    }

    #[test]
    fn a_client_that_brought_something_gives_way_to_no_stranger() {
        let connections = Connections::new(4, 4);
        let now = Instant::now();
        let good = admit(&connections, 1, now).expect("a place");
        good.activity.answered(true, now);
        drop(good);
        let later = now + Duration::from_secs(9);
        let known = places(&connections, 1, 2, now);
        let strangers = places(&connections, 2, 2, later);
        let third = admit(&connections, 3, later).expect("a place");
        let fourth = admit(&connections, 4, later).expect("a place");
        assert_eq!((told_to_close(&known), told_to_close(&strangers)), (0, 2));
        third.activity.works();
        fourth.activity.works();
        assert!(admit(&connections, 5, later).is_none(), "no stranger is left to give way");
        assert!(
            admit(&connections, 1, later).is_some(),
            "a known client replaces one of its own kind"
        );
        assert_eq!(told_to_close(&known), 1);
    }

    #[test]
    fn a_body_that_is_being_sent_gives_way_after_silent_connections() {
        let connections = Connections::new(3, 3);
        let now = Instant::now();
        let later = now + Duration::from_secs(6);
        let upload = admit(&connections, 1, now).expect("a place");
        upload.activity.received(100_000);
        let silent = places(&connections, 2, 2, now + Duration::from_secs(5));
        let at_work: Vec<Place> = (3..5)
            .map(|number| {
                let new = admit(&connections, number, later).expect("a place");
                new.activity.works();
                new
            })
            .collect();
        assert!(!upload.activity.is_told_to_close());
        assert_eq!(told_to_close(&silent), 2);
        assert!(admit(&connections, 6, later).is_some());
        assert!(upload.activity.is_told_to_close(), "it goes when nothing else is left");
        drop(at_work);
    }

    #[test]
    fn a_proxy_is_never_refused_for_what_its_clients_did() {
        let connections = Connections::new(4, 4);
        let now = Instant::now();
        let mut kept = Vec::new();
        for _ in 0..1000 {
            match connections.admit(peer(1), true, now) {
                Admission::Place(place, _) => kept.push(place),
                Admission::None => panic!("it was refused"),
            }
        }
        let useful = kept.split_off(kept.len() - 1);
        useful[0].activity.answered(true, now);
        for _ in 0..100 {
            match connections.admit(peer(1), true, now) {
                Admission::Place(place, _) => kept.push(place),
                Admission::None => panic!("it was refused"),
            }
        }
        assert_eq!(told_to_close(&useful), 0, "a connection that brought something is kept");
    }

    #[test]
    fn a_proxy_has_no_share() {
        let connections = Connections::new(8, 2);
        let now = Instant::now();
        let of_proxy: Vec<_> = (0..8)
            .map(|_| match connections.admit(peer(1), true, now) {
                Admission::Place(place, 0) => place,
                _ => panic!("no place"),
            })
            .collect();
        assert_eq!(told_to_close(&of_proxy), 0);
    }
}
