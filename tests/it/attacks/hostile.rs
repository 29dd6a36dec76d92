//! Connections that mean harm: each kind holds something that others need, for as long as it can.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Time until a connection that was closed is opened again, and between two pieces that are sent slowly.
const AGAIN: Duration = Duration::from_millis(200);

/// How long an answer is waited for by those that wait for one.
const PATIENCE: Duration = Duration::from_secs(10);

/// A challenge that a source of these tests answers to everybody.
const GREETING: &str = "/hooks/xt?crc_token=a";

/// What a hostile connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Connects, and says nothing.
    Idle,
    /// Sends a head, byte by byte, without end.
    SlowHead,
    /// Sends a large head without its end.
    LargeHead,
    /// Announces the largest body, and sends none of it.
    Announced,
    /// Announces two bytes, and sends one.
    OneByteOfTwo,
    /// Sends a part of a large body at once, and then nothing.
    Burst,
    /// Sends a large body a little faster than it must.
    Trickle,
    /// Sends chunks without end.
    Chunks,
    /// Sends requests, and never reads an answer.
    NeverReads,
    /// Sends wrong signatures, or wrong tokens, as fast as it can.
    Wrong,
    /// Sends large bodies with wrong signatures, as fast as it can.
    WrongLarge,
    /// Sends a wrong signature, or a wrong token, on a new connection each time.
    WrongAnew,
    /// Asks what everybody may ask, gets a 2xx, and then says nothing.
    Greeted,
    /// Connects, and resets the connection at once.
    Reset,
}

impl Kind {
    pub(super) const ALL: [Self; 14] = [
        Self::Idle,
        Self::SlowHead,
        Self::LargeHead,
        Self::Announced,
        Self::OneByteOfTwo,
        Self::Burst,
        Self::Trickle,
        Self::Chunks,
        Self::NeverReads,
        Self::Wrong,
        Self::WrongLarge,
        Self::WrongAnew,
        Self::Greeted,
        Self::Reset,
    ];
}

/// Hostile connections that go on until this is dropped.
pub(super) struct Attack {
    _all: JoinSet<()>,
}

/// Where an attack comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// One address.
    One,
    /// An address for each connection.
    Many,
}

impl From {
    fn address(self, number: usize) -> Ipv4Addr {
        let number = u8::try_from(number % 250).expect("small").saturating_add(1);
        match self {
            Self::One => Ipv4Addr::new(127, 66, 66, 66),
            Self::Many => Ipv4Addr::new(127, 66, 0, number),
        }
    }

    fn of(self, number: usize) -> Ipv4Addr {
        let [a, b, _, d] = self.address(number).octets();
        match self {
            Self::One => self.address(number),
            Self::Many => Ipv4Addr::new(a, b, u8::try_from(number / 250).expect("small"), d),
        }
    }
}

impl Attack {
    /// Opens this many connections to a path, and again whenever one is closed. Returns when each has done
    /// its harm once, or was closed.
    pub(super) async fn start(
        kind: Kind,
        from: From,
        count: usize,
        to: SocketAddr,
        path: &'static str,
    ) -> Self {
        let began = Arc::new((AtomicUsize::new(0), Notify::new()));
        let mut all = JoinSet::new();
        for number in 0..count {
            let (began, source) = (Arc::clone(&began), from.of(number));
            all.spawn(async move {
                let mut first = true;
                loop {
                    if let Ok(stream) = connect(source, to).await {
                        let began = Arc::clone(&began);
                        let harm_done = move || {
                            if std::mem::take(&mut first)
                                && began.0.fetch_add(1, Ordering::SeqCst) + 1 == count
                            {
                                began.1.notify_one();
                            }
                        };
                        first = attack(kind, stream, path, harm_done).await;
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            });
        }
        began.1.notified().await;
        Self { _all: all }
    }
}

pub(super) async fn connect(source: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((source, 0).into())?;
    socket.connect(to).await
}

/// Does the harm, and ends when the connection is closed. False: it was done.
async fn attack(
    kind: Kind,
    mut stream: TcpStream,
    path: &str,
    mut harm_done: impl FnMut(),
) -> bool {
    let head = |more: &str| format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{more}\r\n");
    let announced = head("content-length: 26214400\r\n");
    match kind {
        Kind::Idle => {}
        Kind::SlowHead => write(&mut stream, b"POST ").await,
        Kind::LargeHead => {
            write(&mut stream, head("").trim_end().as_bytes()).await;
            write(&mut stream, format!("\r\nx-fill: {}", "x".repeat(30_000)).as_bytes()).await;
        }
        Kind::Announced => write(&mut stream, announced.as_bytes()).await,
        Kind::OneByteOfTwo => {
            write(&mut stream, (head("content-length: 2\r\n") + "{").as_bytes()).await
        }
        Kind::Burst => {
            write(&mut stream, announced.as_bytes()).await;
            write(&mut stream, &[b' '; 300_000]).await;
        }
        Kind::Trickle => write(&mut stream, announced.as_bytes()).await,
        Kind::Chunks => write(&mut stream, head("transfer-encoding: chunked\r\n").as_bytes()).await,
        Kind::NeverReads => {
            let one = "GET /x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".repeat(200);
            let fill = async { while stream.write_all(one.as_bytes()).await.is_ok() {} };
            // It is full when nothing more is taken.
            let _ = tokio::time::timeout(Duration::from_millis(300), fill).await;
        }
        Kind::Wrong | Kind::WrongLarge | Kind::WrongAnew => {}
        Kind::Greeted => {
            let open = if path.starts_with("/hooks") { GREETING } else { "/livez" };
            let head = format!("GET {open} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
            write(&mut stream, head.as_bytes()).await;
        }
        Kind::Reset => {
            let _ = stream.set_zero_linger();
            harm_done();
            return false;
        }
    }
    harm_done();
    let mut sink = [0; 4096];
    loop {
        let wrote = match kind {
            Kind::SlowHead => stream.write_all(b"x").await,
            Kind::Trickle => stream.write_all(&[b' '; 400]).await,
            Kind::Chunks => stream.write_all(b"1\r\n \r\n").await,
            Kind::Wrong | Kind::WrongAnew => stream.write_all(&wrong(path, b"{}")).await,
            Kind::WrongLarge => {
                let request = wrong(path, &[b' '; 300_000]);
                tokio::time::timeout(PATIENCE, stream.write_all(&request)).await.unwrap_or(Ok(()))
            }
            Kind::NeverReads => {
                // Whether it was closed shows when it is written to.
                tokio::time::sleep(AGAIN).await;
                stream.write_all(b"GET /x HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await
            }
            _ => Ok(()),
        };
        if wrote.is_err() {
            return false;
        }
        if kind == Kind::NeverReads {
            continue;
        }
        // Whoever sends a large body, or comes again for each request, waits for the answer as long as it takes.
        let patience = match kind {
            Kind::WrongLarge | Kind::WrongAnew => PATIENCE,
            _ => AGAIN,
        };
        let read = tokio::time::timeout(patience, stream.read(&mut sink)).await;
        if kind == Kind::WrongAnew || matches!(read, Ok(Ok(0) | Err(_))) {
            return false;
        }
    }
}

/// A request with a wrong signature, or a wrong token.
fn wrong(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer not-the-token\r\n\
         x-hub-signature-256: sha256=00\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Writes what is taken; how it ends shows later.
async fn write(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = tokio::time::timeout(Duration::from_secs(2), stream.write_all(bytes)).await;
}
