//! The digest of a delivery's content.

use std::fmt;

/// What tells the content of one delivery from that of another: a BLAKE3 of 16 bytes. It is made in
/// [`crate::providers`], and only compared elsewhere.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ContentDigest([u8; Self::SIZE]);

impl ContentDigest {
    /// Its length in bytes.
    pub const SIZE: usize = 16;

    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// The digest as the bytes that a store keeps.
    pub const fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
