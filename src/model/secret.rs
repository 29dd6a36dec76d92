//! A value that must never be shown: webhook secrets, API keys, admin tokens, database passwords.
//!
//! It has no `Display` and no `Serialize`, and its `Debug` shows no content, so that it cannot reach a log,
//! a metric, the store or an error message by accident.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Secret bytes, shared by all clones and wiped from memory when the last one is dropped.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Wraps the bytes of a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes.into())))
    }

    /// The bytes themselves. Review every caller: the bytes may be verified or signed with, compared in
    /// constant time, or handed to the one peer or file that must have them, and go nowhere else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether the other is a clone of this one. It compares no bytes, so it may be false for equal secrets.
    pub fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether it has no bytes. An empty secret is a configuration error everywhere.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new("correct horse");
        assert!(!format!("{secret:?}").contains("horse"));
    }
}
