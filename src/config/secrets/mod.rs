//! Secrets: where they are, and their bytes when a step needs them. An error tells where a secret
//! should be, never its content.

mod command;
mod file;
mod resolver;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use super::report::{HIDDEN, is_name};
pub(super) use resolver::Pending;
pub use resolver::SecretResolver;

/// The largest size of a secret, in bytes.
const MOST: u64 = 64 * 1024;
/// What is wrong with a secret of nothing but white space.
const BLANK: &str = "is empty";
/// Texts shorter than this are no keys of a service, in bytes.
const KEY: usize = 16;

/// Where a secret is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// In an environment variable of the gateway.
    Env(String),
    /// In a file.
    File(PathBuf),
    /// In the output of a program.
    Command(Program),
}

/// A program that prints a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Program {
    /// Its name and arguments.
    pub words: Vec<String>,
    /// Variables of the gateway's environment that it gets, beside the few that every program gets.
    pub pass_env: Vec<String>,
}

impl fmt::Debug for Program {
    /// Arguments may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Program")
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {}", shown_name(name)),
            Self::File(path) => write!(f, "file {}", shown_path(path)),
            // Arguments may contain secrets, so only the program is shown.
            Self::Command(program) => {
                let program = program.words.first().map_or("", String::as_str);
                write!(f, "command {}", shown_path(Path::new(program)))
            }
        }
    }
}

/// A secret may have been written where its name belongs, so only what looks like a name is shown.
fn shown_name(name: &str) -> &str {
    if is_name(name) { name } else { HIDDEN }
}

/// The path, without a last part that looks like a secret rather than like the name of a file. Directories
/// have all kinds of names, so a part of one is hidden only where it is as long as a key.
fn shown_path(path: &Path) -> String {
    let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let last = parts.len().saturating_sub(1);
    let shown = parts.iter().enumerate().map(|(place, part)| {
        let good = part == "/" || is_name(part) || (place < last && part.len() <= KEY);
        PathBuf::from(if good { part } else { HIDDEN })
    });
    shown.collect::<PathBuf>().display().to_string()
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef({self})")
    }
}

/// Why a secret cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFault {
    /// Where it should be.
    pub reference: SecretRef,
    /// What is wrong, without any of the secret's content.
    pub reason: String,
}

impl SecretFault {
    pub(super) fn new(reference: &SecretRef, reason: impl Into<String>) -> Self {
        Self { reference: reference.clone(), reason: reason.into() }
    }
}

impl SecretFault {
    /// Whether there is nothing but white space where the secret should be.
    pub(super) fn is_blank(&self) -> bool {
        self.reason == BLANK
    }
}

impl fmt::Display for SecretFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secret in {} {}", self.reference, self.reason)
    }
}

impl std::error::Error for SecretFault {}

/// Removes one line end. An empty secret is an error.
fn trimmed(reference: &SecretRef, bytes: &[u8]) -> Result<crate::model::Secret, SecretFault> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes);
    if text.is_ok_and(|text| text.chars().all(|c| c.is_whitespace() || c == '\0')) {
        return Err(SecretFault::new(reference, BLANK));
    }
    Ok(crate::model::Secret::new(bytes))
}
