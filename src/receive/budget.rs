//! The budget of requests and bytes in flight, and what each client holds of it.
//!
//! Bytes are charged as they arrive: a length that is only announced costs nothing. One client can hold its
//! share and no more. Where the budget is used up all the same, since there are many clients, bodies that are
//! still being sent are stopped:
//!
//! 1. those of strangers, where the client that needs the room has had a delivery accepted before;
//! 2. those that have stalled;
//! 3. those of the client that holds the most, where the one that needs the room would hold less. A client
//!    that has had a delivery accepted gives way to no stranger here.
//!
//! So a small delivery finds room however many large bodies strangers send, and a large one finds room beside
//! bodies that do not go on; one from a known client finds it beside all that strangers send.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::serving::Peer;

/// A body that brings less than one block in this time on average, 64 KiB a second, stalls after [`CREDIT`].
const BLOCK_TIME: Duration = Duration::from_micros(62_500);
/// How long a body may bring nothing before it counts as stalled.
const CREDIT: Duration = Duration::from_secs(2);
/// How many clients are remembered that have had a delivery accepted. The one whose last is oldest is forgotten
/// first.
const MOST_KNOWN: usize = 1024;
/// A stalled body of up to this many blocks gives way only to a client that would hold less.
const SMALL: u64 = 16;

/// What there is, and what one client may hold of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Blocks of bytes.
    pub(super) blocks: u64,
    /// Blocks that one client may hold.
    pub(super) blocks_of_one: u64,
    /// Requests that one client may have in progress.
    pub(super) requests_of_one: u64,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The client holds as much as one client may.
    Share,
    /// The budget is used up by clients that hold no more than this one.
    Full,
}

/// Who holds what.
#[derive(Debug)]
pub(super) struct Budget {
    bounds: Bounds,
    blocks: u64,
    clients: HashMap<Peer, Client>,
    /// Clients that have had a delivery accepted, and when the last one was.
    known: HashMap<Peer, Instant>,
    next: u64,
}

#[derive(Debug, Default)]
struct Client {
    requests: u64,
    blocks: u64,
    /// Bodies that have to be waited for, by number. They can be stopped.
    waiting: HashMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    blocks: u64,
    stop: Arc<Notify>,
    /// When it counts as stalled, unless more of it arrives.
    stalls_at: Instant,
}

/// The number of a body that can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(u64);

