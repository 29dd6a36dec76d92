//! Finds jobs and sources that are declared and not used.

use std::collections::BTreeSet;

use super::checker::Checker;
use super::names::Kind;
use super::routes::Routes;
use crate::config::similar::list_of;

/// Warns of jobs and sources that no route uses, in one line each, so that it hides no other warning. It is silent if there is any fault, because that
/// may be the reason.
pub(super) fn warn(checker: Checker<'_>, routes: &Routes) {
    if !checker.sink.faults.borrow().is_empty() {
        return;
    }
    let jobs: BTreeSet<&str> = routes.values().map(|route| &*route.job.name).collect();
    let sources: BTreeSet<&str> =
        routes.values().flat_map(|route| &route.sources).map(|source| &**source).collect();
    each(checker, Kind::Job, &jobs, "no route starts them");
    each(
        checker,
        Kind::Source,
        &sources,
        "no route listens to them: their deliveries start nothing",
    );
}

fn each(checker: Checker<'_>, kind: Kind, used: &BTreeSet<&str>, why: &str) {
    let tree = &checker.file.tree;
    let section = tree.root().and_then(|root| tree.entry(root, kind.section()));
    let Some(section) = section else { return };
    let unused: Vec<&str> = tree.keys(section).filter(|name| !used.contains(name)).collect();
    let message = match unused[..] {
        [] => return,
        [name] => format!("{} `{name}` is not used", kind.word()),
        _ => {
            format!("{} of the {} are not used: {}", unused.len(), kind.section(), list_of(&unused))
        }
    };
    let first = tree.entry(section, unused[0]).filter(|_| unused.len() == 1);
    checker.warn(first.unwrap_or(section), message, why.to_owned());
}
