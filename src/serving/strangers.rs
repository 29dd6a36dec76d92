//! Lets requests of strangers wait for their turn, once strangers together have used up what they may take of the
//! processors. A stranger is a client of which nothing was proved yet. Waiting costs nothing but the connection, and
//! that one is among the first to be closed where connections run out.
//!
//! [`Turns`] decides who waits and for how long; this file keeps the time and wakes them.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::activity::Activity;
use super::peers::Peer;
use super::turns::{Ticket, Turns};
use crate::observe::{Observation, Observer};

/// Time between two log lines.
const BETWEEN_LINES: Duration = Duration::from_secs(60);

/// What the strangers of one listener have taken, and who of them waits.
pub struct Strangers {
    listener: &'static str,
    observer: Arc<Observer>,
    began: Instant,
    /// Microseconds from `began` until nothing is owed. It is read without the lock: while strangers owe nothing, a
    /// request costs no more than a look at the clock.
    paid_at: AtomicU64,
    queue: Mutex<Queue>,
}

struct Queue {
    turns: Turns<oneshot::Sender<()>>,
    /// Whether a task wakes those whose turn it is.
    is_served: bool,
    /// When a log line was written last, and how many had to wait since.
    logged: Option<Instant>,
    waited: u64,
}

/// The turn of one request. Unless it ends well, what it read is charged when this is dropped.
pub struct Turn {
    strangers: Arc<Strangers>,
    peer: Peer,
    bytes: u64,
    ended_well: bool,
    /// Whether its price was charged when it was taken. Otherwise it is charged when it ends.
    is_charged: bool,
}

/// An extension of an answer: it is sent when it is its turn among those that strangers get.
#[derive(Clone)]
pub struct InTurn(pub Arc<Strangers>, pub Peer);

/// An extension of a request without a body: its connection.
#[derive(Clone)]
pub struct Connection(pub(super) Arc<Activity>);

impl fmt::Debug for Strangers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strangers").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Strangers {
    /// Those of this listener may take `percent` of the processors that there are.
    pub fn new(listener: &'static str, percent: u32, observer: Arc<Observer>) -> Arc<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = Turns::new(processors, percent);
        let queue = Queue { turns, is_served: false, logged: None, waited: 0 };
        Arc::new(Self {
            listener,
            observer,
            began: Instant::now(),
            paid_at: AtomicU64::new(0),
            queue: Mutex::new(queue),
        })
    }

    /// Whether any stranger owes anything. If not, a request is taken at once, whoever sends it.
    pub fn owe_anything(&self) -> bool {
        micros(self.began.elapsed()) < self.paid_at.load(Ordering::Relaxed)
    }

    /// The turn of a request that comes while nobody owes anything: it costs nothing until it came to nothing.
    pub fn turn_at_once(self: &Arc<Self>, peer: Peer) -> Turn {
        Turn { strangers: Arc::clone(self), peer, bytes: 0, ended_well: false, is_charged: false }
    }

    /// Waits until it is the turn of this client. Meanwhile its connection counts as one that brings nothing.
    pub async fn turn(self: &Arc<Self>, peer: Peer, connection: Option<&Connection>) -> Turn {
        if !self.owe_anything() {
            return self.turn_at_once(peer);
        }
        if let Some((waiting, woken)) = self.ask(peer) {
            let was_working = connection.is_some_and(|connection| connection.0.suspends());
            // An error means that the queue has gone, and with it the reason to wait.
            let _ = woken.await;
            drop(waiting);
            if let Some(connection) = connection.filter(|_| was_working) {
                connection.0.works();
            }
        }
        let mut turn = self.turn_at_once(peer);
        turn.is_charged = true;
        turn
    }

    fn ask(self: &Arc<Self>, peer: Peer) -> Option<(Waiting, oneshot::Receiver<()>)> {
        let now = self.began.elapsed();
        let mut queue = self.queue();
        let mut woken = None;
        let ticket = queue.turns.ask(peer, now, || {
            let (wake, receiver) = oneshot::channel();
            woken = Some(receiver);
            wake
        })?;
        let to_log = queue.due_to_log(Instant::now());
        if !std::mem::replace(&mut queue.is_served, true) {
            tokio::spawn(Arc::clone(self).serve());
        }
        drop(queue);
        self.observer.tell(Observation::StrangerWaits { listener: self.listener, to_log });
        Some((Waiting { strangers: Arc::clone(self), ticket }, woken?))
    }

    /// Wakes those whose turn it is, until nobody waits.
    async fn serve(self: Arc<Self>) {
        loop {
            let next = {
                let mut queue = self.queue();
                for wake in queue.turns.release(self.began.elapsed()) {
                    // Whoever has gone meanwhile has taken its entry along, or lets its turn pass.
                    let _ = wake.send(());
                }
                let next = queue.turns.next();
                queue.is_served = next.is_some();
                next
            };
            let Some(next) = next else { return };
            tokio::time::sleep(next).await;
        }
    }

    /// A panic elsewhere leaves the queue whole: each change is one call.
    fn queue(&self) -> Locked<'_> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { queue, paid_at: &self.paid_at }
    }
}

/// The queue, locked. When it is given back, what others may read without the lock is brought up to date.
struct Locked<'q> {
    queue: MutexGuard<'q, Queue>,
    paid_at: &'q AtomicU64,
}

impl Deref for Locked<'_> {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        &self.queue
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.paid_at.store(micros(self.queue.turns.is_paid_at()), Ordering::Relaxed);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Queue {
    fn due_to_log(&mut self, now: Instant) -> Option<u64> {
        self.waited += 1;
        if self.logged.is_some_and(|logged| now.duration_since(logged) < BETWEEN_LINES) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.waited))
    }
}

impl Turn {
    /// So many bytes of the request have been read by now.
    pub fn has_read(&mut self, bytes: u64) {
        self.bytes = self.bytes.max(bytes);
    }

    /// The request costs its client nothing.
    pub fn ends_well(mut self) {
        self.ended_well = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.ended_well && !self.is_charged {
            return;
        }
        let now = self.strangers.began.elapsed();
        let mut queue = self.strangers.queue();
        match (self.ended_well, self.is_charged) {
            (true, _) => queue.turns.refund(self.peer, now),
            (false, true) => queue.turns.charge(self.peer, self.bytes, now),
            (false, false) => queue.turns.charge_late(self.peer, self.bytes, now),
        }
    }
}

/// A place in the queue. Dropping it gives that up.
struct Waiting {
    strangers: Arc<Strangers>,
    ticket: Ticket,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.strangers.queue().turns.leave(self.ticket);
    }
}
