//! The time, as an argument. This is the only file that reads the system's clock.
//!
//! All other code takes a [`Clock`], so that a test sets the time and never sleeps.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A source of time that can also be waited on.
pub trait Clock: Send + Sync {
    /// The time now, in UTC.
    fn now(&self) -> Timestamp;

    /// Ends when `now()` has reached `moment`.
    fn wait_until(&self, moment: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait_until(&self, moment: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            // Sleeps at most 30 s at a time, so that a change of the system's clock is noticed soon.
            loop {
                let left = between(self.now(), moment);
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(Duration::from_secs(30))).await;
            }
        })
    }
}

/// Time from `from` to `to`; zero when `to` is not later.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or(Duration::ZERO)
}

/// `moment` plus `by`, or the last moment that can be represented.
pub fn later(moment: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| moment.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

/// `moment` minus `by`, or the first moment that can be represented.
pub fn earlier(moment: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| moment.checked_sub(by).ok())
        .unwrap_or(Timestamp::MIN)
}

/// A clock that moves only when told to, for tests and for judging recorded requests.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
    /// Serializes `advance`, which reads and then writes.
    advancing: Mutex<()>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { now: watch::Sender::new(now), advancing: Mutex::new(()) }
    }

    /// Moves the clock forward by `by` and wakes the tasks that waited for a moment up to then.
    pub fn advance(&self, by: Duration) {
        let _guard = self.advancing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let moved = later(*self.now.borrow(), by);
        self.now.send_replace(moved);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn wait_until(&self, moment: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // The sender lives in `self`, which outlives this future, so the wait cannot fail.
            let _ = now.wait_for(|now| *now >= moment).await;
        })
    }
}
