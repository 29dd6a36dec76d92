//! The opening of a connection: the bytes that tell HTTP/2 from HTTP/1. Whoever waits for them has
//! no time limit of its own, so that a connection on which nothing is said would stay for ever.

use std::future::Future as _;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What HTTP/2 begins with; any other beginning is HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose first bytes must come in time. What follows them is in others' care.
pub(super) struct Opening<S> {
    stream: S,
    open: Option<Open>,
}

/// As long as what was read may be either.
struct Open {
    read: usize,
    over: Pin<Box<Sleep>>,
}

impl<S> Opening<S> {
    /// Of a connection that was accepted just now.
    pub(super) fn new(stream: S, time: Duration) -> Self {
        let open = Open { read: 0, over: Box::pin(tokio::time::sleep(time)) };
        Self { stream, open: Some(open) }
    }
}

impl Open {
    /// True once these bytes, after those before, have settled it.
    fn is_settled_by(&mut self, bytes: &[u8]) -> bool {
        let missing = &PREFACE[self.read..];
        self.read += bytes.len().min(missing.len());
        !missing.starts_with(bytes) || self.read == PREFACE.len()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some(open) = &mut this.open else { return read };
        if read.is_pending() {
            ready!(open.over.as_mut().poll(context));
            return Poll::Ready(Err(Error::from(ErrorKind::TimedOut)));
        }
        if open.is_settled_by(&buffer.filled()[before..]) {
            this.open = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled_after(pieces: &[&[u8]]) -> Option<usize> {
        let mut open = Opening::new((), Duration::from_secs(1)).open.expect("open at first");
        pieces.iter().position(|piece| open.is_settled_by(piece))
    }

    #[tokio::test]
    async fn a_connection_is_open_until_its_protocol_is_known() {
        assert_eq!(settled_after(&[]), None);
        assert_eq!(settled_after(&[b"P", b"R"]), None);
        assert_eq!(settled_after(&[b"P", b"O"]), Some(1));
        assert_eq!(settled_after(&[b"GET"]), Some(0));
        assert_eq!(settled_after(&[&PREFACE[..23]]), None);
        assert_eq!(settled_after(&[&PREFACE[..23], b"\n"]), Some(1));
        assert_eq!(settled_after(&[&[PREFACE, b"more"].concat()]), Some(0));
    }
}
