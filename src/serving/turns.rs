//! In which order the requests of strangers are worked on, once strangers have used up what they may take together.
//! Pure: time is an argument, counted from any fixed moment.
//!
//! Each request of a stranger costs a fixed price when it is taken, and the bytes of a body that came to nothing cost
//! theirs when it ends. What is owed is paid off at a fixed rate, whoever owes it. As long as less than
//! [`Turns::credit`] is owed, a stranger is taken at once. Beyond it, each waits for its turn, and the one whose client
//! has cost the least comes first (weighted fair queuing, with each client as one flow). So a client that has not sent
//! anything yet waits for no client that has, and one that sends a thousand requests at once waits behind all others.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::peers::Peer;

/// Processor time of a small request that is refused: its head parsed, its signature checked, its answer written.
const REQUEST: Duration = Duration::from_micros(100);
/// Processor time of each KiB of a body: received, copied, and its signature checked.
const KIB: Duration = Duration::from_micros(2);
/// Time in which what is owed at most while everybody is taken at once has been paid off.
const CREDIT: Duration = Duration::from_secs(1);
/// Time in which the most that can be owed has been paid off to where the next one is taken. What many large bodies
/// that end at one moment cost beyond it is given away: otherwise a newcomer waited until that is paid.
const DEBT: Duration = Duration::from_secs(1);
/// The clients that are remembered. Of more, those that have cost the least are forgotten.
const CLIENTS: usize = 4096;

/// What strangers owe, and who waits. `T` is what wakes a waiting one.
#[derive(Debug)]
pub(super) struct Turns<T> {
    /// How many nanoseconds are paid off in each microsecond.
    rate: u64,
    /// In nanoseconds of processor time.
    owed: u64,
    /// When `owed` was right.
    at: Duration,
    /// Up to where each client has cost something, on the axis of `reached`, in nanoseconds.
    cost: HashMap<Peer, u64>,
    /// How far those have come that were taken from the queue: the virtual time of fair queuing.
    reached: u64,
    next: u64,
    waiting: BTreeMap<Ticket, T>,
}

/// The place of a waiting request in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    from: u64,
    number: u64,
}

