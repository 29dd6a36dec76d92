//! Keys that senders publish: they are fetched, cached and refreshed, so that they are there when a signed
//! request comes in.
//!
//! A request whose key is cached never waits for a fetch. Requests cause at most one fetch of an address at
//! a time. A cached address is not fetched again within [`FLOOR`]. An address that a request chose is
//! forgotten when it has no keys or too many others were fetched since. How many such addresses are fetched is
//! limited for each peer, and for all peers together, so that nobody keeps the keys of others from being
//! fetched; a few of them are fetched at a time. At most [`WAITERS`] requests wait for fetches at once, so
//! a slow issuer does not stall the others. This module never decides whether a request is authentic.

mod budget;
mod cache;
mod fetch;
mod visit;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, later};
use crate::config::Live;
use crate::observe::Observer;
use crate::providers::{KeyPlace, Published, Wanted};
use cache::{Cache, Flight, Step};

pub use fetch::Transport;

/// The least time between two fetches of a cached address.
pub const FLOOR: Duration = Duration::from_secs(30);
/// Keys of configured addresses that are older than this are fetched again in the background.
pub const STALE: Duration = Duration::from_secs(60 * 60);
/// The most requests that wait for fetches at once. Further ones get [`Found::NotNow`].
pub const WAITERS: usize = 256;
/// The most addresses that requests chose and that are fetched at once. Further ones are fetched after them.
const FETCHES: usize = 32;

/// The longest time that a request waits for a fetch.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the addresses in the configuration are checked for missing or stale keys.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The result of looking for the keys that a request needs.
#[derive(Clone, Debug)]
pub enum Found {
    /// The keys of the address. The provider decides whether the request's key is among them.
    Keys(Arc<Published>),
    /// The request named an address where there are no keys.
    Nothing,
    /// Not known yet: the issuer did not answer, was asked a moment ago, or too many requests wait.
    NotNow,
}

/// The cached keys of all issuers.
pub struct Issuers {
    cache: Mutex<Cache>,
    waiters: Semaphore,
    fetches: Semaphore,
    clock: Arc<dyn Clock>,
    observer: Arc<Observer>,
    transport: Transport,
    /// Makes [`Issuers::run`] look at the configured addresses now.
    renewed: Notify,
}

impl Issuers {
    /// Starts without any keys.
    pub fn new(clock: Arc<dyn Clock>, observer: Arc<Observer>, transport: Transport) -> Arc<Self> {
        let cache = Mutex::new(Cache::default());
        let (waiters, fetches) = (Semaphore::new(WAITERS), Semaphore::new(FETCHES));
        let renewed = Notify::new();
        Arc::new(Self { cache, waiters, fetches, clock, observer, transport, renewed })
    }

    /// Finds the keys that a request needs: at once where they are cached, else after a fetch. All requests
    /// that wait for the same address share one fetch. `peer` is the client's address as text.
    pub async fn find(self: &Arc<Self>, wanted: &Wanted, peer: &str) -> Found {
        let now = self.clock.now();
        let step = self.lock().step(&wanted.place, wanted.key.as_deref(), now);
        self.take(step, &wanted.place, peer, now).await
    }

    /// Finds newer keys than these, for a request that none of them verified. Where a key or a token has no
    /// name, only a failed verification shows that keys may have been replaced.
    ///
    /// The result is the same keys where the issuer was asked a moment ago, and where asking could not help:
    /// the request names a key that is here, or the request chose the address.
    pub async fn find_newer(self: &Arc<Self>, wanted: &Wanted, than: &Arc<Published>) -> Found {
        let is_named = wanted.key.as_deref().is_some_and(|key| than.keys.names(key));
        if is_named || wanted.place.chosen_by_request {
            return Found::Keys(Arc::clone(than));
        }
        let now = self.clock.now();
        let step = self.lock().renewal(&wanted.place, than, now);
        // The configuration chose the address, so no peer's budget is asked.
        self.take(step, &wanted.place, "", now).await
    }

    async fn take(
        self: &Arc<Self>,
        step: Step,
        place: &KeyPlace,
        peer: &str,
        now: Timestamp,
    ) -> Found {
        match step {
            Step::Use(keys) => Found::Keys(keys),
            Step::Wait(flight) => self.wait(flight).await,
            Step::Fetch => {
                let Some(flight) = self.begin(place, peer, now) else { return Found::NotNow };
                self.wait(flight).await
            }
            Step::NotNow => Found::NotNow,
        }
    }

    /// Keeps the keys of configured addresses fresh until `stop`: fetches those that are missing or stale,
    /// and drops those that are no longer configured.
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
                    self.begin(place, "", now);
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.renewed.notified() => {}
                () = self.clock.wait_until(later(now, LOOK_EVERY)) => {}
            }
        }
    }

    /// Looks at the configured addresses now, after the configuration has changed.
    pub fn look_again(&self) {
        self.renewed.notify_one();
    }

    /// The configured addresses whose keys could not be fetched so far, in order. Requests that need them get
    /// [`Found::NotNow`].
    pub fn without_keys(&self) -> Vec<Arc<str>> {
        self.lock().without_keys()
    }

    async fn wait(&self, mut flight: Flight) -> Found {
        let Ok(_place) = self.waiters.try_acquire() else { return Found::NotNow };
        let landed = flight.wait_for(Option::is_some);
        match tokio::time::timeout(PATIENCE, landed).await {
            Ok(Ok(found)) => found.clone().unwrap_or(Found::NotNow),
            _ => Found::NotNow,
        }
    }

    /// Begins a fetch, or joins the one under way. None where a request chose the address, and its peer or all
    /// peers together have used up what they may fetch.
    fn begin(self: &Arc<Self>, place: &KeyPlace, peer: &str, now: Timestamp) -> Option<Flight> {
        let (sender, flight) = watch::channel(None);
        let begun = self.lock().begin(place, peer, flight.clone(), now)?;
        if !begun.same_channel(&flight) {
            return Some(begun);
        }
        let issuers = Arc::clone(self);
        let place = place.clone();
        tokio::spawn(async move {
            // Those that the configuration chose are few, and wait for no stranger.
            let _turn = match place.chosen_by_request {
                true => issuers.fetches.acquire().await.ok(),
                false => None,
            };
            let result = issuers.fetch(&place).await;
            let found = issuers.land(&place, result);
            // Nobody may be waiting any more.
            let _ = sender.send(Some(found));
        });
        Some(flight)
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
