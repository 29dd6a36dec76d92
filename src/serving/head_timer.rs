//! How long a connection may take for its next request's head. The head itself has `header_timeout` from its first
//! byte. A connection on which a request was answered may be idle for `idle_timeout` before that byte, so that a
//! proxy which keeps connections open does not send into one that is being closed. A connection that never brought
//! a request has `header_timeout` in all.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Sleep, Timer};
use tokio::time::Instant;

use super::activity::{Activity, Head};

/// The timer of one connection, which the HTTP layer asks for a head's time-out.
#[derive(Clone, Debug)]
pub(super) struct HeadTimer {
    pub(super) activity: Arc<Activity>,
    pub(super) header_timeout: Duration,
    pub(super) idle_timeout: Duration,
}

impl HeadTimer {
    /// When the connection is closed, whose wait for a head began at `began`.
    fn deadline(&self, began: Instant) -> Instant {
        match self.activity.head() {
            Head::Begun(at) => at + self.header_timeout,
            Head::AfterAnAnswer => began + self.idle_timeout,
            Head::First => began + self.header_timeout,
        }
    }

    fn wait(&self) -> Pin<Box<dyn Sleep>> {
        self.activity.waits_for_a_head();
        let began = Instant::now();
        let sleep = Box::pin(tokio::time::sleep_until(self.deadline(began)));
        Box::pin(Wait { timer: self.clone(), began, sleep })
    }
}

impl Timer for HeadTimer {
    // The HTTP layer sets this timer for heads alone, and always by its own `header_read_timeout`, which this
    // replaces.
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Sleep>> {
        self.wait()
    }

    fn sleep_until(&self, _: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        self.wait()
    }
}

/// The wait for one head. Its deadline depends on whether the head has begun, so it is looked up with each poll;
/// the HTTP layer polls it with each piece that it reads.
struct Wait {
    timer: HeadTimer,
    began: Instant,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.timer.deadline(self.began);
        if deadline != self.sleep.deadline() {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx)
    }
}

impl Sleep for Wait {}
