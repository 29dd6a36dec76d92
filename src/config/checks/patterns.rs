//! Lists of literals and patterns: their faults, and what they meant in the version before.

use super::checker::Checker;
use super::routes::empty;
use crate::config::shape::Texts;
use crate::config::yaml::{At, Id};
use crate::matching::Patterns;
use crate::model::{Grammar, pattern_changes};

/// Compiles a list of filters. Every fault is reported at its own item.
pub(super) fn patterns(checker: Checker<'_>, at: Option<&At<Texts>>) -> Option<Patterns> {
    patterns_as(checker, Grammar::Filter, at)
}

/// Compiles a list of patterns of this grammar. Every fault is reported at its own item, and so is every
/// pattern whose meaning is another one than in the version before.
pub(super) fn patterns_as(
    checker: Checker<'_>,
    grammar: Grammar,
    at: Option<&At<Texts>>,
) -> Option<Patterns> {
    let at = at?;
    if empty(checker, at.id) {
        return None;
    }
    let each = at.each();
    let mut texts: Vec<String> = each.iter().map(|(_, text)| (*text).to_owned()).collect();
    let damaged = checker.is_damaged(at.id);
    if damaged {
        // The item that was cut out may have been the only one that is not an exclusion.
        texts.push("**".to_owned());
    }
    match Patterns::parse_as(grammar, &texts) {
        Ok(patterns) => {
            for (id, text) in each {
                changed(checker, grammar, id, text);
            }
            Some(patterns)
        }
        Err(faults) => {
            for fault in faults {
                let id = each.get(fault.index).map_or(at.id, |(id, _)| *id);
                let (message, hint) = match fault.message.split_once("; ") {
                    Some((message, hint)) => (message, Some(hint.to_owned())),
                    None => (fault.message.as_str(), None),
                };
                checker.fault(id, message, hint);
            }
            None
        }
    }
}

fn changed(checker: Checker<'_>, grammar: Grammar, id: Option<Id>, text: &str) {
    let Some(id) = id else { return };
    for change in pattern_changes(grammar, text) {
        let message = format!("the meaning of `{text}` changed: {}; {}", change.before, change.now);
        checker.warn_of_value(id, message, change.mend);
    }
}
