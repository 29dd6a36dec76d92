//! A file that is damaged is not written to any more once anybody has noticed, but for what is known
//! of a start that went out before.

use std::path::Path;
use std::sync::OnceLock;

use super::open::naming;
use super::values::is_damage;
use crate::store::StoreFault;

/// The first sign of damage.
#[derive(Debug, Default)]
pub(super) struct Damage(OnceLock<StoreFault>);

impl Damage {
    /// # Errors
    /// The sign of damage that there was.
    pub(super) fn none_yet(&self) -> Result<(), StoreFault> {
        self.0.get().map_or(Ok(()), |fault| Err(fault.clone()))
    }

    /// Hands a result on, and remembers damage.
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

/// Faults of reading do not name the file yet; those of writing do.
fn named(path: &Path, fault: StoreFault) -> StoreFault {
    let text = path.display().to_string();
    if fault.to_string().contains(&text) { fault } else { naming(path, fault) }
}
