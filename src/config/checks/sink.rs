//! What the checks have found so far.

use std::cell::{Cell, RefCell};

use super::changed::Places;
use crate::config::report::{ENOUGH_FAULTS, Fault};
use crate::config::strength::WrittenUse;

/// Collects the findings. A finding is made only while there is room for it, since each reads the line of the file
/// that it is about, and a file may be one long line.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) faults: RefCell<Vec<Fault>>,
    pub(super) warnings: RefCell<Vec<Fault>>,
    /// What means something else than in the version before.
    pub(super) changed: RefCell<Places>,
    /// The findings that are made of it, beside warnings.
    pub(super) changes: RefCell<Vec<Fault>>,
    /// How many warnings were told, with those that there was no room for.
    warned: Cell<usize>,
    /// Every use of a secret.
    pub(super) secrets: RefCell<Vec<WrittenUse>>,
}

impl Sink {
    /// Adds a fault.
    pub(super) fn fault(&self, make: impl FnOnce() -> Fault) {
        add(&self.faults, make);
    }

    /// Adds a warning.
    pub(super) fn warning(&self, make: impl FnOnce() -> Fault) {
        self.warned.set(self.warned.get() + 1);
        add(&self.warnings, make);
    }

    /// How many warnings were told so far.
    pub(super) fn warned(&self) -> usize {
        self.warned.get()
    }
}

fn add(list: &RefCell<Vec<Fault>>, make: impl FnOnce() -> Fault) {
    let full = list.borrow().len() > ENOUGH_FAULTS;
    if !full {
        let found = make();
        list.borrow_mut().push(found);
    }
}
