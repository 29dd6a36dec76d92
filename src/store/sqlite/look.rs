//! Looks at the file without changing anything, and copies it. Both work while a gateway has the file open.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::values::fault;
use super::{open, private};
use crate::store::StoreFault;

/// What was seen of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There is none; a gateway makes it at its start.
    Missing,
    /// Another process has it open.
    InUse,
    /// It can be used.
    Usable,
    /// It can be used, after a gateway has brought its tables up to date.
    Older {
        /// The version of its tables.
        version: usize,
    },
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is not there yet; `serve` makes it"),
            Self::InUse => f.write_str("is open in a running gateway"),
            Self::Usable => f.write_str("can be used"),
            Self::Older { version } => {
                write!(f, "can be used; `serve` brings its tables (version {version}) up to date")
            }
        }
    }
}

/// Says whether a gateway could use the file. It blocks.
///
/// # Errors
/// [`StoreFault`] where the file, or a directory for a missing one, cannot be used.
pub fn look(path: &Path) -> Result<Seen, StoreFault> {
    let lost = |error: io::Error| {
        StoreFault::Unavailable(format!("cannot open {}: {error}", path.display()))
    };
    let file = match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let directory = directory.unwrap_or(Path::new("."));
            return match directory.is_dir() {
                true => Ok(Seen::Missing),
                false => Err(lost(error)),
            };
        }
        Err(error) => return Err(lost(error)),
    };
    if file.try_lock().is_err() {
        return Ok(Seen::InUse);
    }
    let connection = connect(path)?;
    let version = open::version_of(&connection, path)?;
    // SQLite's locks on the file go when any descriptor of it is closed, so the connection is closed first.
    drop(connection);
    drop(file);
    Ok(version.map_or(Seen::Usable, |version| Seen::Older { version }))
}

/// Copies the file as of one moment into a new file of mode 0600, by SQLite's online backup. Deliveries are
/// accepted meanwhile; they are not in the copy. It blocks. Gives the size of the copy in bytes.
///
/// # Errors
/// [`StoreFault`] where the file is not a store of this program or cannot be read, or the copy exists already or
/// cannot be written. A copy that is not whole is removed.
pub fn copy(from: &Path, to: &Path) -> Result<u64, StoreFault> {
    let lost = |path: &Path, error: io::Error| {
        StoreFault::Unavailable(format!("{}: {error}", path.display()))
    };
    // Opened before and closed after the connection, as a gateway does. No gateway starts meanwhile.
    let file = File::open(from).map_err(|error| lost(from, error))?;
    let locked = file.try_lock_shared();
    let source = connect(from)?;
    open::version_of(&source, from)?;
    if to.exists() {
        let why = format!("{} exists already; name a new file", to.display());
        return Err(StoreFault::Unavailable(why));
    }
    let part = part_of(to);
    let made = File::options().write(true).create_new(true).mode(private::MODE).open(&part);
    let made = made.map_err(|error| lost(&part, error))?;
    let copied = copy_pages(&source, &part)
        .map_err(|error| open::naming(&part, fault(error)))
        .and_then(|()| made.sync_all().map_err(|error| lost(&part, error)))
        // Not `rename`: a file that somebody made meanwhile must not be replaced.
        .and_then(|()| std::fs::hard_link(&part, to).map_err(|error| lost(to, error)))
        .and_then(|()| sync_directory(to).map_err(|error| lost(to, error)));
    let removed = std::fs::remove_file(&part);
    copied?;
    removed.map_err(|error| lost(&part, error))?;
    drop(source);
    drop((file, locked));
    Ok(std::fs::metadata(to).map_err(|error| lost(to, error))?.len())
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn copy_pages(source: &Connection, part: &Path) -> rusqlite::Result<()> {
    let mut copy = Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy.pragma_update(None, "synchronous", "FULL")?;
    {
        let backup = Backup::new(source, &mut copy)?;
        // All pages in one step, and so in one read transaction: with several, the copy would begin anew after
        // each commit of the gateway. Writers do not wait for it.
        loop {
            match backup.step(-1)? {
                StepResult::Done => break,
                _ => std::thread::sleep(std::time::Duration::from_millis(50)),
            }
        }
    }
    // The copy is one file, without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    let whole: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if whole != "ok" {
        return Err(rusqlite::Error::InvalidParameterName(format!("the copy is damaged: {whole}")));
    }
    copy.close().map_err(|(_, error)| error)
}

fn sync_directory(of: &Path) -> io::Result<()> {
    let parent = of.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// A connection that changes nothing. Where there is no log, no process has the file open, and SQLite must not make
/// one: another user than the gateway's may be looking.
fn connect(path: &Path) -> Result<Connection, StoreFault> {
    let real = path.canonicalize().map_err(|error| {
        StoreFault::Unavailable(format!("cannot find {}: {error}", path.display()))
    })?;
    let mut log = real.as_os_str().to_owned();
    log.push("-wal");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = match Path::new(&log).exists() {
        true => Connection::open_with_flags(&real, flags),
        false => {
            let name = percent_encoded(&real);
            let uri = format!("file:{name}?immutable=1");
            Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
        }
    };
    let opened = opened.and_then(|connection| {
        connection.pragma_update(None, "busy_timeout", 10_000)?;
        Ok(connection)
    });
    opened.map_err(|error| open::naming(path, fault(error)))
}

/// A path as a part of a URI: SQLite decodes `%`, and ends the path at `?` and `#`.
fn percent_encoded(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                text.push(char::from(*byte))
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
