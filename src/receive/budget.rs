//! The budget of requests and bytes in flight, and what each client holds of it.
//!
//! Bytes are charged as they arrive: a length that is only announced costs nothing. One client can hold its
//! share and no more. Where the budget is used up all the same, since there are many clients, the client that
//! holds the most gives way to one that would hold less: the body that it is still sending is stopped. So a
//! small delivery finds room however many large bodies strangers send.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::serving::Peer;

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
}

/// The number of a body that can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(u64);

impl Budget {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, blocks: 0, clients: HashMap::new(), next: 0 }
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

    /// A body has to be waited for. It may be stopped from now on.
    pub(super) fn wait(&mut self, peer: Peer, blocks: u64, stop: Arc<Notify>) -> Number {
        let number = self.next;
        self.next += 1;
        self.clients.entry(peer).or_default().waiting.insert(number, Waiting { blocks, stop });
        Number(number)
    }

    /// A body has arrived whole. It cannot be stopped from now on. False where it was stopped before.
    pub(super) fn arrived(&mut self, peer: Peer, Number(number): Number) -> bool {
        let client = self.clients.get_mut(&peer);
        client.is_some_and(|client| client.waiting.remove(&number).is_some())
    }

    /// More of a body has arrived. Where the budget is used up, bodies of clients that hold more are stopped.
    /// They count as given back at once, and are freed a moment later.
    ///
    /// # Errors
    /// [`NoRoom`]; nothing was taken.
    pub(super) fn take(
        &mut self,
        peer: Peer,
        more: u64,
        number: Option<Number>,
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
            self.stop_one(peer, held).ok_or(NoRoom::Full)?;
        }
        self.blocks += more;
        let client = self.clients.entry(peer).or_default();
        client.blocks += more;
        if let Some(Number(number)) = number
            && let Some(waiting) = client.waiting.get_mut(&number)
        {
            waiting.blocks += more;
        }
        Ok(())
    }

    /// Stops the largest body of the client that holds the most, if that is more than `held`.
    fn stop_one(&mut self, asking: Peer, held: u64) -> Option<()> {
        let others = self.clients.iter_mut().filter(|(peer, _)| **peer != asking);
        let (number, client) = others
            .filter(|(_, client)| client.blocks > held)
            .filter_map(|(_, client)| Some((client.largest()?, client)))
            .max_by_key(|(_, client)| client.blocks)?;
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
        budget.begin(peer(from))?;
        let number = Some(budget.wait(peer(from), 0, Arc::default()));
        let taken = budget.take(peer(from), blocks, number);
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
    fn a_body_that_has_arrived_is_never_stopped() {
        let mut budget = Budget::new(BOUNDS);
        for from in 1..=2 {
            budget.begin(peer(from)).expect("room");
            budget.take(peer(from), 32, None).expect("room");
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
