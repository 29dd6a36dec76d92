//! Finds jobs and sources that are declared and not used.

use std::collections::BTreeSet;

use super::checker::Checker;
use super::names::Kind;
use super::routes::Routes;

/// Warns of jobs and sources that no route uses. It is silent if there is any fault, because that
/// may be the reason.
pub(super) fn warn(checker: Checker<'_>, routes: &Routes) {
    if !checker.sink.faults.borrow().is_empty() {
        return;
    }
    let jobs: BTreeSet<&str> = routes.values().map(|route| &*route.job.name).collect();
    let sources: BTreeSet<&str> =
        routes.values().flat_map(|route| &route.sources).map(|source| &**source).collect();
    each(checker, Kind::Job, &jobs, "no route starts it");
    each(checker, Kind::Source, &sources, "no route listens to it: its deliveries start nothing");
}

fn each(checker: Checker<'_>, kind: Kind, used: &BTreeSet<&str>, why: &str) {
    let tree = &checker.file.tree;
    let section = tree.root().and_then(|root| tree.entry(root, kind.section()));
    let Some(section) = section else { return };
    for name in tree.keys(section).filter(|name| !used.contains(name)) {
        if let Some(id) = tree.entry(section, name) {
            checker.warn(id, format!("{} `{name}` is not used", kind.word()), why.to_owned());
        }
    }
}