impl Budget {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, blocks: 0, clients: HashMap::new(), known: HashMap::new(), next: 0 }
    }

    /// A client begins a request.
    ///
    /// # Errors
    /// [`NoRoom::Share`] where it has as many in progress as it may.
    pub(super) fn begin(&mut self, peer: Peer) -> Result<(), NoRoom> {
        let client = self.clients.entry(peer).or_default();
        if client.requests >= self.bounds.requests_of_one {
            return Err(NoRoom::Share);
        }
        client.requests += 1;
        Ok(())
    }

    /// A request gives back its blocks, unless its body was stopped, which gave them back.
    pub(super) fn give_back(&mut self, peer: Peer, blocks: u64, number: Option<Number>) {
        let Some(client) = self.clients.get_mut(&peer) else { return };
        let was_stopped =
            number.is_some_and(|Number(number)| client.waiting.remove(&number).is_none());
        if !was_stopped {
            self.blocks -= blocks;
            client.blocks -= blocks;
        }
    }

    /// A request ends, and gives back its blocks.
    pub(super) fn end(&mut self, peer: Peer, blocks: u64, number: Option<Number>) {
        self.give_back(peer, blocks, number);
        let Some(client) = self.clients.get_mut(&peer) else { return };
        client.requests -= 1;
        if client.requests == 0 {
            self.clients.remove(&peer);
        }
    }

    /// A delivery of this client was accepted.
    pub(super) fn know(&mut self, peer: Peer, now: Instant) {
        if !self.known.contains_key(&peer) && self.known.len() >= MOST_KNOWN {
            let oldest = self.known.iter().min_by_key(|(_, at)| **at).map(|(peer, _)| *peer);
            oldest.and_then(|peer| self.known.remove(&peer));
        }
        self.known.insert(peer, now);
    }

    /// Whether this client has had a delivery accepted.
    pub(super) fn knows(&self, peer: Peer) -> bool {
        self.known.contains_key(&peer)
    }

    /// A body has to be waited for. It may be stopped from now on.
    pub(super) fn wait(
        &mut self,
        peer: Peer,
        blocks: u64,
        stop: Arc<Notify>,
        now: Instant,
    ) -> Number {
        let number = self.next;
        self.next += 1;
        let waiting = Waiting { blocks, stop, stalls_at: now + CREDIT };
        self.clients.entry(peer).or_default().waiting.insert(number, waiting);
        Number(number)
    }

    /// A body has arrived whole. It cannot be stopped from now on. False where it was stopped before.
    pub(super) fn arrived(&mut self, peer: Peer, Number(number): Number) -> bool {
        let client = self.clients.get_mut(&peer);
        client.is_some_and(|client| client.waiting.remove(&number).is_some())
    }

    /// More of a body has arrived. Where the budget is used up, bodies are stopped: stalled ones, then those of
    /// clients that hold more. They count as given back at once, and are freed a moment later.
    ///
    /// # Errors
    /// [`NoRoom`]; nothing was taken.
    pub(super) fn take(
        &mut self,
        peer: Peer,
        more: u64,
        number: Option<Number>,
        now: Instant,
    ) -> Result<(), NoRoom> {
        let client = self.clients.entry(peer).or_default();
        if number.is_some_and(|Number(number)| !client.waiting.contains_key(&number)) {
            return Err(NoRoom::Full); // it was stopped
        }
        let held = client.blocks + more;
        if held > self.bounds.blocks_of_one {
            return Err(NoRoom::Share);
        }
        while self.blocks + more > self.bounds.blocks {
            self.stop_one(peer, held, now).ok_or(NoRoom::Full)?;
        }
        self.blocks += more;
        let client = self.clients.entry(peer).or_default();
        client.blocks += more;
        if let Some(Number(number)) = number
            && let Some(waiting) = client.waiting.get_mut(&number)
        {
            waiting.brought(more, now);
        }
        Ok(())
    }

    /// Stops a body of another client, by the order at the top of this file.
    fn stop_one(&mut self, asking: Peer, held: u64, now: Instant) -> Option<()> {
        let is_known = |peer: &Peer| self.known.contains_key(peer);
        let others = || self.clients.iter().filter(|(peer, _)| **peer != asking);
        let strangers = || others().filter(|(peer, _)| !is_known(peer));
        let largest = |(peer, client): (&Peer, &Client)| Some((client.largest()?, *peer));
        let stalled = || {
            let bodies = others().filter_map(|(peer, client)| Some((client.stalled(now)?, *peer)));
            bodies.max_by_key(|((_, blocks), _)| *blocks).map(|((number, _), peer)| (number, peer))
        };
        let of_most = |clients: &mut dyn Iterator<Item = (&Peer, &Client)>| {
            let bodies = clients
                .filter_map(|(peer, client)| Some((largest((peer, client))?, client.blocks)));
            bodies.max_by_key(|(_, blocks)| *blocks).map(|(body, _)| body)
        };
        let (number, peer) = if is_known(&asking) {
            of_most(&mut strangers())
                .or_else(stalled)
                .or_else(|| of_most(&mut others().filter(|(_, client)| client.blocks > held)))
        } else {
            stalled()
                .or_else(|| of_most(&mut strangers().filter(|(_, client)| client.blocks > held)))
        }?;
        let client = self.clients.get_mut(&peer)?;
        let stopped = client.waiting.remove(&number)?;
        client.blocks -= stopped.blocks;
        self.blocks -= stopped.blocks;
        stopped.stop.notify_one();
        Some(())
    }
}

impl Client {
    /// The largest body that can be stopped.
    fn largest(&self) -> Option<u64> {
        let held = self.waiting.iter().filter(|(_, waiting)| waiting.blocks > 0);
        held.max_by_key(|(_, waiting)| waiting.blocks).map(|(number, _)| *number)
    }

    /// The largest body that is not small and has stalled, with its blocks.
    fn stalled(&self, now: Instant) -> Option<(u64, u64)> {
        let stalled = self.waiting.iter().filter(|(_, waiting)| waiting.has_stalled(now));
        stalled.map(|(number, waiting)| (*number, waiting.blocks)).max_by_key(|(_, blocks)| *blocks)
    }
}

