//! Names of routes that several files claim. Such a name is held back in each of them: whoever owns one file
//! must not be able to take over the route of another, and the alphabet is no reason.

use std::collections::BTreeMap;

use super::OfFile;
use super::checker::Checker;
use crate::config::report::Effect;
use crate::config::yaml::Id;

/// The places of each name that more than one file claims, as `file:line`.
pub(super) type Claimed = BTreeMap<String, Vec<String>>;

/// The names that more than one file claims, also where a route has other faults.
pub(super) fn of_several(files: &[OfFile<'_>]) -> Claimed {
    let mut places = Claimed::new();
    for (checker, section) in files {
        for (name, entry) in section {
            places.entry(name.clone()).or_default().push(place(*checker, entry.id));
        }
    }
    places.retain(|_, places| places.len() > 1);
    places
}

/// Reports the name at this place, if another file claims it too.
pub(super) fn report(checker: Checker<'_>, claimed: &Claimed, name: &str, id: Id) {
    let Some(places) = claimed.get(name) else { return };
    let here = place(checker, id);
    let others: Vec<String> = places.iter().filter(|place| **place != here).cloned().collect();
    let files = if places.len() == 2 { "two" } else { "several" };
    let message = format!("route `{name}` is in {files} files, so none of them is in force");
    let hint = "give each a name of its own, such as the team's name in front".to_owned();
    checker.fault_with(id, message, hint, Effect::RouteHeldBack, others);
}

fn place(checker: Checker<'_>, id: Id) -> String {
    let source = &checker.file.source;
    let line = source.line(checker.file.tree.key_range(id).start);
    format!("{}:{line}", source.name())
}
