//! Where a listener listens, as a configuration says it. Pure.

// Addresses as values; `core` has no sockets.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::fmt;
use std::path::{Path, PathBuf};

/// The longest path of a Unix socket, in bytes: `sun_path` of unix(7), without the zero at its end.
const LONGEST_PATH: usize = 107;
/// The first descriptor that systemd passes (sd_listen_fds(3)).
const FIRST_PASSED: u32 = 3;

/// Where a listener listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket that the gateway makes.
    Unix(UnixSocket),
    /// A socket that was opened before the process started, by systemd.
    Passed(Passed),
}

/// A Unix socket, and who may connect to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// Its file.
    pub path: PathBuf,
    /// Permissions of the file. Whoever may write it may connect.
    pub mode: u32,
    /// The group of the file; that of the process where there is none.
    pub group: Option<Group>,
}

/// A group of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// By its number.
    Id(u32),
    /// By its name in `/etc/group`.
    Name(String),
}

/// Which of the sockets that systemd passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The one with this `FileDescriptorName`.
    Named(String),
    /// The one with this number, from 3 on.
    Numbered(u32),
}

/// Why a text does not say where to listen: what is wrong, and what to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoListen {
    /// What is wrong, as what follows the text in a sentence.
    pub why: &'static str,
    /// What to write.
    pub hint: &'static str,
}

const USUAL: NoListen = NoListen {
    why: "is not an address to listen on",
    hint: "write an IP address and a port, such as 127.0.0.1:8080 or [::]:8080, or unix:/run/cdsw-gateway/hooks.sock",
};

impl Listen {
    /// Reads `address:port`, `unix:PATH`, `systemd:NAME` and `fd:NUMBER`. A relative path belongs to `directory`; a new
    /// socket gets the permissions `mode`.
    ///
    /// # Errors
    /// What is wrong with the text, which is not quoted.
    pub fn read(text: &str, directory: &Path, mode: u32) -> Result<Self, NoListen> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = unix(path, directory)?;
            return Ok(Self::Unix(UnixSocket { path, mode, group: None }));
        }
        if let Some(name) = text.strip_prefix("systemd:") {
            let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b':';
            return match !name.is_empty() && name.len() <= 255 && name.bytes().all(is_plain) {
                true => Ok(Self::Passed(Passed::Named(name.to_owned()))),
                false => Err(NoListen {
                    why: "is not the name of a socket of systemd",
                    hint: "write what FileDescriptorName= of the .socket unit says, such as systemd:hooks",
                }),
            };
        }
        if let Some(number) = text.strip_prefix("fd:") {
            return match number.parse() {
                Ok(number) if number >= FIRST_PASSED => Ok(Self::Passed(Passed::Numbered(number))),
                _ => Err(NoListen {
                    why: "is not the number of a socket of systemd",
                    hint: "the first one is fd:3; a name is clearer, such as systemd:hooks",
                }),
            };
        }
        if text.starts_with('/') || text.starts_with("./") {
            return Err(NoListen {
                why: "is a path, and not an address to listen on",
                hint: "write unix: in front of it, such as unix:/run/cdsw-gateway/hooks.sock",
            });
        }
        text.parse().map(Self::Tcp).map_err(|_| USUAL)
    }

    /// The address and port, where it is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            _ => None,
        }
    }

    /// Where this machine reaches it; none where only systemd knows.
    pub fn reached_here(&self) -> Option<Self> {
        match self {
            Self::Tcp(address) => Some(Self::Tcp(reached_here(*address))),
            Self::Unix(_) => Some(self.clone()),
            Self::Passed(_) => None,
        }
    }

    /// Whether two listeners cannot both have it. Port 0 is another port each time.
    pub fn is_taken_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp(one), Self::Tcp(other)) => one.port() != 0 && one == other,
            (Self::Unix(one), Self::Unix(other)) => one.path == other.path,
            (Self::Passed(one), Self::Passed(other)) => one == other,
            _ => false,
        }
    }
}

fn unix(path: &str, directory: &Path) -> Result<PathBuf, NoListen> {
    let fault = |why, hint| Err(NoListen { why, hint });
    if path.starts_with('@') {
        return fault(
            "names a socket without a file, to which every user could connect",
            "write a path, such as unix:/run/cdsw-gateway/hooks.sock",
        );
    }
    if path.is_empty() || path.ends_with('/') || path.contains('\0') {
        return fault(
            "names no file for the socket",
            "write a path, such as unix:/run/cdsw-gateway/hooks.sock",
        );
    }
    // `unix:///run/…` is how addresses with a scheme are written elsewhere.
    let path = match path.strip_prefix("//") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    let path = directory.join(path);
    match path.as_os_str().len() > LONGEST_PATH {
        true => fault(
            "has a path longer than 107 bytes, the most that the system takes",
            "write a shorter one, such as unix:/run/cdsw-gateway/hooks.sock",
        ),
        false => Ok(path),
    }
}

/// The address to connect to from this machine, of an address that is listened on.
fn reached_here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    address
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(socket) => write!(f, "unix:{}", socket.path.display()),
            Self::Passed(Passed::Named(name)) => write!(f, "systemd:{name}"),
            Self::Passed(Passed::Numbered(number)) => write!(f, "fd:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, &'static str> {
        let read = Listen::read(text, Path::new("/etc/gateway"), 0o660);
        read.map(|listen| listen.to_string()).map_err(|fault| fault.why)
    }

    #[test]
    fn addresses_sockets_and_what_systemd_passes_are_told_apart() {
        for (text, shown) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::]:8080"),
            ("unix:/run/g/hooks.sock", "unix:/run/g/hooks.sock"),
            ("unix:///run/g/hooks.sock", "unix:/run/g/hooks.sock"),
            ("unix:hooks.sock", "unix:/etc/gateway/hooks.sock"),
            ("systemd:hooks", "systemd:hooks"),
            ("systemd:cdsw-gateway.socket", "systemd:cdsw-gateway.socket"),
            ("fd:3", "fd:3"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_none_of_them_is_refused_with_what_to_write() {
        let long = format!("unix:/{}", "a".repeat(LONGEST_PATH));
        for (text, why) in [
            ("/run/g/hooks.sock", "a path"),
            ("./hooks.sock", "a path"),
            ("unix:", "names no file"),
            ("unix:/run/g/", "names no file"),
            ("unix:@hooks", "without a file"),
            ("unix:/a\0b", "names no file"),
            (&long, "longer than 107 bytes"),
            ("systemd:", "name of a socket"),
            ("systemd:a:b", "name of a socket"),
            ("systemd:a b", "name of a socket"),
            ("fd:2", "number of a socket"),
            ("fd:-1", "number of a socket"),
            ("fd:", "number of a socket"),
            ("8080", "not an address"),
            ("localhost:8080", "not an address"),
            ("UNIX:/run/x", "not an address"),
            ("", "not an address"),
        ] {
            let found = read(text).expect_err(text);
            assert!(found.contains(why), "{text}: {found}");
        }
        let path = format!("unix:/{}", "a".repeat(LONGEST_PATH - 1));
        assert!(read(&path).is_ok(), "the longest one");
    }

    #[test]
    fn two_listeners_cannot_have_one_place() {
        let listen = |text| Listen::read(text, Path::new("/"), 0o660).expect("it is one");
        for (one, other, taken) in [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("unix:/a", "unix:/a", true),
            ("unix:/a", "unix:/b", false),
            ("systemd:a", "systemd:a", true),
            ("systemd:a", "fd:3", false),
        ] {
            assert_eq!(listen(one).is_taken_by(&listen(other)), taken, "{one} {other}");
        }
    }
}
