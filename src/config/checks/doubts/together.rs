//! Conditions that exclude each other.

use crate::config::checks::checker::Checker;
use crate::config::yaml::{Id, Tree};

/// Kinds of event that are never about a pull request.
const OF_REFS: [&str; 3] = ["push", "create", "delete"];

pub(super) fn warn(checker: Checker<'_>, on: Id) {
    let tree = &checker.file.tree;
    let entry = |key| tree.entry(on, key);
    if let (Some(_), Some(tag)) = (entry("branch"), entry("tag")) {
        let hint = "no event has both; say `ref:` for either, or write two blocks under `on:`";
        checker.warn(tag, "`branch` and `tag` never hold together", hint.to_owned());
    }
    let kinds = entry("event").map(|id| literals(tree, id)).unwrap_or_default();
    if let Some(request) = entry("pull_request")
        && !kinds.is_empty()
        && kinds.iter().all(|kind| OF_REFS.contains(kind))
    {
        let message = format!("`pull_request` never holds for `event: {}`", kinds.join(", "));
        checker.warn(
            request,
            message,
            "say `event: pull_request`, or leave one of them out".to_owned(),
        );
    }
    if let Some(request) = entry("pull_request")
        && let (Some(merged), Some(action)) =
            (tree.entry(request, "merged"), tree.entry(request, "action").or(entry("action")))
        && tree.texts(merged).iter().any(|(_, text)| *text == "true")
    {
        let actions = literals(tree, action);
        if !actions.is_empty()
            && !actions.iter().any(|action| matches!(*action, "closed" | "merged"))
        {
            let message =
                format!("`merged: true` never holds for `action: {}`", actions.join(", "));
            checker.warn(merged, message, "a request that is merged is `closed`".to_owned());
        }
    }
    if let Some(path) = entry("path")
        && entry("deleted").is_some_and(|id| tree.texts(id).iter().any(|(_, text)| *text == "true"))
    {
        let hint = "leave `path` out: an event that deletes changes no files";
        checker.warn(path, "`path` decides nothing beside `deleted: true`", hint.to_owned());
    }
}

/// The texts of a condition, if none of them is a pattern.
fn literals(tree: &Tree, id: Id) -> Vec<&str> {
    let texts: Vec<&str> = tree.texts(id).into_iter().map(|(_, text)| text).collect();
    let plain = texts.iter().all(|text| !text.contains(['*', '?', '[', '+', '!']));
    if plain { texts } else { Vec::new() }
}
