//! Reads the files of a configuration: `gateway.yaml`, and all files of `routes.d/` beside it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::report::{Fault, Source};

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
}

impl Files {
    /// Reads the files. A file that cannot be read has a fault in place of its text.
    pub(super) fn read(path: &Path) -> Self {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let (paths, listing) = match route_files(path) {
            Ok(paths) => (paths, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        Self {
            directory,
            main: FileText::read(path).or_elsewhere(path),
            routes: paths.iter().map(|path| FileText::read(path)).collect(),
            listing,
        }
    }

    /// A short digest of the names and contents.
    pub(super) fn digest(&self) -> String {
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
        hex::encode(&digest.finalize()[..6])
    }
}

/// The path of `routes.d`.
pub(super) fn routes_directory(path: &Path) -> PathBuf {
    path.with_file_name(ROUTES)
}

fn route_files(path: &Path) -> Result<Vec<PathBuf>, Box<Fault>> {
    let directory = routes_directory(path);
    let fault = |error: std::io::Error| {
        Box::new(Fault::of_file(
            &directory.display().to_string(),
            format!("cannot be read: {error}"),
        ))
    };
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(fault)?.path();
        // Editors and Kubernetes keep their own files and links there, with names that start with a
        // dot.
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        let yaml = path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml");
        if yaml && !hidden && !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

impl FileText {
    fn read(path: &Path) -> Self {
        let name = path.display().to_string();
        let text = read(&name, path);
        Self { name, text }
    }

    /// Adds a hint if the file does not exist: how to name another file.
    fn or_elsewhere(mut self, path: &Path) -> Self {
        if !path.exists() {
            let hint = "name another file with --config FILE, or in CDSW_GATEWAY_CONFIG".to_owned();
            self.text = self.text.map_err(|fault| Box::new(fault.hint(hint)));
        }
        self
    }
}

fn read(name: &str, path: &Path) -> Result<String, Box<Fault>> {
    let fault = |message| Box::new(Fault::of_file(name, message));
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes))
        .map_err(|error| fault(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > MOST {
        return Err(fault(format!("is larger than {} MiB", MOST >> 20)));
    }
    text(name, &bytes)
}

/// Decodes bytes as UTF-8, without a byte order mark.
fn text(name: &str, bytes: &[u8]) -> Result<String, Box<Fault>> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        let end = good.len();
        let source = Source::new(name, good);
        let mut fault = Fault::at(&source, end..end, "this byte is not UTF-8");
        // The line may end in the middle of a secret.
        fault.excerpt = None;
        Box::new(fault.hint("save the file as UTF-8 text".to_owned()))
    })?;
    Ok(text.to_owned())
}
