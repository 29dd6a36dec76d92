//! The sockets that systemd opened before the process started (sd_listen_fds(3)).

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex, PoisonError};

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;

use crate::model::Passed;

/// The first descriptor that is passed.
const FIRST: u32 = 3;

/// The sockets that were passed to this process. Each is taken once.
#[derive(Clone, Debug, Default)]
pub struct PassedSockets(Arc<Mutex<Vec<Slot>>>);

#[derive(Debug)]
struct Slot {
    name: String,
    number: u32,
    /// None once it was taken.
    socket: Option<Result<Given, String>>,
}

/// A socket that was passed.
#[derive(Debug)]
pub(super) enum Given {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (fd:{})", self.name, self.number)
    }
}

impl PassedSockets {
    /// Takes what the environment says was passed, and takes the variables out of it, so that programs that this process
    /// starts do not see them. Call it before there is a second thread.
    pub fn from_environment() -> Self {
        // Without it, the variables may be those of a parent.
        if std::env::var_os("LISTEN_PID").is_none() {
            return Self::default();
        }
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut all = ListenFd::from_env();
        let slots = (0..all.len()).map(|position| {
            let name = names.next().filter(|name| !name.is_empty()).unwrap_or("unknown");
            let number = FIRST + u32::try_from(position).unwrap_or(u32::MAX - FIRST);
            Slot { name: name.to_owned(), number, socket: Some(given(&mut all, position)) }
        });
        Self(Arc::new(Mutex::new(slots.collect())))
    }

    /// The socket that a listener is to have.
    ///
    /// # Errors
    /// Where it was not passed, or is of another kind.
    pub(super) fn take(&self, which: &Passed) -> io::Result<Given> {
        // A panic elsewhere leaves the list whole.
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |slot: &&mut Slot| {
            slot.socket.is_some()
                && match which {
                    Passed::Named(name) => slot.name == *name,
                    Passed::Numbered(number) => slot.number == *number,
                }
        };
        let taken = slots.iter_mut().find(is_it).and_then(|slot| slot.socket.take());
        match taken {
            Some(found) => found.map_err(|why| io::Error::new(ErrorKind::InvalidInput, why)),
            None => {
                let words = match slots.is_empty() {
                    true => {
                        "systemd passed no socket to this process: start it by its .socket unit"
                            .to_owned()
                    }
                    false => format!("systemd passed no such socket, but {}", list(slots.iter())),
                };
                Err(io::Error::new(ErrorKind::NotFound, words))
            }
        }
    }

    /// Those that no listener has taken, in words; none where there is none. What arrives on them would wait for ever.
    pub fn left(&self) -> Option<String> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left: Vec<&Slot> = slots.iter().filter(|slot| slot.socket.is_some()).collect();
        (!left.is_empty()).then(|| list(left))
    }
}

fn list<'a>(slots: impl IntoIterator<Item = &'a Slot>) -> String {
    let names: Vec<String> = slots.into_iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// The socket at a position, of whichever kind it is.
fn given(all: &mut ListenFd, position: usize) -> Result<Given, String> {
    let none = || "it is neither a TCP socket nor a Unix socket for streams".to_owned();
    let socket = match all.take_tcp_listener(position) {
        Ok(Some(listener)) => Given::Tcp(listener),
        _ => match all.take_unix_listener(position) {
            Ok(Some(listener)) => Given::Unix(listener),
            _ => return Err(none()),
        },
    };
    let listens = match &socket {
        Given::Tcp(listener) => socket_acceptconn(listener),
        Given::Unix(listener) => socket_acceptconn(listener),
    };
    match listens {
        Ok(true) => Ok(socket),
        _ => Err("it does not listen; Accept=yes of the .socket unit is not supported".to_owned()),
    }
}
