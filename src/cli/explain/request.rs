//! A saved request, independent of the format of its file.

use http::{HeaderMap, Method};

/// A request that was saved.
#[derive(Debug, PartialEq)]
pub(super) struct SavedRequest {
    pub(super) method: Method,
    /// Its path; none where its first line was not saved.
    pub(super) path: Option<String>,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Why its body is not the one that was sent.
    pub(super) doubt: Option<String>,
    /// What the file lacks for a signature check. It is shown where the signature is missing.
    pub(super) lacks: Option<&'static str>,
}
