//! A port that can be closed and opened again without losing it to another process in between.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that wait to be accepted.
const QUEUE: u32 = 1024;
/// Rest after the system has refused something, out of file descriptors perhaps.
const REST: Duration = Duration::from_millis(20);

/// A port.
pub(super) struct Port {
    address: SocketAddr,
    state: State,
}

enum State {
    Open(TcpListener),
    /// Refuses connections; the socket, which does not listen, keeps the port from others.
    Closed(Option<TcpSocket>),
}

impl Port {
    /// Takes a port and listens.
    pub(super) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { address: listener.local_addr()?, state: State::Open(listener) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection; never while closed.
    pub(super) async fn accept(&self) -> TcpStream {
        let State::Open(listener) = &self.state else { return std::future::pending().await };
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                // Bytes that are to come one by one must not be gathered.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// Refuses connections from now on.
    pub(super) fn close(&mut self) {
        if matches!(self.state, State::Open(_)) {
            // The listener must go first: two sockets cannot have the port while one listens.
            self.state = State::Closed(None);
            self.state = State::Closed(held(self.address).ok());
        }
    }

    /// Listens again; waits for the port, should somebody have taken it.
    pub(super) async fn open(&mut self) {
        while let State::Closed(socket) = &mut self.state {
            let socket = socket.take().map_or_else(|| held(self.address), Ok);
            let listener = socket.and_then(|socket| {
                socket.set_reuseaddr(true)?;
                socket.listen(QUEUE)
            });
            match listener {
                Ok(listener) => self.state = State::Open(listener),
                Err(_) => tokio::time::sleep(REST).await,
            }
        }
    }
}

/// A socket that has the port and does not listen. It shares the port with connections that are
/// still open, and, once it has it, with nobody new.
fn held(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.set_reuseaddr(false)?;
    Ok(socket)
}
