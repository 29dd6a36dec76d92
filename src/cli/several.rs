//! Commands that take several ids: each id is an act of its own, and one that fails keeps no other from being done.

use super::failure::Failure;
use super::screen::aside;

/// Does `act` for each id and hands its result to `done`. It stops only where the gateway cannot be reached.
///
/// # Errors
/// The failure, where there is one id; else one of the same kind as the first failure, which says how many there
/// were. Each is written to standard error.
pub(super) async fn each<Id, T>(
    ids: &[Id],
    act: impl AsyncFn(&Id) -> Result<T, Failure>,
    mut done: impl FnMut(T),
) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for id in ids {
        match act(id).await {
            Ok(result) => done(result),
            Err(failure @ Failure::Unreachable(_)) => return Err(failure),
            Err(failure) if ids.len() == 1 => return Err(failure),
            Err(failure) => {
                aside(format!("error: {failure}"));
                failures.push(failure);
            }
        }
    }
    let count = failures.len();
    let words = format!("{count} of {} could not be done", ids.len());
    match failures.into_iter().next() {
        None => Ok(()),
        Some(Failure::Missing(_)) => Err(Failure::Missing(words)),
        Some(Failure::Conflict(_)) => Err(Failure::Conflict(words)),
        Some(_) => Err(Failure::Failed(words)),
    }
}
