//! Some senders hand over their secret in the greeting. It is written to the file that the source's first
//! secret names, if the source sets `learn_secret` and that file is missing or empty.
//!
//! The first greeting is trusted, whoever sends it: the sender's scheme offers no better. So `learn_secret`
//! should be set only for the minute in which the webhook is created.

use std::fmt;
use std::io::Write as _;
use std::path::Path;

use crate::config::{Live, SecretRef, SourcePlan};
use crate::model::Secret;

/// What happened to a secret that was handed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// It was written.
    Written,
    /// The source does not set `learn_secret`.
    NotAsked,
    /// The file has a secret already.
    ThereAlready,
    /// The source's first secret is not a file.
    NoFile,
    /// The file could not be written.
    Failed(String),
}

impl fmt::Display for Learned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written => f.write_str("it was written to the file of the source's first secret"),
            Self::NotAsked => f.write_str("it was not kept; `learn_secret: true` would keep it"),
            Self::ThereAlready => f.write_str(
                "it was not kept, since there is one already; remove the file to learn a new one",
            ),
            Self::NoFile => {
                f.write_str("it was not kept, since the source's first secret is no file")
            }
            Self::Failed(why) => write!(f, "it could not be written: {why}"),
        }
    }
}

/// Writes the secret to the file of the source's first secret, or says why not.
pub(super) async fn learn(live: &Live, source: &SourcePlan, secret: Secret) -> Learned {
    if !source.options.learn_secret {
        return Learned::NotAsked;
    }
    let Some(reference @ SecretRef::File(path)) = source.secrets.first() else {
        return Learned::NoFile;
    };
    let path = path.clone();
    let written = tokio::task::spawn_blocking(move || write_unless_there(&path, &secret)).await;
    let learned = written.unwrap_or_else(|stopped| Learned::Failed(stopped.to_string()));
    if learned == Learned::Written {
        live.secrets().forget(reference);
    }
    learned
}

fn write_unless_there(path: &Path, secret: &Secret) -> Learned {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > 0 => return Learned::ThereAlready,
        _ => {}
    }
    match write(path, secret) {
        Ok(()) => Learned::Written,
        Err(error) => Learned::Failed(format!("{}: {error}", path.display())),
    }
}

/// Writes a temporary file and renames it, so that nobody reads half a secret.
fn write(path: &Path, secret: &Secret) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    file.write_all(secret.expose())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
