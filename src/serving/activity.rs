//! What one connection is doing, told by its parts and read when connections run out.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::heads::Opening;
use super::peers::Peer;
use crate::observe::ConnectionEnd;

/// No request has arrived whole: the connection is idle, or its head or body is on the way.
const WAITED_FOR: u8 = 0;
/// A request is being worked on, so the other side waits for this one.
const WORKING: u8 = 1;

/// Bytes of a body from which on its connection is rather kept than one that brings nothing.
const UPLOAD: u64 = 64 * 1024;

/// No byte of the next head has arrived.
const NOT_BEGUN: u64 = u64::MAX;

/// Where a connection stands that waits for a request's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Nothing has arrived on it yet.
    First,
    /// Its last request was answered, and nothing has arrived since.
    AfterAnAnswer,
    /// The first byte of the head arrived then.
    Begun(Instant),
}

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
    /// Whether a request on it was answered.
    has_answered: AtomicBool,
    /// When the first byte of the head arrived that is being received, in milliseconds after `began`.
    head_ms: AtomicU64,
    /// Whether a head is waited for, and not a body or the work on a request.
    waits_for_head: AtomicBool,
    /// Whether one of its requests was proved to come from a known sender or person.
    useful: AtomicBool,
    /// Bytes of the body that is being received.
    body: AtomicU64,
    told_to_close: AtomicBool,
    close: Notify,
    /// The number of the request whose head frames its body in two ways; 0 where there is none.
    framed_twice: AtomicU64,
    /// How many requests have been handed on.
    requests: AtomicU64,
    opening: Mutex<Opening>,
    /// Whether the first bytes are known.
    has_opened: AtomicBool,
}

impl Activity {
    pub(super) fn new(peer: Peer, is_proxy: bool, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            peer,
            is_proxy,
            began: now,
            state: AtomicU8::new(WAITED_FOR),
            answered_ms: AtomicU64::new(0),
            has_answered: AtomicBool::new(false),
            head_ms: AtomicU64::new(NOT_BEGUN),
            waits_for_head: AtomicBool::new(true),
            useful: AtomicBool::new(false),
            body: AtomicU64::new(0),
            told_to_close: AtomicBool::new(false),
            close: Notify::new(),
            framed_twice: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            opening: Mutex::default(),
            has_opened: AtomicBool::new(false),
        })
    }

    /// Bytes have arrived. The first ones tell which protocol it is.
    pub(super) fn opening(&self, bytes: &[u8]) {
        if !self.has_opened.load(Ordering::Relaxed) {
            let is_full = self.first_bytes().arrived(bytes);
            self.has_opened.store(is_full, Ordering::Relaxed);
        }
    }

    /// The protocol that the connection speaks, where it is not HTTP/1.
    pub(super) fn other_protocol(&self) -> Option<ConnectionEnd> {
        self.first_bytes().other()
    }

    fn first_bytes(&self) -> MutexGuard<'_, Opening> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request of this number has a head that frames its body in two ways.
    pub(super) fn framed_twice(&self, number: u64) {
        self.framed_twice.store(number, Ordering::Release);
    }

    /// A request is handed on. True where it is the one that frames its body in two ways.
    pub(super) fn next_is_framed_twice(&self) -> bool {
        let number = self.requests.fetch_add(1, Ordering::AcqRel) + 1;
        self.framed_twice.load(Ordering::Acquire) == number
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    pub(super) fn is_proxy(&self) -> bool {
        self.is_proxy
    }

    /// The connection waits for the next request's head from now on.
    pub(super) fn waits_for_a_head(&self) {
        self.head_ms.store(NOT_BEGUN, Ordering::Relaxed);
        self.waits_for_head.store(true, Ordering::Relaxed);
    }

    /// A request's head has arrived whole.
    pub(super) fn has_a_head(&self) {
        self.waits_for_head.store(false, Ordering::Relaxed);
    }

    /// Bytes of anything have arrived.
    pub(super) fn brought(&self) {
        let is_first = self.waits_for_head.load(Ordering::Relaxed)
            && self.head_ms.load(Ordering::Relaxed) == NOT_BEGUN;
        if is_first {
            let since = self.began.elapsed().as_millis();
            self.head_ms.store(u64::try_from(since).unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// Where the connection stands, while it waits for a request's head.
    pub(super) fn head(&self) -> Head {
        match self.head_ms.load(Ordering::Relaxed) {
            NOT_BEGUN if self.has_answered.load(Ordering::Relaxed) => Head::AfterAnAnswer,
            NOT_BEGUN => Head::First,
            begun => Head::Begun(self.began + Duration::from_millis(begun)),
        }
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

    /// The request that has arrived has to wait for its turn. Until it is worked on, its connection can be closed for
    /// another one. False where it has not arrived whole.
    pub(super) fn suspends(&self) -> bool {
        self.state.swap(WAITED_FOR, Ordering::AcqRel) == WORKING
    }

    /// A request is answered. `is_proven`: it came from a known sender or person.
    pub(super) fn answered(&self, is_proven: bool, now: Instant) {
        let since = u64::try_from(now.duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.answered_ms.store(since, Ordering::Relaxed);
        self.body.store(0, Ordering::Relaxed);
        self.has_answered.store(true, Ordering::Relaxed);
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
