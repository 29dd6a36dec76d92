//! One connection of a client. It reads whole requests within limits, and writes the bytes that it is
//! given. It knows HTTP/1's framing and nothing of jobs.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::http1::{self, Framing, Head, ReadFault, bad};

/// Most bytes of a request's head.
const HEAD: usize = 64 * 1024;
/// Most bytes of a request's body.
const BODY: usize = 1024 * 1024;
/// Most bytes of the line before a chunk.
const CHUNK_LINE: usize = 1024;
/// Bytes of a request that can be peeked at before it is read.
const AHEAD: usize = 1024;
/// Most bytes of a faulty request that are read and dropped, so that the client gets its answer.
const THROWN_AWAY: usize = 64 * 1024 * 1024;
/// Longest wait for the other side to close, after the last answer.
const LINGER: Duration = Duration::from_secs(5);

/// A client's connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The user and the password of HTTP basic authentication.
pub(super) struct Credentials {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl Credentials {
    /// Those of the request's `Authorization` header; none where it has no readable ones.
    pub(super) fn of(head: &Head) -> Option<Self> {
        let (scheme, encoded) = head.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let mut user = STANDARD.decode(encoded.trim()).ok()?;
        let colon = user.iter().position(|byte| *byte == b':')?;
        let password = user.split_off(colon + 1);
        user.pop();
        Some(Self { user, password })
    }

    /// The first 12 hex digits of the SHA-256 of the key, or of `name:password`.
    pub(super) fn digest(&self) -> String {
        let mut hash = Sha256::new_with_prefix(&self.user);
        if !self.password.is_empty() {
            hash.update(b":");
            hash.update(&self.password);
        }
        hex::encode(&hash.finalize()[..6])
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Waits for the next request and peeks at its first bytes; empty when the client has closed the
    /// connection.
    pub(super) async fn ahead(&self) -> io::Result<Vec<u8>> {
        if !self.buffer.is_empty() {
            return Ok(self.buffer[..self.buffer.len().min(AHEAD)].to_vec());
        }
        let mut first = vec![0; AHEAD];
        let length = self.stream.peek(&mut first).await?;
        first.truncate(length);
        Ok(first)
    }

    /// Returns once the client has closed the connection; never if it sends more bytes.
    pub(super) async fn hung_up(&self) {
        let mut byte = [0];
        if !matches!(self.stream.peek(&mut byte).await, Ok(0) | Err(_)) {
            std::future::pending::<()>().await;
        }
    }

    /// Reads the head of the next request.
    pub(super) async fn head(&mut self) -> Result<Head, ReadFault> {
        let head = self.until(b"\r\n\r\n", HEAD, bad(431, "the head is too long")).await?;
        Head::parse(&head)
    }

    /// Reads the body of the request that this is the head of.
    pub(super) async fn body(&mut self, head: &Head) -> Result<Vec<u8>, ReadFault> {
        let framing = head.framing()?;
        if framing.is_longer_than(BODY) {
            return Err(bad(413, "the body is too long"));
        }
        if head.expects_continue() && self.buffer.is_empty() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        match framing {
            Framing::Length(length) => self.exactly(length).await,
            Framing::Chunked => self.chunks().await,
        }
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, ReadFault> {
        let too_long = || bad(400, "the line before a chunk is too long");
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n", CHUNK_LINE, too_long()).await?;
            let size = http1::chunk_size(&line)?;
            if size > BODY - body.len() {
                return Err(bad(413, "the body is too long"));
            }
            if size == 0 {
                break;
            }
            body.extend(self.exactly(size).await?);
            if self.exactly(2).await? != b"\r\n" {
                return Err(bad(400, "a chunk does not end where it should"));
            }
        }
        // Trailer fields are read and ignored.
        let mut room = HEAD;
        loop {
            let line = self.until(b"\r\n", room, too_long()).await?;
            room -= line.len();
            if line == b"\r\n" {
                return Ok(body);
            }
        }
    }

    /// Takes everything up to and including `mark`.
    async fn until(
        &mut self,
        mark: &[u8],
        most: usize,
        too_long: ReadFault,
    ) -> Result<Vec<u8>, ReadFault> {
        let mut looked = 0;
        loop {
            let found = self.buffer[looked..].windows(mark.len()).position(|part| part == mark);
            let end = found.map(|at| looked + at + mark.len());
            if end.unwrap_or(self.buffer.len()) > most {
                return Err(too_long);
            }
            if let Some(end) = end {
                return Ok(self.buffer.drain(..end).collect());
            }
            looked = self.buffer.len().saturating_sub(mark.len() - 1);
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, ReadFault> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn more(&mut self) -> Result<(), ReadFault> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(1..) => Ok(()),
            Ok(0) | Err(_) => Err(ReadFault::Gone),
        }
    }

    /// Writes all bytes.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Ends the connection with a reset instead of an orderly close.
    pub(super) fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }

    /// Closes the connection so that the client gets the last answer. Closing it with unread bytes would
    /// send a reset, which can overtake the answer.
    pub(super) async fn close_after_answer(mut self) {
        let _ = self.stream.shutdown().await;
        let _ = tokio::time::timeout(LINGER, self.throw_away()).await;
    }

    async fn throw_away(&mut self) {
        let mut left = THROWN_AWAY;
        let mut waste = vec![0; 16 * 1024];
        while left > 0 {
            match self.stream.read(&mut waste).await {
                Ok(length @ 1..) => left = left.saturating_sub(length),
                Ok(0) | Err(_) => return,
            }
        }
    }
}
