//! The facts of git that a block of a route's `on:` asks for, as it is written. Pure.

use super::yaml::{Id, Tree};

/// The keys of `on:` that a missing fact fails, each with the key in it if it is a section.
pub(super) const FACTS: [&[&str]; 15] = [
    &["repository"],
    &["branch"],
    &["tag"],
    &["sha"],
    &["before"],
    &["author"],
    &["default_branch"],
    &["deleted"],
    &["forced"],
    &["status"],
    &["pull_request"],
    &["pull_request", "action"],
    &["pull_request", "base"],
    &["pull_request", "head"],
    &["pull_request", "merged"],
];

/// The place where a block asks for the fact of this key; none where it does not. `false` is also true of an event that
/// says nothing.
pub(super) fn asked(tree: &Tree, block: Id, path: &[&str]) -> Option<Id> {
    let at = path.iter().try_fold(block, |map, key| tree.entry(map, key))?;
    (!tree.texts(at).iter().any(|(_, text)| *text == "false")).then_some(at)
}
