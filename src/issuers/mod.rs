//! Keys that senders publish: fetched over TLS, kept, and refreshed, so that receiving has them at
//! hand when a token or message comes in.
//!
//! A verification that has its key never waits for a fetch. What strangers send cannot cause more
//! than one fetch of an address at a time, nor one sooner than [`FLOOR`] after the last, and no more
//! than [`WAITERS`] requests wait for fetches at once, so that an issuer that is slow or down stalls
//! nobody else. Nothing here believes or refuses a request.

mod cache;
mod fetch;
mod visit;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, later};
use crate::config::Live;
use crate::observe::Observer;
use crate::providers::{KeyPlace, Published, Wanted};
use cache::{Cache, Flight, Step};

pub use fetch::Transport;

/// An address is not asked again sooner.
pub const FLOOR: Duration = Duration::from_secs(30);
/// Keys older than this are fetched anew, beside the work.
pub const STALE: Duration = Duration::from_secs(60 * 60);
/// Requests that wait for fetches at once; others are told to come back.
pub const WAITERS: usize = 32;

/// How long a request waits for a fetch.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often configured issuers are looked after.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What was found of the keys that a request needs.
#[derive(Clone, Debug)]
pub enum Found {
    /// These; whether the request's own is among them is for its provider to say.
    Keys(Arc<Published>),
    /// The request named an address where there are no keys.
    Nothing,
    /// Nobody knows yet: the issuer did not answer, or was asked a moment ago.
    NotNow,
}

/// The keys of all issuers.
pub struct Issuers {
    cache: Mutex<Cache>,
    waiters: Semaphore,
    clock: Arc<dyn Clock>,
    observer: Arc<Observer>,
    transport: Transport,
}

impl Issuers {
    /// No keys yet.
    pub fn new(clock: Arc<dyn Clock>, observer: Arc<Observer>, transport: Transport) -> Arc<Self> {
        let cache = Mutex::new(Cache::default());
        Arc::new(Self { cache, waiters: Semaphore::new(WAITERS), clock, observer, transport })
    }

    /// The keys that a request needs: at once where they are here, else after a fetch that is shared
    /// with every other request that waits for it.
    pub async fn find(self: &Arc<Self>, wanted: &Wanted) -> Found {
        let now = self.clock.now();
        let step = self.lock().step(&wanted.place, wanted.key.as_deref(), now);
        self.take(step, &wanted.place, now).await
    }

    /// Newer keys than these, for a request that none of them helped: keys without names, or tokens
    /// that name none, do not tell that they were replaced. The same ones where the issuer was asked a
    /// moment ago, and where asking could not help: a request names its key and that key is here, or
    /// it chose the address.
    pub async fn find_newer(self: &Arc<Self>, wanted: &Wanted, than: &Arc<Published>) -> Found {
        let is_named = wanted.key.as_deref().is_some_and(|key| than.keys.names(key));
        if is_named || wanted.place.chosen_by_request {
            return Found::Keys(Arc::clone(than));
        }
        let now = self.clock.now();
        let step = self.lock().renewal(&wanted.place, than, now);
        self.take(step, &wanted.place, now).await
    }

    async fn take(self: &Arc<Self>, step: Step, place: &KeyPlace, now: Timestamp) -> Found {
        match step {
            Step::Use(keys) => Found::Keys(keys),
            Step::Wait(flight) => self.wait(flight).await,
            Step::Fetch => {
                let Some(flight) = self.begin(place, now) else { return Found::NotNow };
                self.wait(flight).await
            }
            Step::NotNow => Found::NotNow,
        }
    }

    /// Looks after the issuers of the configuration until the stop: what is missing or stale is
    /// fetched, what is no longer configured is dropped.
    pub async fn run(self: Arc<Self>, live: Arc<Live>, stop: CancellationToken) {
        loop {
            let now = self.clock.now();
            let plan = live.plan();
            let places: HashSet<KeyPlace> = plan
                .sources
                .values()
                .filter(|source| !source.unauthenticated)
                .filter_map(|source| source.provider.publishes(&source.options))
                .collect();
            self.lock().keep_only(&places);
            for place in &places {
                let is_due = self.lock().is_due(place, now);
                if is_due {
                    self.begin(place, now);
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.wait_until(later(now, LOOK_EVERY)) => {}
            }
        }
    }

    async fn wait(&self, mut flight: Flight) -> Found {
        let Ok(_place) = self.waiters.try_acquire() else { return Found::NotNow };
        let landed = flight.wait_for(Option::is_some);
        match tokio::time::timeout(PATIENCE, landed).await {
            Ok(Ok(found)) => found.clone().unwrap_or(Found::NotNow),
            _ => Found::NotNow,
        }
    }

    /// Begins a fetch, or joins the one that has begun in the meantime. None where the address was
    /// chosen by a request and its host was asked for another a moment ago.
    fn begin(self: &Arc<Self>, place: &KeyPlace, now: Timestamp) -> Option<Flight> {
        let (sender, flight) = watch::channel(None);
        let begun = self.lock().begin(place, flight.clone(), now)?;
        if !begun.same_channel(&flight) {
            return Some(begun);
        }
        let issuers = Arc::clone(self);
        let place = place.clone();
        tokio::spawn(async move {
            let result = issuers.fetch(&place).await;
            let found = issuers.land(&place, result);
            // Those who waited may have gone.
            let _ = sender.send(Some(found));
        });
        Some(flight)
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
