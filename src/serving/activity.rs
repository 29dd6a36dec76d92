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

/// Bytes of a body from which on its connection is rather kept than one that brings nothing.
const UPLOAD: u64 = 64 * 1024;

/// A connection, as the others see it.
#[derive(Debug)]
pub(super) struct Activity {
    peer: Peer,
    /// Whether the peer is a proxy, which brings good and bad clients.
    is_proxy: bool,
    began: Instant,
    state: AtomicU8,
    /// When it was accepted, or when its last answer was made; in milliseconds after `began`.
    answered_ms: AtomicU64,
    /// Whether one of its requests was proved to come from a known sender or person.
    useful: AtomicBool,
    /// Bytes of the body that is being received.
    body: AtomicU64,
    told_to_close: AtomicBool,
    close: Notify,
}

impl Activity {
    pub(super) fn new(peer: Peer, is_proxy: bool, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            peer,
            is_proxy,
            began: now,
            state: AtomicU8::new(WAITED_FOR),
            answered_ms: AtomicU64::new(0),
            useful: AtomicBool::new(false),
            body: AtomicU64::new(0),
            told_to_close: AtomicBool::new(false),
            close: Notify::new(),
        })
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    pub(super) fn is_proxy(&self) -> bool {
        self.is_proxy
    }

    /// Bytes of a body have arrived.
    pub(super) fn received(&self, bytes: usize) {
        self.body.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether a body is being received of which so much has come that it is no pretence.
    pub(super) fn is_uploading(&self) -> bool {
        self.body.load(Ordering::Relaxed) >= UPLOAD
    }

    /// The next answer is its last one.
    pub(super) fn ends_after_this(&self) {
        self.told_to_close.store(true, Ordering::Release);
    }

    /// A request has arrived whole.
    pub(super) fn works(&self) {
        self.state.store(WORKING, Ordering::Release);
    }

    /// A request is answered. `is_proven`: it came from a known sender or person.
    pub(super) fn answered(&self, is_proven: bool, now: Instant) {
        let since = u64::try_from(now.duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.answered_ms.store(since, Ordering::Relaxed);
        self.body.store(0, Ordering::Relaxed);
        if is_proven {
            self.useful.store(true, Ordering::Relaxed);
        }
        self.state.store(WAITED_FOR, Ordering::Release);
    }

    /// Whether a request is being worked on.
    pub(super) fn is_working(&self) -> bool {
        self.state.load(Ordering::Acquire) == WORKING
    }

    /// Whether one of its requests was proved to come from a known sender or person.
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
