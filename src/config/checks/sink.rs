//! What the checks have found so far.

use std::cell::RefCell;

use crate::config::report::Fault;
use crate::config::secrets::SecretRef;

/// Collects the findings.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) faults: RefCell<Vec<Fault>>,
    pub(super) warnings: RefCell<Vec<Fault>>,
    /// Every reference to a secret, with a fault that has its place and says nothing yet.
    pub(super) secrets: RefCell<Vec<(SecretRef, Fault)>>,
}