impl Waiting {
    fn brought(&mut self, more: u64, now: Instant) {
        self.blocks += more;
        let blocks = u32::try_from(more).unwrap_or(u32::MAX);
        let earned = BLOCK_TIME.saturating_mul(blocks).min(CREDIT);
        self.stalls_at = (self.stalls_at.max(now) + earned).min(now + CREDIT);
    }

    fn has_stalled(&self, now: Instant) -> bool {
        self.blocks > SMALL && self.stalls_at <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { blocks: 64, blocks_of_one: 32, requests_of_one: 8 };

    fn peer(number: u8) -> Peer {
        Peer::of([127, 0, 0, number].into())
    }

    /// A request in progress, as the receiver keeps it.
    struct Request {
        peer: u8,
        blocks: u64,
        number: Option<Number>,
    }

    /// Begins a request of this many blocks, whose body has to be waited for.
    fn request(budget: &mut Budget, from: u8, blocks: u64) -> Result<Request, NoRoom> {
        request_at(budget, from, blocks, Instant::now())
    }

    fn request_at(
        budget: &mut Budget,
        from: u8,
        blocks: u64,
        now: Instant,
    ) -> Result<Request, NoRoom> {
        budget.begin(peer(from))?;
        let number = Some(budget.wait(peer(from), 0, Arc::default(), now));
        let taken = budget.take(peer(from), blocks, number, now);
        let blocks = if taken.is_ok() { blocks } else { 0 };
        taken.map(|()| Request { peer: from, blocks, number }).inspect_err(|_| {
            budget.end(peer(from), blocks, number);
        })
    }

    fn end(budget: &mut Budget, request: &Request) {
        budget.end(peer(request.peer), request.blocks, request.number);
    }

    #[test]
    fn one_client_can_hold_its_share_of_bytes_and_requests() {
        let mut budget = Budget::new(BOUNDS);
        let first = request(&mut budget, 1, 30).expect("room");
        assert_eq!(request(&mut budget, 1, 3).err(), Some(NoRoom::Share));
        assert!(request(&mut budget, 2, 32).is_ok(), "another client has a share of its own");
        end(&mut budget, &first);
        for _ in 0..8 {
            budget.begin(peer(1)).expect("room");
        }
        assert_eq!(budget.begin(peer(1)), Err(NoRoom::Share));
    }

    #[test]
    fn a_small_delivery_finds_room_however_many_clients_hold_the_budget() {
        let mut budget = Budget::new(BOUNDS);
        let held: Vec<Request> =
            (1..=16).map(|from| request(&mut budget, from, 4).expect("room")).collect();
        assert_eq!(budget.blocks, 64);
        let small = request(&mut budget, 99, 2).expect("room");
        assert_eq!(budget.blocks, 62, "one of the others was stopped");
        assert_eq!(request(&mut budget, 98, 5).err(), Some(NoRoom::Full), "it would hold more");
        for one in held.iter().chain([&small]) {
            end(&mut budget, one);
        }
        assert_eq!(budget.blocks, 0);
        assert!(budget.clients.is_empty());
    }

    #[test]
    fn a_large_body_that_arrives_quickly_finds_room_beside_stalled_ones() {
        let (mut budget, begin) = (Budget::new(BOUNDS), Instant::now());
        let held: Vec<Request> = [17, 17, 17, 13]
            .into_iter()
            .zip(1..)
            .map(|(blocks, from)| request_at(&mut budget, from, blocks, begin).expect("room"))
            .collect();
        let soon = begin + CREDIT / 2;
        assert_eq!(request_at(&mut budget, 99, 30, soon).err(), Some(NoRoom::Full));
        budget.end(peer(4), held[3].blocks, held[3].number);
        budget.take(peer(1), 8, held[0].number, soon).expect("room");
        let late = begin + CREDIT + Duration::from_millis(1);
        request_at(&mut budget, 99, 30, late).expect("room");
        let arrived = |budget: &mut Budget, request: &Request| {
            budget.arrived(peer(request.peer), request.number.expect("numbered"))
        };
        assert!(arrived(&mut budget, &held[0]), "it went on");
        assert!(!arrived(&mut budget, &held[1]) && !arrived(&mut budget, &held[2]), "they stalled");
    }

    #[test]
    fn a_known_client_finds_room_beside_all_that_strangers_send() {
        let mut budget = Budget::new(BOUNDS);
        budget.know(peer(99), Instant::now());
        for from in 1..=64 {
            request(&mut budget, from, 1).expect("room");
        }
        request(&mut budget, 99, 32).expect("room");
        assert_eq!(budget.blocks, 64);
        assert_eq!(
            request(&mut budget, 100, 1).err(),
            Some(NoRoom::Full),
            "a stranger holds as much"
        );
        budget.know(peer(98), Instant::now());
        request(&mut budget, 98, 32).expect("room");
        assert_eq!(
            request(&mut budget, 100, 1).err(),
            Some(NoRoom::Full),
            "it takes from none known"
        );
        request(&mut budget, 97, 0).expect("it holds nothing");
    }

    #[test]
    fn few_clients_are_remembered() {
        let (mut budget, begin) = (Budget::new(BOUNDS), Instant::now());
        for number in 0..2 * MOST_KNOWN {
            let [a, b, ..] = number.to_le_bytes();
            let at = begin + Duration::from_secs(number as u64);
            budget.know(Peer::of([10, 0, b, a].into()), at);
        }
        assert_eq!(budget.known.len(), MOST_KNOWN);
        assert!(budget.known.contains_key(&Peer::of([10, 0, 7, 255].into())), "the last one");
    }

    #[test]
    fn a_small_body_that_stalls_gives_way_to_nobody_who_would_hold_more() {
        let (mut budget, begin) = (Budget::new(BOUNDS), Instant::now());
        for from in 1..=4 {
            request_at(&mut budget, from, SMALL, begin).expect("room");
        }
        let late = begin + CREDIT * 10;
        assert_eq!(request_at(&mut budget, 99, 20, late).err(), Some(NoRoom::Full));
    }

    #[test]
    fn a_body_that_has_arrived_is_never_stopped() {
        let mut budget = Budget::new(BOUNDS);
        for from in 1..=2 {
            budget.begin(peer(from)).expect("room");
            budget.take(peer(from), 32, None, Instant::now()).expect("room");
        }
        assert_eq!(request(&mut budget, 3, 1).err(), Some(NoRoom::Full));
    }

    proptest! {
        /// Whatever clients do, the budget holds, and nobody is refused for someone who holds more and could
        /// be stopped.
        #[test]
        fn the_budget_is_never_exceeded_and_always_given_back(
            steps in prop::collection::vec((1_u8..6, 0_u64..40, any::<bool>(), any::<prop::sample::Index>()), 1..200)
        ) {
            let mut budget = Budget::new(BOUNDS);
            let mut open: Vec<Request> = Vec::new();
            for (from, blocks, begins, which) in steps {
                if begins || open.is_empty() {
                    match request(&mut budget, from, blocks) {
                        Ok(request) => open.push(request),
                        Err(NoRoom::Share) => {
                            let of = budget.clients.get(&peer(from));
                            let (held, requests) = of.map_or((0, 0), |of| (of.blocks, of.requests));
                            prop_assert!(held + blocks > 32 || requests == 8);
                        }
                        Err(NoRoom::Full) => {
                            let held = budget.clients.get(&peer(from)).map_or(0, |of| of.blocks) + blocks;
                            for (other, client) in &budget.clients {
                                let gives = *other != peer(from) && client.blocks > held;
                                prop_assert!(!gives || client.largest().is_none());
                                prop_assert!(client.stalled(Instant::now()).is_none() || *other == peer(from));
                            }
                        }
                    }
                } else {
                    let request = open.swap_remove(which.index(open.len()));
                    end(&mut budget, &request);
                }
                prop_assert!(budget.blocks <= 64);
                prop_assert_eq!(budget.blocks, budget.clients.values().map(|of| of.blocks).sum::<u64>());
                prop_assert!(budget.clients.values().all(|of| of.blocks <= 32 && of.requests <= 8));
            }
            for request in &open {
                end(&mut budget, request);
            }
            prop_assert_eq!(budget.blocks, 0);
            prop_assert!(budget.clients.is_empty());
        }
    }
}
