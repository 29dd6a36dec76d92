//! A request's body that must keep a minimum rate while it is waited for.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

use super::activity::Activity;
use super::pace::{MinRate, Pace};

/// The body arrived more slowly than it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body arrived too slowly")
    }
}

impl std::error::Error for TooSlow {}

/// A body as it arrives. It fails with [`TooSlow`] where a window brings too little. It tells its connection
/// when it has arrived whole.
pub(super) struct PacedBody {
    body: Incoming,
    pace: Pace,
    /// The end of the window; none as long as the body did not have to be waited for.
    window: Option<Pin<Box<Sleep>>>,
    activity: Arc<Activity>,
}

impl PacedBody {
    pub(super) fn new(body: Incoming, rate: MinRate, activity: Arc<Activity>) -> Self {
        if body.is_end_stream() {
            activity.works();
        }
        Self { body, pace: Pace::new(rate), window: None, activity }
    }

    fn poll_window(&mut self, cx: &mut Context<'_>) -> Poll<TooSlow> {
        let pace = &mut self.pace;
        let window = self.window.get_or_insert_with(|| Box::pin(tokio::time::sleep(pace.window())));
        loop {
            ready!(window.as_mut().poll(cx));
            if !pace.kept_up() {
                return Poll::Ready(TooSlow);
            }
            window.set(tokio::time::sleep(pace.window()));
        }
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                match &frame {
                    Some(Ok(frame)) => {
                        let length = frame.data_ref().map_or(0, Bytes::len);
                        self.pace.moved(length);
                        self.activity.received(length);
                        if self.body.is_end_stream() {
                            self.activity.works();
                        }
                    }
                    None => self.activity.works(),
                    Some(Err(_)) => {}
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => self.poll_window(cx).map(|slow| Some(Err(slow.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
