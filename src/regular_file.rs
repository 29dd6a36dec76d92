//! Reads the files that a configuration names: its own files, secrets and certificate authorities.
//!
//! Only a regular file is opened. A FIFO would make the reader wait for a writer that may never come, and
//! opening a device can have effects of its own. What was opened is checked again, because a name may lead
//! elsewhere a moment later.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The largest file of certificate authorities, in bytes. The lists of all public authorities have 250 KB.
pub(crate) const MOST_OF_CERTIFICATES: u64 = 4 << 20;

/// Why a file is not read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is a directory, a FIFO, a socket or a device. It was not opened.
    NotRegular,
    /// A symbolic link leads out of the directories that it must stay in. It was not opened.
    Outside,
    /// Its name led to another file while it was being opened.
    Replaced,
    /// It has more bytes than this.
    TooLarge(u64),
    /// The system's error.
    System(io::Error),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRegular => f.write_str("is not a regular file"),
            Self::Outside => f.write_str("is a link that leads out of its directory"),
            Self::Replaced => f.write_str("was replaced while it was being read"),
            Self::TooLarge(most) if most % (1 << 20) == 0 => {
                write!(f, "is larger than {} MiB", most >> 20)
            }
            Self::TooLarge(most) => write!(f, "is longer than {most} bytes"),
            Self::System(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// The content of a regular file of at most `most` bytes. Symbolic links are followed.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    content(open(path)?.0, most)
}

/// Like [`read`], for a file whose name may be a symbolic link that somebody else made: what it leads to must
/// lie below one of `roots`.
pub(crate) fn read_below(path: &Path, roots: &[PathBuf], most: u64) -> Result<Vec<u8>, Unreadable> {
    let real = path.canonicalize()?;
    let within = |path: &Path| roots.iter().any(|root| path.starts_with(root));
    if !within(&real) {
        return Err(Unreadable::Outside);
    }
    let (file, _) = open(&real)?;
    // A directory on the way may have been replaced by a link since `canonicalize`.
    if !within(&path_of(&file).unwrap_or(real.canonicalize()?)) {
        return Err(Unreadable::Outside);
    }
    content(file, most)
}

/// Opens a regular file, without waiting for anyone.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata), Unreadable> {
    let named = std::fs::metadata(path)?;
    if !named.is_file() {
        return Err(Unreadable::NotRegular);
    }
    // If the name leads to a FIFO by now, opening it does not wait.
    let flags = libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let opened = file.metadata()?;
    if !opened.is_file() {
        return Err(Unreadable::NotRegular);
    }
    if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        // Editors and Kubernetes replace files, so this is retried once by whoever compares contents.
        return Err(Unreadable::Replaced);
    }
    Ok((file, opened))
}

/// The path of an open file, as the system knows it. `None` where `/proc` is not there.
fn path_of(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd as _;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

fn content(file: File, most: u64) -> Result<Vec<u8>, Unreadable> {
    if file.metadata()?.len() > most {
        return Err(Unreadable::TooLarge(most));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    // The file may have grown meanwhile.
    if bytes.len() as u64 > most { Err(Unreadable::TooLarge(most)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    fn fifo(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().expect("it runs").success());
    }

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        fifo(&at("fifo"));
        symlink(at("fifo"), at("link")).expect("linked");
        for path in [&at("fifo"), &at("link"), directory.path(), Path::new("/dev/zero")] {
            let refused = read(path, 10).expect_err("not regular");
            assert!(matches!(refused, Unreadable::NotRegular), "{}: {refused}", path.display());
        }
        std::fs::write(at("file"), "abc").expect("written");
        assert_eq!(read(&at("file"), 3).expect("regular"), b"abc");
        assert!(matches!(read(&at("file"), 2), Err(Unreadable::TooLarge(2))));
    }

    #[test]
    fn a_link_is_followed_only_within_its_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().canonicalize().expect("there");
        let at = |name: &str| root.join(name);
        std::fs::create_dir_all(at("in/..v1")).expect("made");
        std::fs::write(at("in/..v1/a"), "inside").expect("written");
        std::fs::write(at("secret"), "outside").expect("written");
        symlink("..v1", at("in/..data")).expect("linked");
        symlink("..data/a", at("in/a")).expect("linked");
        symlink("../secret", at("in/b")).expect("linked");
        symlink(at(""), at("in/up")).expect("linked");
        let roots = [at("in")];
        assert_eq!(read_below(&at("in/a"), &roots, 99).expect("inside"), b"inside");
        for name in ["in/b", "in/up/secret"] {
            assert!(
                matches!(read_below(&at(name), &roots, 99), Err(Unreadable::Outside)),
                "{name}"
            );
        }
    }
}
