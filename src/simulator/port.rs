//! A port that can be closed and opened again without losing it to another process in between.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that wait to be accepted.
const QUEUE: u32 = 1024;
/// Pause before another try after the system refused a socket: it may be out of file descriptors.
const REST: Duration = Duration::from_millis(20);

/// A port.
pub(super) struct Port {
    address: SocketAddr,
    state: State,
}

enum State {
    Open(TcpListener),
    /// Refuses connections. The socket is bound and does not listen, so that nobody else takes the port.
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

    /// The next connection. It waits forever while the port is closed.
    pub(super) async fn accept(&self) -> TcpStream {
        let State::Open(listener) = &self.state else { return std::future::pending().await };
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                // Single bytes must be sent at once, for answers that trickle.
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

    /// Listens again. Waits for the port where another process has taken it.
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

/// A socket that is bound to the port and does not listen. Connections that are still open keep the port
/// too; once the socket is bound, no other socket can take it.
fn held(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.set_reuseaddr(false)?;
    Ok(socket)
}
