//! What the checks have found so far.

use std::cell::RefCell;

use crate::config::report::Fault;
use crate::config::strength::WrittenUse;

/// Collects the findings.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) faults: RefCell<Vec<Fault>>,
    pub(super) warnings: RefCell<Vec<Fault>>,
    /// Every use of a secret.
    pub(super) secrets: RefCell<Vec<WrittenUse>>,
}
