//! Limits on the requests in flight and on the bytes of their bodies. A request is admitted before its body
//! is read, so that memory stays within what the configuration allows.

use std::sync::Arc;

use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Answer;
use crate::config::ServerPlan;
use crate::observe::{InFlight, Observer};

/// The budget of bytes is counted in blocks of this size.
const BLOCK: u64 = 4096;

/// The two budgets: requests in flight, and blocks of their bodies.
pub(super) struct Limits {
    requests: Arc<Semaphore>,
    blocks: Arc<Semaphore>,
    observer: Arc<Observer>,
}

/// An admitted request: its place and the bytes taken so far. Dropping it gives both back.
pub(super) struct Admitted {
    _request: OwnedSemaphorePermit,
    bytes: Option<OwnedSemaphorePermit>,
    taken: u64,
    blocks: Arc<Semaphore>,
    in_flight: InFlight,
}

impl Limits {
    /// Makes the budgets that the configuration sets.
    pub(super) fn new(server: &ServerPlan, observer: Arc<Observer>) -> Self {
        let blocks = usize::try_from(blocks_for(server.bytes_in_flight)).unwrap_or(usize::MAX);
        Self {
            requests: Arc::new(Semaphore::new(server.requests_in_flight)),
            blocks: Arc::new(Semaphore::new(blocks.min(Semaphore::MAX_PERMITS))),
            observer,
        }
    }

    /// Admits a request by its head: takes a place, and budget for the length that it announces.
    ///
    /// # Errors
    /// [`Answer::TooLarge`] where it announces more than `limit` bytes, [`Answer::Overloaded`] where a
    /// budget is used up.
    pub(super) fn admit(&self, headers: &HeaderMap, limit: u64) -> Result<Admitted, Answer> {
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok())
            .and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Answer::TooLarge { limit });
        }
        let request = Arc::clone(&self.requests)
            .try_acquire_owned()
            .map_err(|_| Answer::Overloaded("too many requests in flight"))?;
        let mut admitted = Admitted {
            _request: request,
            bytes: None,
            taken: 0,
            blocks: Arc::clone(&self.blocks),
            in_flight: self.observer.request_in_flight(),
        };
        admitted.take_up_to(announced.unwrap_or(0))?;
        Ok(admitted)
    }
}

impl Admitted {
    /// Takes budget until a body of this many bytes is covered.
    ///
    /// # Errors
    /// [`Answer::Overloaded`] where the budget is used up.
    pub(super) fn take_up_to(&mut self, length: u64) -> Result<(), Answer> {
        let more = blocks_for(length).saturating_sub(self.taken);
        if more == 0 {
            return Ok(());
        }
        let overloaded = || Answer::Overloaded("too many bytes in flight");
        let permits = u32::try_from(more).map_err(|_| overloaded())?;
        let got =
            Arc::clone(&self.blocks).try_acquire_many_owned(permits).map_err(|_| overloaded())?;
        match &mut self.bytes {
            Some(bytes) => bytes.merge(got),
            None => self.bytes = Some(got),
        }
        self.taken += more;
        self.in_flight.add_bytes(bytes(more));
        Ok(())
    }
}

fn blocks_for(length: u64) -> u64 {
    length.div_ceil(BLOCK)
}

fn bytes(blocks: u64) -> i64 {
    i64::try_from(blocks * BLOCK).unwrap_or(i64::MAX)
}
