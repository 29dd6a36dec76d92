//! Tells what in a file means something else than in the version before: one finding for each change and file, with
//! every place.

use std::collections::BTreeMap;
use std::ops::Range;

use super::checker::Checker;
use super::impossible::Sources;
use super::routes::written_blocks;
use crate::config::changed::{Block, Change, Entry, OTHERS, ROWS, Touched, of_programs};
use crate::config::plan::{RoutePlan, SourcePlan};
use crate::config::report::{Effect, Fault};
use crate::config::yaml::Id;

/// The most other places that a finding lists.
const MOST_PLACES: usize = 20;

/// The places that were found, by file and name of the change.
pub(super) type Places = BTreeMap<(String, &'static str), (&'static Change, Vec<Range<usize>>)>;

/// Notes what is touched in a route.
pub(super) fn route(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &Sources) {
    for (block, on) in written_blocks(checker, id, route) {
        // What is missing may be what was written wrongly.
        if checker.is_damaged(Some(block)) {
            continue;
        }
        let known: Vec<&SourcePlan> =
            on.sources.iter().filter_map(|name| sources.get(name)).map(|it| &**it).collect();
        let block = Block::new(&checker.file.tree, (id, block), route, on, &known);
        for change in &ROWS {
            if let Touched::Block(find) = change.touched {
                note(checker, change, find(&block));
            }
        }
    }
}

/// Notes what is touched in a source.
pub(super) fn source(checker: Checker<'_>, id: Id, plan: &SourcePlan) {
    let entry = Entry { tree: &checker.file.tree, id, plan };
    for change in &ROWS {
        if let Touched::Source(find) = change.touched {
            note(checker, change, find(&entry));
        }
    }
}

/// Notes a program that prints a secret, and whose reference does not say what it needs of the environment.
pub(super) fn program(checker: Checker<'_>, id: Id) {
    let tree = &checker.file.tree;
    if tree.entry(id, "pass_env").is_none() {
        note(checker, of_programs(), tree.entry(id, "command").into_iter().collect());
    }
}

/// Tells what was noted in this file, and what is touched elsewhere in it.
pub(super) fn tell(checker: Checker<'_>) {
    for change in &OTHERS {
        if let Touched::File(find) = change.touched {
            note(checker, change, find(&checker.file.tree));
        }
    }
    let mut noted = checker.sink.changed.borrow_mut();
    for ((file, _), (change, places)) in noted.iter_mut() {
        if file == checker.file.source.name() {
            let found = finding(checker, change, places);
            match change.is_warning {
                true => checker.sink.warning(|| found),
                false => checker.sink.changes.borrow_mut().push(found),
            }
        }
    }
}

fn note(checker: Checker<'_>, change: &'static Change, places: Vec<Id>) {
    if places.is_empty() {
        return;
    }
    let mut noted = checker.sink.changed.borrow_mut();
    let file = checker.file.source.name().to_owned();
    let (_, all) = noted.entry((file, change.name)).or_insert_with(|| (change, Vec::new()));
    all.extend(places.into_iter().map(|id| checker.file.tree.key_range(id)));
}

fn finding(checker: Checker<'_>, change: &Change, places: &mut Vec<Range<usize>>) -> Fault {
    let source = &checker.file.source;
    places.sort_by_key(|place| (place.start, place.end));
    places.dedup();
    let at = |place: &Range<usize>| format!("{}:{}", source.name(), source.line(place.start));
    let first = places[0].clone();
    let mut others: Vec<String> = places[1..].iter().take(MOST_PLACES).map(at).collect();
    others.dedup();
    if places.len() > MOST_PLACES + 1 {
        others.push(format!("{} more places", places.len() - MOST_PLACES - 1));
    }
    // Both texts are the program's own and hold nothing of the file.
    let found = Fault { message: change.message(), ..Fault::at(source, first, "", None) };
    found.hint(change.mend).with(Effect::Nothing, others)
}
