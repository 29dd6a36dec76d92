//! Finds the parts of a file that may be secrets: the values below a key that is for secrets or has
//! a name like one, and the user part of addresses.

use std::collections::HashSet;
use std::ops::Range;

use super::tree::{Id, Kind, SECTIONS, Tree};
use crate::config::report::{Source, is_path};
use crate::config::similar::similar;

/// Keys that hold named secrets: names, and below each a reference.
const NAMED: [&str; 3] = ["api_keys", "admin_tokens", "ingest_tokens"];
/// Keys of a reference to a secret.
const REFERENCE: [&str; 3] = ["env", "file", "command"];
/// Parts of key names under which people write a secret itself.
const SOUNDS: [&str; 6] = ["secret", "token", "password", "passwd", "api_key", "apikey"];
/// A misspelling of one of these keys must not make the values below it visible.
const MISSPELT: [&str; 5] = ["secrets", "api_keys", "admin_tokens", "ingest_tokens", "password"];

/// Marks those parts in the source. Without a tree, it judges by the text of the lines.
pub(in crate::config) fn hide_secrets(source: &mut Source, tree: Option<&Tree>) {
    let mut ranges = Vec::new();
    if let Some(tree) = tree {
        let files = (0..tree.nodes.len()).map(Id).filter_map(|id| path_of_a_secret(tree, id));
        source.know_paths(files.map(str::to_owned).collect());
    }
    addresses(source.text(), &mut ranges);
    match tree {
        Some(tree) => {
            let ids = (0..tree.nodes.len()).map(Id);
            let declared = ids
                .clone()
                .filter(|id| tree.key(*id) == Some(NAMED[0]))
                .flat_map(|keys| tree.keys(keys))
                .collect();
            for id in ids.filter(|id| holds_secrets(tree, *id, &declared)) {
                let named = tree.key(id).is_some_and(|key| NAMED.contains(&key));
                below(tree, id, named, &mut ranges);
            }
        }
        None => by_lines(source.text(), &mut ranges),
    }
    source.hide(ranges);
}

fn holds_secrets(tree: &Tree, id: Id, declared: &HashSet<&str>) -> bool {
    // A job may be named `refresh-token`; that does not make the values below it secrets.
    let is_name = tree
        .node(id)
        .parent
        .is_some_and(|parent| tree.key(parent).is_some_and(|key| SECTIONS.contains(&key)));
    !is_name && tree.key(id).is_some_and(sounds_secret) && !names_a_key(tree, id, declared)
}

/// Whether a node is the `api_key` of a job and names a declared key. Such a name may be shown. Any
/// other text there may be the API key itself.
fn names_a_key(tree: &Tree, id: Id, declared: &HashSet<&str>) -> bool {
    match &tree.node(id).kind {
        Kind::Scalar { text, .. } => tree.key(id) == Some("api_key") && declared.contains(&**text),
        _ => false,
    }
}

fn sounds_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    SOUNDS.iter().any(|sound| key.contains(sound))
        || matches!(&*key, "key" | "keys")
        || similar(&key, MISSPELT).is_some()
}

fn below(tree: &Tree, id: Id, names: bool, ranges: &mut Vec<Range<usize>>) {
    if let Kind::Scalar { .. } = tree.node(id).kind
        && path_of_a_secret(tree, id).is_none()
    {
        ranges.push(tree.range(id));
    }
    for child in tree.children(id) {
        let shown = names || tree.key(*child).is_some_and(|key| REFERENCE.contains(&key));
        if tree.node(*child).key.is_some() && !shown {
            ranges.push(tree.key_range(*child));
        }
        below(tree, *child, false, ranges);
    }
}

/// The text of a `file:` that is shaped like a path, which is no secret. Any other text there may be the secret itself.
fn path_of_a_secret(tree: &Tree, id: Id) -> Option<&str> {
    match &tree.node(id).kind {
        Kind::Scalar { text, .. } if tree.key(id) == Some("file") => {
            Some(text.as_str()).filter(|text| is_path(text))
        }
        _ => None,
    }
}

/// Finds the part between `://` and `@`, as in `https://user:password@host`.
fn addresses(text: &str, ranges: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = &text[start..];
        let end = rest
            .find(|c: char| {
                c.is_whitespace() || matches!(c, '/' | '"' | '\'' | ',' | '}' | '?' | '#')
            })
            .unwrap_or(rest.len());
        if let Some(user) = rest[..end].rfind('@') {
            ranges.push(start..start + user);
        }
    }
    // `postgres://host/db?password=…`
    for (at, word) in text.match_indices("password=") {
        let start = at + word.len();
        let rest = &text[start..];
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | ',' | '}' | '#'))
            .unwrap_or(rest.len());
        ranges.push(start..start + end);
    }
}

/// For a file that could not be read: hides the rest of every line with such a key, and the lines
/// that follow with deeper indentation.
fn by_lines(text: &str, ranges: &mut Vec<Range<usize>>) {
    let mut at = 0;
    let mut under: Option<usize> = None;
    for line in text.split_inclusive(['\n', '\r']) {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let blank = content.trim_end().is_empty();
        let start = at;
        at += line.len();
        if blank {
            continue;
        }
        let lower = line.to_ascii_lowercase();
        if under.is_some_and(|outer| indent > outer || content.starts_with('-')) {
            ranges.push(start + indent..start + line.trim_end().len());
            continue;
        }
        under = None;
        let found = SOUNDS.iter().chain(&["key"]).filter_map(|sound| lower.find(sound)).min();
        if let Some(found) = found {
            under = Some(indent);
            let from = lower[found..].find(':').map_or(found, |colon| found + colon + 1);
            let end = line.trim_end().len();
            ranges.push(start + from.min(end)..start + end);
        }
    }
}
