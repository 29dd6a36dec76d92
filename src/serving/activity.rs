//! What one connection is doing, told by its parts and read when connections run out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::peers::Peer;

/// No request has arrived whole: the connection is idle, or its head or body is on the way.
const WAITED_FOR: u8 = 0;
/// A request is being worked on, so the other side waits for this one.
const WORKING: u8 = 1;

/// A connection, as the others see it.
#[derive(Debug)]
pub(super) struct Activity {
    peer: Peer,
    began: Instant,
    state: AtomicU8,
    /// When it was accepted, or when its last answer was made; in milliseconds after `began`.
    answered_ms: AtomicU64,
    /// Whether one of its requests was answered with success.
    useful: AtomicBool,
    told_to_close: AtomicBool,
    close: Notify,
}

impl Activity {
    pub(super) fn new(peer: Peer, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            peer,
            began: now,
            state: AtomicU8::new(WAITED_FOR),
            answered_ms: AtomicU64::new(0),
            useful: AtomicBool::new(false),
            told_to_close: AtomicBool::new(false),
            close: Notify::new(),
        })
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// A request has arrived whole.
    pub(super) fn works(&self) {
        self.state.store(WORKING, Ordering::Release);
    }

    /// A request is answered.
    pub(super) fn answered(&self, with_success: bool, now: Instant) {
        let since = u64::try_from(now.duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.answered_ms.store(since, Ordering::Relaxed);
        if with_success {
            self.useful.store(true, Ordering::Relaxed);
        }
        self.state.store(WAITED_FOR, Ordering::Release);
    }

    /// Whether a request is being worked on.
    pub(super) fn is_working(&self) -> bool {
        self.state.load(Ordering::Acquire) == WORKING
    }

    /// Whether one of its requests was answered with success.
    pub(super) fn is_useful(&self) -> bool {
        self.useful.load(Ordering::Relaxed)
    }

    /// How long the other side has been waited for: since the last answer, or else since the beginning.
    pub(super) fn waited_for(&self, now: Instant) -> Duration {
        let answered = Duration::from_millis(self.answered_ms.load(Ordering::Relaxed));
        now.duration_since(self.began).saturating_sub(answered)
    }

    /// Tells the connection to close once it does not work on a request.
    pub(super) fn close(&self) {
        self.told_to_close.store(true, Ordering::Release);
        self.close.notify_one();
    }

    pub(super) fn is_told_to_close(&self) -> bool {
        self.told_to_close.load(Ordering::Acquire)
    }

    /// Waits until the connection is told to close.
    pub(super) async fn told_to_close(&self) {
        self.close.notified().await;
    }
}
