//! A connection's bytes. It fails where the other side does not take what is written to it, and refuses heads
//! whose lines do not end as they must ([`super::strict`]).
//!
//! Without that, a client that sends requests and never reads would hold its connection for ever: the
//! answers fill the system's buffers, and then every write waits.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::activity::Activity;
use super::listener::Connected;
use super::pace::{MinRate, Pace};
use super::strict::LineEnds;

/// A stream whose writes must make progress.
pub(super) struct Stream {
    stream: Connected,
    line_ends: LineEnds,
    activity: Arc<Activity>,
    pace: Pace,
    /// The end of the window; none as long as no write had to wait.
    window: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(super) fn new(stream: Connected, rate: MinRate, activity: Arc<Activity>) -> Self {
        Self { stream, line_ends: LineEnds::new(), activity, pace: Pace::new(rate), window: None }
    }

    /// Counts what was written. Fails where the window ended and brought too little.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Ready(Ok(bytes)) => {
                self.pace.moved(bytes);
                if bytes >= wanted {
                    self.window = None;
                }
                wrote
            }
            Poll::Ready(Err(_)) => wrote,
            Poll::Pending => {
                let pace = &mut self.pace;
                let window = self.window.get_or_insert_with(|| {
                    pace.kept_up(); // what was written before it had to wait does not count
                    Box::pin(tokio::time::sleep(pace.window()))
                });
                while window.as_mut().poll(cx).is_ready() {
                    if !pace.kept_up() {
                        return Poll::Ready(Err(self.stall()));
                    }
                    window.set(tokio::time::sleep(pace.window()));
                }
                Poll::Pending
            }
        }
    }

    fn stall(&self) -> io::Error {
        // The system would try to deliver what it holds for minutes.
        self.stream.drop_what_is_not_read();
        io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answers")
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.activity.opening(&buffer.filled()[before..]);
        if buffer.filled().len() > before {
            self.activity.brought();
        }
        self.line_ends.look(&mut buffer.filled_mut()[before..]);
        if let Some(number) = self.line_ends.framed_twice() {
            self.activity.framed_twice(number);
        }
        if self.line_ends.are_unknown() {
            // Where the next request would begin is not known, so there is none.
            self.activity.ends_after_this();
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, bytes.len(), wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted = pieces.iter().map(|piece| piece.len()).sum();
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.wrote(cx, wanted, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
