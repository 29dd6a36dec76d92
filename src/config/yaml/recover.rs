//! Reads a type out of a tree without stopping at the first fault. Broken values are cut out of the
//! tree and the rest is read again, until nothing is broken or nothing is left.

use serde::Deserialize;

use super::deserialize::{ErrorKind, NodeReader, Pass, ShapeError};
use super::foreign;
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
            if let Some((message, hint)) = outside(tree, id) {
                return Fault::misplaced(source, tree.key_range(id), message, hint);
            }
            let message = match tree.node(id).kind {
                Kind::Null => format!("{} has no value; it needs {expected}", named(tree, id)),
                _ => format!("{} must be {expected}, not {}", named(tree, id), found(tree, id)),
            };
            let hint = foreign::form(&above(tree, id), tree.key(id)).map(str::to_owned);
            Fault::misplaced(source, tree.spot(id), message, hint)
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
    let foreign = foreign::key(&above(tree, id), key);
    let meant = foreign.or_else(|| did_you_mean(key, known.iter().copied()));
    let hint = meant.clone().unwrap_or_else(|| format!("the keys here are {}", list_of(known)));
    if source.is_hidden(&range) || !(meant.is_some() || is_known(key)) {
        return Fault::misplaced(source, range, "this key does not belong here", hint);
    }
    Fault::at(source, range, format!("unknown key `{key}`"), hint)
}

/// The keys above a node, from the innermost.
fn above(tree: &Tree, id: Id) -> Vec<&str> {
    let mut keys = Vec::new();
    let mut at = tree.node(id).parent;
    while let Some(node) = at {
        keys.extend(tree.key(node));
        at = tree.node(node).parent;
    }
    keys
}

/// A key of a thing that stands beside the things of its section: it was indented too little.
fn outside(tree: &Tree, id: Id) -> Option<(String, String)> {
    let (key, parent) = (tree.key(id)?, tree.node(id).parent?);
    let section = tree.key(parent).filter(|_| tree.node(parent).parent == tree.root())?;
    if !foreign::is_of_one(section, key) {
        return None;
    }
    let before = tree.children(parent).iter().take_while(|child| **child != id).last();
    let hint = match before.and_then(|before| tree.key(*before)) {
        Some(name) => format!("indent it, so that it stands below `{name}`"),
        None => "write the name first, and indent this below it".to_owned(),
    };
    Some((format!("`{key}` stands among the names of `{section}`"), hint))
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
