//! Remembers that the file is damaged. After that, the store refuses every write except the outcomes of
//! attempts that were sent before.

use std::path::Path;
use std::sync::OnceLock;

use super::open::naming;
use super::values::is_damage;
use crate::store::StoreFault;

/// The first fault that showed damage.
#[derive(Debug, Default)]
pub(super) struct Damage(OnceLock<StoreFault>);

impl Damage {
    /// Succeeds while no damage was found.
    ///
    /// # Errors
    /// The first fault that showed damage.
    pub(super) fn none_yet(&self) -> Result<(), StoreFault> {
        self.0.get().map_or(Ok(()), |fault| Err(fault.clone()))
    }

    /// Gives the result back, and remembers a fault that shows damage.
    pub(super) fn seen<T>(
        &self,
        result: Result<T, StoreFault>,
        path: &Path,
    ) -> Result<T, StoreFault> {
        if let Err(fault) = &result
            && is_damage(fault)
        {
            self.0.get_or_init(|| named(path, fault.clone()));
        }
        result
    }
}

/// The fault with the file's path in its message. Faults of writing have it already; faults of reading do
/// not.
fn named(path: &Path, fault: StoreFault) -> StoreFault {
    let text = path.display().to_string();
    if fault.to_string().contains(&text) { fault } else { naming(path, fault) }
}
