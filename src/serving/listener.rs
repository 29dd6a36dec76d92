//! One listening socket, of any kind, and the connections that it accepts.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

use super::passed::{Given, PassedSockets};
use super::unix::{self, SocketFile};
use crate::model::Listen;

/// Bytes of answers that the system holds for a client that does not read them.
const SEND_BUFFER: u32 = 256 * 1024;
/// Connections that the system holds until they are accepted.
pub(super) const BACKLOG: u32 = 4096;

/// A socket that listens. Dropping it removes the file of a Unix socket that it made, which may block.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    bound: Bound,
    /// What is removed at the end.
    _file: Option<SocketFile>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Where a listener was found to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// An address and a port.
    Tcp(SocketAddr),
    /// The file of a Unix socket; empty where it has none.
    Unix(PathBuf),
}

impl Bound {
    /// The address and port, where it is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Who is on the other side of a connection: an address, or none on a Unix socket. The file of such a socket says who may
/// connect, so that whoever does is the proxy in front.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub Option<IpAddr>);

impl Listener {
    /// Listens where the configuration says.
    ///
    /// # Errors
    /// The system's error, or what keeps the place from being used, in words.
    pub async fn open(place: &Listen, passed: &PassedSockets) -> io::Result<Self> {
        match place {
            Listen::Tcp(address) => Self::tcp(*address),
            Listen::Unix(socket) => {
                let socket = socket.clone();
                let made = tokio::task::spawn_blocking(move || unix::listen(&socket)).await;
                let (listener, file) = made.map_err(io::Error::other)??;
                let bound = Bound::Unix(file.path().to_owned());
                Ok(Self { socket: Socket::Unix(listener), bound, _file: Some(file) })
            }
            Listen::Passed(which) => Self::given(passed.take(which)?),
        }
    }

    fn tcp(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        // Accepted connections inherit it.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let bound = Bound::Tcp(listener.local_addr()?);
        Ok(Self { socket: Socket::Tcp(listener), bound, _file: None })
    }

    /// A socket that was opened before the process started. Its file is whoever's who opened it.
    fn given(given: Given) -> io::Result<Self> {
        match given {
            Given::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                rustix::net::sockopt::set_socket_send_buffer_size(&listener, SEND_BUFFER as usize)?;
                let bound = Bound::Tcp(listener.local_addr()?);
                let listener = TcpListener::from_std(listener)?;
                Ok(Self { socket: Socket::Tcp(listener), bound, _file: None })
            }
            Given::Unix(listener) => {
                listener.set_nonblocking(true)?;
                let path = listener.local_addr()?.as_pathname().map(PathBuf::from);
                let listener = UnixListener::from_std(listener)?;
                let bound = Bound::Unix(path.unwrap_or_default());
                Ok(Self { socket: Socket::Unix(listener), bound, _file: None })
            }
        }
    }

    /// Where it listens.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    pub(super) async fn accept(&self) -> io::Result<(Connected, Remote)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, remote) = listener.accept().await?;
                Ok((Connected::Tcp(stream), Remote(Some(remote.ip()))))
            }
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Connected::Unix(stream), Remote(None)))
            }
        }
    }
}

/// The bytes of a connection of either kind.
#[derive(Debug)]
pub(super) enum Connected {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connected {
    /// Small answers are not kept back to be sent with others.
    pub(super) fn send_at_once(&self) {
        if let Self::Tcp(stream) = self {
            let _ = stream.set_nodelay(true);
        }
    }

    /// What the system still holds for a client that does not read is dropped at the end, and not kept for minutes. On a
    /// Unix socket it is dropped in any case.
    pub(super) fn drop_what_is_not_read(&self) {
        if let Self::Tcp(stream) = self {
            let _ = stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connected {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connected {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
