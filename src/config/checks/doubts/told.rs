//! Conditions on facts that no sender of a route tells of the events that the route asks for.

use crate::config::asked::{FACTS, asked};
use crate::config::checks::checker::Checker;
use crate::config::plan::SourcePlan;
use crate::config::yaml::{Id, Tree};
use crate::providers::{Tells, can_tell, known_kinds};

/// A kind of event of a sender.
type Kind<'a> = (&'a SourcePlan, &'a str);

pub(super) fn warn(checker: Checker<'_>, on: Id, sources: &[&SourcePlan]) {
    let tree = &checker.file.tree;
    let Some(kinds) = kinds(tree, on, sources) else { return };
    let mut failed = "";
    for path in std::iter::once(&["action"][..]).chain(FACTS) {
        let Some(at) = asked(tree, on, path) else { continue };
        // One finding on a section is enough.
        if path[0] == failed || !never(&kinds, &path.join(".")) {
            continue;
        }
        failed = path[0];
        let message = format!("`{}` never holds here: {} it", path.join("."), none_tells(&kinds));
        let hint = "docs/git.md lists what each event tells; ask with `if:` for what its body says";
        checker.warn(at, message, hint.to_owned());
    }
    if let Some(at) = tree.entry(on, "path").filter(|_| never(&kinds, "path")) {
        let message =
            format!("`path` decides nothing here: {} which files changed", none_tells(&kinds));
        let hint = "leave it out; `on_unknown_paths` says what becomes of each event: `start`, unless \
                    the route says `skip` or `hold`";
        checker.warn(at, message, hint.to_owned());
    }
}

/// The kinds of event that a block asks for. None where one of them may be of a kind that is not known.
fn kinds<'a>(tree: &'a Tree, on: Id, sources: &[&'a SourcePlan]) -> Option<Vec<Kind<'a>>> {
    let events = tree.entry(on, "event").map(|id| tree.texts(id));
    let mut kinds = Vec::new();
    for source in sources {
        let provider = source.provider.name();
        match &events {
            None => kinds.extend(known_kinds(provider).map(|kind| (*source, kind))),
            Some(events) => kinds.extend(events.iter().map(|(_, text)| (*source, *text))),
        }
        known_kinds(provider).next()?;
    }
    let known =
        |(source, kind): &Kind<'_>| known_kinds(source.provider.name()).any(|known| known == *kind);
    (!kinds.is_empty() && kinds.iter().all(known)).then_some(kinds)
}

fn never(kinds: &[Kind<'_>], fact: &str) -> bool {
    kinds.iter().all(|(source, kind)| can_tell(source.provider.name(), kind, fact) == Tells::Never)
}

/// Words such as: no `push` of GitLab tells
fn none_tells(kinds: &[Kind<'_>]) -> String {
    let mut senders: Vec<&str> = kinds.iter().map(|(source, _)| source.provider.title()).collect();
    senders.dedup();
    let senders = senders.join(" or ");
    match kinds {
        [(_, kind)] => format!("no `{kind}` event of {senders} tells"),
        _ => format!("no such event of {senders} tells"),
    }
}
