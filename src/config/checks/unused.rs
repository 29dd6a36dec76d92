//! What is declared and serves nothing.

use std::collections::BTreeSet;

use super::desk::Desk;
use super::names::Kind;
use super::routes::Routes;

/// Warns of jobs and sources that no route uses, once there is no fault that could be the reason.
pub(super) fn warn(desk: Desk<'_>, routes: &Routes) {
    if !desk.sink.faults.borrow().is_empty() {
        return;
    }
    let jobs: BTreeSet<&str> = routes.values().map(|route| &*route.job.name).collect();
    let sources: BTreeSet<&str> =
        routes.values().flat_map(|route| &route.sources).map(|source| &**source).collect();
    each(desk, Kind::Job, &jobs, "no route starts it");
    each(desk, Kind::Source, &sources, "no route listens to it: its deliveries start nothing");
}

fn each(desk: Desk<'_>, kind: Kind, used: &BTreeSet<&str>, why: &str) {
    let tree = &desk.file.tree;
    let section = tree.root().and_then(|root| tree.entry(root, kind.section()));
    let Some(section) = section else { return };
    for name in tree.keys(section).filter(|name| !used.contains(name)) {
        if let Some(id) = tree.entry(section, name) {
            desk.warn(id, format!("{} `{name}` is not used", kind.word()), why.to_owned());
        }
    }
}
