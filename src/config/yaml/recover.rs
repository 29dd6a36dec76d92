//! Reads a type out of a tree without stopping at the first fault. Broken values are cut out of the
//! tree and the rest is read again, until nothing is broken or nothing is left.

use serde::Deserialize;

use super::deserialize::{ErrorKind, NodeReader, Pass, ShapeError};
use super::tree::{Id, Kind, Tree};
use crate::config::report::{ENOUGH_FAULTS, Fault, Source, is_known};
use crate::config::similar::{did_you_mean, list_of};

/// The largest number of passes over one file. Each pass finds at least one fault in every section
/// that still has any.
const PASSES: usize = 100;

/// The value that could be read, and every fault that was found.
pub(in crate::config) fn recover<T>(tree: &mut Tree, source: &Source) -> (Option<T>, Vec<Fault>)
where
    T: for<'de> Deserialize<'de>,
{
    let mut faults = Vec::new();
    let Some(root) = tree.root() else { return (None, faults) };
    for _ in 0..PASSES {
        let pass = Pass::default();
        let result = T::deserialize(NodeReader { tree, id: root, pass: &pass });
        let again = pass.again.get();
        for error in pass.errors.into_inner().into_iter().take(ENOUGH_FAULTS) {
            faults.extend(new_fault(tree, source, &error));
        }
        tree.cut.extend(pass.cut.into_inner());
        if faults.len() > ENOUGH_FAULTS {
            return (None, faults);
        }
        match result {
            Ok(shape) if !again => return (Some(shape), faults),
            Ok(_) => {}
            Err(error) => {
                faults.extend(new_fault(tree, source, &error));
                let at = error.at.unwrap_or(root);
                if at == root || !tree.cut.insert(at) {
                    return (None, faults);
                }
            }
        }
    }
    (None, faults)
}

/// The fault, unless it may only follow from an earlier fault within the same value.
fn new_fault(tree: &Tree, source: &Source, error: &ShapeError) -> Option<Fault> {
    let is_conclusion = matches!(error.kind, ErrorKind::Refused(_))
        && error.at.is_some_and(|at| tree.is_damaged(at));
    (!is_conclusion).then(|| fault(tree, source, error))
}

fn fault(tree: &Tree, source: &Source, error: &ShapeError) -> Fault {
    let Some(id) = error.at.or(tree.root()) else {
        return Fault::of_file(source.name(), "the file cannot be read");
    };
    let hidden = source.is_hidden(&tree.range(id));
    match &error.kind {
        ErrorKind::UnknownKey { known } => unknown_key(tree, source, id, known),
        ErrorKind::UnknownWord { known } => {
            let word = scalar(tree, id).filter(|_| !hidden);
            let said = word.map_or_else(String::new, |word| format!("`{word}` "));
            let message = format!("{}: {said}is not one of {}", named(tree, id), list_of(known));
            let hint = word.and_then(|word| did_you_mean(word, known.iter().copied()));
            Fault::at(source, tree.spot(id), message, hint)
        }
        ErrorKind::Type { expected } => {
            let message = match tree.node(id).kind {
                Kind::Null => format!("{} has no value; it needs {expected}", named(tree, id)),
                _ => format!("{} must be {expected}, not {}", named(tree, id), found(tree, id)),
            };
            Fault::misplaced(source, tree.spot(id), message, None)
        }
        ErrorKind::Refused(words) => {
            let (message, hint) = match words.split_once('\n') {
                Some((message, hint)) => (message, Some(hint.to_owned())),
                None => (words.as_str(), None),
            };
            Fault::at(source, tree.spot(id), format!("{}: {message}", named(tree, id)), hint)
        }
    }
}

/// The key is named only where it is a misspelling of a known one, or a key of another place. Any other text
/// may be a secret that is used as a key.
fn unknown_key(tree: &Tree, source: &Source, id: Id, known: &[&str]) -> Fault {
    let range = tree.key_range(id);
    let key = tree.key(id).unwrap_or_default();
    let meant = did_you_mean(key, known.iter().copied());
    let hint = meant.clone().unwrap_or_else(|| format!("the keys here are {}", list_of(known)));
    if source.is_hidden(&range) || !(meant.is_some() || is_known(key)) {
        return Fault::misplaced(source, range, "this key does not belong here", hint);
    }
    Fault::at(source, range, format!("unknown key `{key}`"), hint)
}

/// How a message names a node: by its key, or by the key of its list.
fn named(tree: &Tree, id: Id) -> String {
    match (tree.key(id), tree.node(id).parent) {
        (Some(key), _) => format!("`{key}`"),
        (None, Some(parent)) => format!("an item of {}", named(tree, parent)),
        (None, None) => "the file".to_owned(),
    }
}

fn found(tree: &Tree, id: Id) -> &'static str {
    match &tree.node(id).kind {
        Kind::Null => "nothing",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a section",
        Kind::Scalar { text, style: saphyr_parser::ScalarStyle::Plain } => match text.as_str() {
            "true" | "false" => "a truth value",
            text if text.parse::<i64>().is_ok() => "a number",
            text if text.parse::<f64>().is_ok() => "a number with a fraction",
            _ => "text",
        },
        Kind::Scalar { .. } => "text in quotes",
    }
}

fn scalar(tree: &Tree, id: Id) -> Option<&str> {
    match &tree.node(id).kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}