impl<T> Turns<T> {
    /// Strangers may take `percent` of the time of so many processors.
    pub(super) fn new(processors: usize, percent: u32) -> Self {
        Self {
            rate: (processors as u64).max(1) * u64::from(percent.max(1)) * 10,
            owed: 0,
            at: Duration::ZERO,
            cost: HashMap::new(),
            reached: 0,
            next: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// A request of this client comes. None where it is taken at once; otherwise it waits.
    pub(super) fn ask(
        &mut self,
        peer: Peer,
        now: Duration,
        wake: impl FnOnce() -> T,
    ) -> Option<Ticket> {
        self.pay(now);
        let from = self.add(peer, nanos(REQUEST));
        if self.waiting.is_empty() && self.owed < self.credit() {
            self.owed += nanos(REQUEST);
            return None;
        }
        let ticket = Ticket { from, number: self.next };
        self.next += 1;
        self.waiting.insert(ticket, wake());
        Some(ticket)
    }

    /// Takes those from the queue whose turn it is.
    pub(super) fn release(&mut self, now: Duration) -> Vec<T> {
        self.pay(now);
        let mut released = Vec::new();
        while self.owed < self.credit()
            && let Some((ticket, wake)) = self.waiting.pop_first()
        {
            self.owed += nanos(REQUEST);
            // Newcomers begin where the queue has come to. It moves on with each turn, so that newcomers without end
            // do not keep those waiting that have had a turn before.
            let share = nanos(REQUEST) / (self.waiting.len() as u64 + 1);
            self.reached = (self.reached + share).max(ticket.from);
            released.push(wake);
        }
        released
    }

    /// Time until the next one can be taken from the queue; none where nobody waits.
    pub(super) fn next(&self) -> Option<Duration> {
        let over = (self.owed + 1).saturating_sub(self.credit());
        (!self.waiting.is_empty()).then(|| Duration::from_micros(over.div_ceil(self.rate)))
    }

    /// A waiting request has gone. One that was taken from the queue before has had its turn.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    /// A request ended that came to nothing, and this many bytes of it were read.
    pub(super) fn charge(&mut self, peer: Peer, bytes: u64, now: Duration) {
        self.pay(now);
        let cost = bytes / 1024 * nanos(KIB);
        let most = self.credit() + self.paid_in(DEBT);
        self.owed = self.owed.saturating_add(cost).min(most.max(self.owed));
        self.add(peer, cost);
    }

    /// A request came to nothing that was not asked for when it came, since nothing was owed then. It is charged as
    /// one that was.
    pub(super) fn charge_late(&mut self, peer: Peer, bytes: u64, now: Duration) {
        self.pay(now);
        self.owed += nanos(REQUEST);
        self.add(peer, nanos(REQUEST));
        self.charge(peer, bytes, now);
    }

    /// From when on nothing is owed, and nobody waits. A request that comes later needs no turn.
    pub(super) fn is_paid_at(&self) -> Duration {
        if !self.waiting.is_empty() {
            return Duration::MAX;
        }
        self.at + Duration::from_micros(self.owed.div_ceil(self.rate))
    }

    /// A request ended well: it costs nothing.
    pub(super) fn refund(&mut self, peer: Peer, now: Duration) {
        self.pay(now);
        self.owed = self.owed.saturating_sub(nanos(REQUEST));
        if let Some(cost) = self.cost.get_mut(&peer) {
            *cost = cost.saturating_sub(nanos(REQUEST));
        }
    }

    /// How much is owed at most while everybody is taken at once.
    fn credit(&self) -> u64 {
        self.paid_in(CREDIT)
    }

    fn paid_in(&self, time: Duration) -> u64 {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        micros.saturating_mul(self.rate)
    }

    fn pay(&mut self, now: Duration) {
        let micros = u64::try_from(now.saturating_sub(self.at).as_micros()).unwrap_or(u64::MAX);
        let since = Duration::from_micros(micros);
        self.owed = self.owed.saturating_sub(self.paid_in(since));
        self.at += since;
        if self.owed == 0 && self.waiting.is_empty() {
            self.cost.clear();
            self.reached = 0;
        }
    }

    /// Adds to what a client has cost. Returns from where.
    fn add(&mut self, peer: Peer, cost: u64) -> u64 {
        if self.cost.len() >= CLIENTS && !self.cost.contains_key(&peer) {
            self.forget();
        }
        let reached = self.reached;
        let upto = self.cost.entry(peer).or_insert(reached);
        let from = (*upto).max(reached);
        *upto = from + cost;
        from
    }

    /// Forgets the half of the clients that has cost the least.
    fn forget(&mut self) {
        let mut costs: Vec<u64> = self.cost.values().copied().collect();
        let middle = costs.len() / 2;
        let (_, median, _) = costs.select_nth_unstable(middle);
        let median = *median;
        self.cost.retain(|_, cost| *cost > median);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn peer(number: u32) -> Peer {
        Peer::of(Ipv4Addr::from_bits(number).into())
    }

    /// Two processors, and a twentieth of them: a thousand requests a second.
    fn turns() -> Turns<u32> {
        Turns::new(2, 5)
    }

    /// Turns of which all are used up, by requests of clients that do not come again.
    fn used_up() -> Turns<u32> {
        let mut turns = turns();
        for number in 0..1000 {
            assert_eq!(turns.ask(peer(1 << 24 | number), NOW, || 0), None);
        }
        turns
    }

    #[test]
    fn strangers_together_have_a_second_of_their_share_at_once_and_then_their_share() {
        let mut turns = used_up();
        for number in 0..1000 {
            assert!(turns.ask(peer(number), NOW, || number).is_some(), "it waits");
        }
        assert_eq!(turns.release(NOW), [0; 0]);
        assert_eq!(turns.next(), Some(Duration::from_micros(1)));
        let mut released = 0;
        for millis in 1..=500 {
            released += turns.release(NOW + Duration::from_millis(millis)).len();
        }
        assert_eq!(released, 500);
    }

    #[test]
    fn a_newcomer_has_its_turn_before_those_that_have_had_one() {
        let mut turns = used_up();
        for number in 0..1000 {
            turns.ask(peer(number % 10), NOW, || number);
        }
        turns.ask(peer(77), NOW, || 7777);
        let first = turns.release(NOW + Duration::from_millis(11));
        assert_eq!(first, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 7777], "one of each client, in turn");
    }

    #[test]
    fn newcomers_without_end_do_not_keep_one_waiting_that_has_had_a_turn() {
        let mut turns = used_up();
        turns.ask(peer(0), NOW, || 0);
        turns.ask(peer(0), NOW, || 1);
        let mut released = Vec::new();
        for number in 1..1000 {
            for newcomer in 0..4 {
                turns.ask(peer(number * 4 + newcomer), NOW, || 9);
            }
            released.extend(turns.release(NOW + Duration::from_millis(number.into())));
        }
        assert!(released.contains(&1), "after {} turns", released.len());
    }

    #[test]
    fn large_bodies_that_come_to_nothing_cost_more_and_keep_a_newcomer_for_a_second_at_most() {
        let mut turns = turns();
        turns.ask(peer(1), NOW, || 0);
        turns.charge(peer(1), 300 << 10, NOW);
        assert_eq!(turns.owed, 700_000, "in nanoseconds");
        for number in 0..1000 {
            turns.charge(peer(number), 25 << 20, NOW);
        }
        assert!(turns.ask(peer(7777), NOW, || 7).is_some());
        assert!(turns.next().is_some_and(|wait| wait <= DEBT + Duration::from_micros(1)));
        assert_eq!(turns.release(NOW + DEBT / 2), [0; 0]);
        assert_eq!(turns.release(NOW + DEBT + Duration::from_millis(1)), [7]);
    }

    #[test]
    fn what_ended_well_costs_nothing_and_who_has_gone_takes_no_turn() {
        let mut turns = turns();
        for _ in 0..5000 {
            assert_eq!(turns.ask(peer(1), NOW, || 0), None);
            turns.refund(peer(1), NOW);
        }
        let mut turns = used_up();
        let gone = turns.ask(peer(1), NOW, || 1).expect("it waits");
        turns.ask(peer(2), NOW, || 2);
        turns.leave(gone);
        assert_eq!(turns.release(NOW + Duration::from_secs(9)), [2]);
        assert_eq!(turns.next(), None);
    }

    #[test]
    fn what_came_to_nothing_while_nothing_was_owed_is_charged_and_paid_off_in_its_time() {
        let mut turns = turns();
        assert_eq!(turns.is_paid_at(), Duration::ZERO);
        turns.charge_late(peer(1), 300 << 10, NOW);
        assert_eq!(turns.owed, 700_000, "in nanoseconds");
        assert_eq!(turns.is_paid_at(), NOW + Duration::from_millis(7), "at a tenth of a processor");
        let mut turns = used_up();
        assert_eq!(turns.is_paid_at(), NOW + CREDIT);
        turns.ask(peer(1), NOW, || 1);
        assert_eq!(turns.is_paid_at(), Duration::MAX, "somebody waits");
    }

    #[test]
    fn few_clients_are_remembered_and_none_once_everything_is_paid() {
        let mut turns = turns();
        for number in 0..20_000 {
            turns.ask(peer(number), NOW, || number);
            assert!(turns.cost.len() <= CLIENTS);
        }
        while turns.next().is_some() {
            turns.release(turns.at + Duration::from_secs(1));
        }
        turns.ask(peer(1), turns.at + Duration::from_secs(9), || 1);
        assert_eq!(turns.cost.len(), 1);
    }

    proptest! {
        /// Whoever sends what: a client that comes for the first time waits for no more turns than requests wait when
        /// it comes, and strangers never get more than their share.
        #[test]
        fn a_newcomer_waits_for_those_that_wait_and_for_nobody_who_comes_later(
            steps in prop::collection::vec((0_u32..40, 0_u64..64, 0_u64..4000), 1..400)
        ) {
            let mut turns = used_up();
            let (mut now, mut taken) = (NOW, 0_u64);
            // The newcomers that wait, and how many turns they may have to wait for.
            let mut newcomers: HashMap<u32, usize> = HashMap::new();
            for (number, (of, kib, micros)) in (1 << 16..).zip(steps) {
                now += Duration::from_micros(micros);
                // Every tenth client is one that never came before.
                let newcomer = of >= 36;
                let name = if newcomer { number } else { of };
                let most = turns.waiting.len();
                match turns.ask(peer(name), now, || name) {
                    Some(_) if newcomer => { newcomers.insert(name, most); }
                    Some(_) => {}
                    None => taken += 1,
                }
                turns.charge(peer(of), kib << 10, now);
                for released in turns.release(now) {
                    taken += 1;
                    newcomers.remove(&released);
                    for left in newcomers.values_mut() {
                        prop_assert!(*left > 0, "somebody who came later was taken first");
                        *left -= 1;
                    }
                }
                let paid = (now - NOW).as_micros() as u64 * turns.rate;
                prop_assert!(taken * nanos(REQUEST) <= paid + nanos(REQUEST));
            }
        }
    }
}
