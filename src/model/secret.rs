//! A value that must never be shown: webhook secrets, API keys, admin tokens.
//!
//! It has no `Display`, no `Serialize`, and a `Debug` that says nothing, so that it cannot reach
//! a log, a metric, the store or an error message by accident.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Secret bytes, wiped from memory when the last copy is dropped.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Wraps the bytes of a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes.into())))
    }

    /// The bytes themselves. Every caller is a place to review: they go into a MAC, a comparison
    /// in constant time, or the `Authorization` header of the one request that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// True when there is nothing in it; an empty secret is a configuration error everywhere.
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
