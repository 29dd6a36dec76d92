//! Admits requests: a client's share, the budget of bytes, and the requests that are worked on at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::answer::Answer;
use super::budget::{Bounds, Budget, NoRoom, Number};
use crate::config::ServerPlan;
use crate::observe::{InFlight, Observer};
use crate::serving::{Peer, Turn, share_of};

/// The budget of bytes is counted in blocks of this size.
const BLOCK: u64 = 4096;

/// What requests share.
pub(super) struct Limits {
    budget: Arc<Mutex<Budget>>,
    /// Requests whose body has arrived, and which are not answered yet.
    work: Arc<Semaphore>,
    observer: Arc<Observer>,
}

/// An admitted request: what it holds of the budget. Dropping it gives that back.
pub(super) struct Admitted {
    budget: Arc<Mutex<Budget>>,
    peer: Peer,
    blocks: u64,
    /// Set while the body has to be waited for.
    waiting: Option<(Number, Arc<Notify>)>,
    work: Arc<Semaphore>,
    at_work: Option<OwnedSemaphorePermit>,
    in_flight: InFlight,
    /// The turn of a stranger's request.
    turn: Option<Turn>,
}

/// An admitted request whose body has arrived, shared by all that works on it.
#[derive(Clone)]
pub(super) struct Room(Arc<Mutex<Admitted>>);

impl Room {
    pub(super) fn new(admitted: Admitted) -> Self {
        Self(Arc::new(Mutex::new(admitted)))
    }

    /// Takes budget until this many bytes are covered, of the body and of what it is unpacked to.
    ///
    /// # Errors
    /// [`Answer::Overloaded`] where the client's share or the budget is used up.
    pub(super) fn take_up_to(&self, length: u64) -> Result<(), Answer> {
        self.admitted().take_up_to(length)
    }

    /// See [`Admitted::is_authentic`].
    pub(super) fn is_authentic(&self) {
        self.admitted().is_authentic();
    }

    /// See [`Admitted::costs_nothing`].
    pub(super) fn costs_nothing(&self) {
        self.admitted().costs_nothing();
    }

    fn admitted(&self) -> MutexGuard<'_, Admitted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limits {
    /// Makes the budgets that the configuration sets.
    pub(super) fn new(server: &ServerPlan, observer: Arc<Observer>) -> Self {
        let blocks = blocks_for(server.bytes_in_flight);
        let share = server.client_share;
        let bounds = Bounds {
            blocks,
            // One client can always send the largest body.
            blocks_of_one: share_of(blocks, share).max(blocks_for(server.body_limit)).min(blocks),
            requests_of_one: share_of(server.requests_in_flight as u64, share),
        };
        Self {
            budget: Arc::new(Mutex::new(Budget::new(bounds))),
            work: Arc::new(Semaphore::new(server.requests_in_flight)),
            observer,
        }
    }

    /// Whether this client has had a delivery accepted.
    pub(super) fn knows(&self, peer: Peer) -> bool {
        lock(&self.budget).knows(peer)
    }

    /// Admits a client's request by its head. What it announces costs nothing; its bytes are charged as they
    /// arrive.
    ///
    /// # Errors
    /// [`Answer::TooLarge`] where it announces more than `limit` bytes, [`Answer::Overloaded`] where its
    /// client has as many requests in progress as one may.
    pub(super) fn admit(
        &self,
        peer: Peer,
        headers: &HeaderMap,
        limit: u64,
        turn: &mut Option<Turn>,
    ) -> Result<Admitted, Answer> {
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok())
            .and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Answer::TooLarge { limit });
        }
        lock(&self.budget)
            .begin(peer)
            .map_err(|_| Answer::Overloaded("too many requests in flight from one address"))?;
        Ok(Admitted {
            budget: Arc::clone(&self.budget),
            peer,
            blocks: 0,
            waiting: None,
            work: Arc::clone(&self.work),
            at_work: None,
            in_flight: self.observer.request_in_flight(),
            turn: turn.take(),
        })
    }
}

impl Admitted {
    /// Takes budget until this many bytes of the body are covered.
    ///
    /// # Errors
    /// [`Answer::Overloaded`] where the client's share or the budget is used up.
    pub(super) fn take_up_to(&mut self, length: u64) -> Result<(), Answer> {
        if let Some(turn) = &mut self.turn {
            turn.has_read(length);
        }
        let more = blocks_for(length).saturating_sub(self.blocks);
        if more == 0 {
            return Ok(());
        }
        let number = self.waiting.as_ref().map(|(number, _)| *number);
        lock(&self.budget).take(self.peer, more, number, Instant::now()).map_err(|no_room| {
            match no_room {
                NoRoom::Share => Answer::Overloaded("too many bytes in flight from one address"),
                NoRoom::Full => too_many_bytes(),
            }
        })?;
        self.blocks += more;
        self.in_flight.add_bytes(bytes(more));
        Ok(())
    }

    /// The request was authentic: its client is known from now on.
    pub(super) fn is_authentic(&mut self) {
        lock(&self.budget).know(self.peer, Instant::now());
        self.costs_nothing();
    }

    /// What the request took is not charged to strangers.
    pub(super) fn costs_nothing(&mut self) {
        if let Some(turn) = self.turn.take() {
            turn.ends_well();
        }
    }

    /// The turn of a stranger's request, for what is read of it beside the budget.
    pub(super) fn turn(&mut self) -> Option<&mut Turn> {
        self.turn.as_mut()
    }

    /// Gives back what it holds of the budget: its body is kept no longer.
    pub(super) fn give_back(&mut self) {
        let number = self.waiting.take().map(|(number, _)| number);
        lock(&self.budget).give_back(self.peer, std::mem::take(&mut self.blocks), number);
        self.in_flight.drop_bytes();
    }

    /// Waits until the body is stopped, since a client that holds less needs the room.
    pub(super) async fn stopped(&mut self) -> Answer {
        let (_, stop) = self.waiting.get_or_insert_with(|| {
            let stop = Arc::new(Notify::new());
            let mut budget = lock(&self.budget);
            (budget.wait(self.peer, self.blocks, Arc::clone(&stop), Instant::now()), stop)
        });
        stop.notified().await;
        too_many_bytes()
    }

    /// The body has arrived, and the request is worked on.
    ///
    /// # Errors
    /// [`Answer::Overloaded`] where as many are worked on as may be.
    pub(super) fn begin_work(&mut self) -> Result<(), Answer> {
        if let Some((number, _)) = self.waiting.take()
            && !lock(&self.budget).arrived(self.peer, number)
        {
            self.blocks = 0; // it was stopped, which gave them back
            return Err(too_many_bytes());
        }
        let permit = Arc::clone(&self.work).try_acquire_owned();
        self.at_work = Some(permit.map_err(|_| Answer::Overloaded("too many requests in flight"))?);
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let number = self.waiting.take().map(|(number, _)| number);
        lock(&self.budget).end(self.peer, self.blocks, number);
    }
}

fn too_many_bytes() -> Answer {
    Answer::Overloaded("too many bytes in flight")
}

/// A panic elsewhere leaves the budget whole: each change is one call.
fn lock(budget: &Mutex<Budget>) -> MutexGuard<'_, Budget> {
    budget.lock().unwrap_or_else(PoisonError::into_inner)
}

fn blocks_for(length: u64) -> u64 {
    length.div_ceil(BLOCK)
}

fn bytes(blocks: u64) -> i64 {
    i64::try_from(blocks * BLOCK).unwrap_or(i64::MAX)
}
