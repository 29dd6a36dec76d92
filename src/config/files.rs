//! Reads the files of a configuration: `gateway.yaml`, and all files of `routes.d/` beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::report::{Fault, Source};
use crate::regular_file::{self, Unreadable};

/// The largest size of a file, in bytes.
const MOST: u64 = 4 << 20;
/// The directory beside `gateway.yaml` whose files may hold more routes.
const ROUTES: &str = "routes.d";

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileText {
    /// Its path as it is shown to people.
    pub(super) name: String,
    /// Its text, or why it cannot be read.
    pub(super) text: Result<String, Box<Fault>>,
}

/// All files of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    /// The directory that relative paths start from.
    pub(super) directory: PathBuf,
    /// `gateway.yaml`.
    pub(super) main: FileText,
    /// The files of `routes.d/`, sorted by name.
    pub(super) routes: Vec<FileText>,
    /// Why `routes.d/` itself cannot be read.
    pub(super) listing: Option<Box<Fault>>,
    /// Paths in `routes.d/` that are not read although they may be meant as files of routes.
    pub(super) passed_over: Vec<String>,
}

impl Files {
    /// Reads the files. A file that cannot be read has a fault in place of its text.
    pub(super) fn read(path: &Path) -> Self {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let (listed, listing) = match route_files(path) {
            Ok(listed) => (listed, None),
            Err(fault) => (Listed::default(), Some(fault)),
        };
        Self {
            directory,
            main: FileText::main(path),
            routes: routes(path, &listed.read),
            listing,
            passed_over: listed.passed_over,
        }
    }

    /// A short digest of the names and contents, and of the routes that are held back although their file
    /// is not. Two plans with one digest are equal.
    pub(super) fn digest(&self, held_back: &BTreeSet<String>) -> String {
        let mut digest = Sha256::new();
        for file in std::iter::once(&self.main).chain(&self.routes) {
            let text = match &file.text {
                Ok(text) => text.clone(),
                Err(fault) => fault.message.clone(),
            };
            for part in [file.name.as_bytes(), text.as_bytes()] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        for name in held_back {
            digest.update(name.as_bytes());
            digest.update([0]);
        }
        hex::encode(&digest.finalize()[..6])
    }
}

/// The path of `routes.d`.
pub(super) fn routes_directory(path: &Path) -> PathBuf {
    path.with_file_name(ROUTES)
}

/// What `routes.d/` holds.
#[derive(Default)]
struct Listed {
    read: Vec<PathBuf>,
    passed_over: Vec<String>,
}

/// Ends of names that nobody takes for files of routes.
const OTHERS: [&str; 12] =
    ["md", "txt", "bak", "orig", "rej", "swp", "tmp", "old", "disabled", "off", "json", "rst"];

/// Whether somebody may have meant this file or directory to be read.
fn may_be_meant(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = path.extension().map(|ext| ext.to_string_lossy().to_lowercase());
    let other = extension.is_some_and(|extension| OTHERS.contains(&&*extension));
    let plain = ["README", "LICENSE", "OWNERS", "CODEOWNERS", "Makefile", "lost+found"];
    !other && !name.ends_with('~') && !plain.contains(&&*name)
}

fn route_files(path: &Path) -> Result<Listed, Box<Fault>> {
    let directory = routes_directory(path);
    let fault = |error: std::io::Error| {
        Box::new(Fault::of_file(
            &directory.display().to_string(),
            format!("cannot be read: {error}"),
        ))
    };
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Listed::default()),
        Err(error) => return Err(fault(error)),
    };
    let mut listed = Listed::default();
    for entry in entries {
        let path = entry.map_err(fault)?.path();
        // Editors and Kubernetes keep their own files and links there, with names that start with a
        // dot.
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let yaml = path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml");
        if yaml && !hidden && !path.is_dir() {
            listed.read.push(path);
        } else if !hidden && may_be_meant(&path) {
            listed.passed_over.push(path.display().to_string());
        }
    }
    listed.read.sort();
    listed.passed_over.sort();
    Ok(listed)
}

/// The text of `gateway.yaml` alone.
pub(super) fn main_text(path: &Path) -> Result<String, Box<Fault>> {
    FileText::main(path).text
}

impl FileText {
    /// `gateway.yaml`. Whoever starts the gateway names it, so a link may lead anywhere.
    fn main(path: &Path) -> Self {
        let mut file = Self::of(path, again(|| regular_file::read(path, MOST)));
        if !path.exists() {
            let other = ["yaml", "yml"].map(|ext| path.with_extension(ext));
            let other = other.into_iter().find(|other| other != path && other.exists());
            let hint = other.map_or_else(
                || "name another file with --config FILE, or in CDSW_GATEWAY_CONFIG".to_owned(),
                |other| {
                    let other = other.display();
                    format!("there is {other}: rename it, or say --config {other}")
                },
            );
            file.text = file.text.map_err(|fault| Box::new(fault.hint(&hint)));
        }
        file
    }

    fn of(path: &Path, read: Result<Vec<u8>, Unreadable>) -> Self {
        let name = path.display().to_string();
        let text = read.map_err(|unreadable| unread(&name, &unreadable));
        let text = text.and_then(|bytes| text_of(&name, &bytes));
        Self { name, text }
    }
}

/// The files of `routes.d/`. Links are common in a repository that is synchronized, so they may only lead to
/// files of the configuration's directory, or of `routes.d/` where that is a directory elsewhere.
fn routes(path: &Path, paths: &[PathBuf]) -> Vec<FileText> {
    let routes = routes_directory(path);
    let main = routes.parent().filter(|parent| !parent.as_os_str().is_empty());
    let roots = [main.unwrap_or(Path::new(".")), &*routes];
    let roots: Vec<PathBuf> = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
    let read = |path| again(|| regular_file::read_below(path, &roots, MOST));
    paths.iter().map(|path| FileText::of(path, read(path))).collect()
}

/// Editors and Kubernetes replace files, so a file that was replaced meanwhile is read a second time.
fn again(read: impl Fn() -> Result<Vec<u8>, Unreadable>) -> Result<Vec<u8>, Unreadable> {
    match read() {
        Err(Unreadable::Replaced) => read(),
        once => once,
    }
}

fn unread(name: &str, unreadable: &Unreadable) -> Box<Fault> {
    let fault = Fault::of_file(name, unreadable.to_string());
    Box::new(match unreadable {
        Unreadable::Outside => fault.hint(
            "put the file itself there, or link to a file within the directory of gateway.yaml",
        ),
        Unreadable::NotRegular => fault.hint("remove it; only regular files are read"),
        _ => fault,
    })
}

/// Decodes bytes as UTF-8, without a byte order mark.
fn text_of(name: &str, bytes: &[u8]) -> Result<String, Box<Fault>> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        let end = good.len();
        let source = Source::new(name, good);
        let hint = "save the file as UTF-8 text".to_owned();
        let mut fault = Fault::at(&source, end..end, "this byte is not UTF-8", hint);
        // The line may end in the middle of a secret.
        fault.excerpt = None;
        Box::new(fault)
    })?;
    Ok(text.to_owned())
}
