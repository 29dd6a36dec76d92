//! What a route says and probably does not mean: conditions that can never hold or decide nothing, texts that
//! are taken for expressions, and expressions that are no conditions. Each is a warning with the reason and the
//! way to write it.

mod expressions;
mod texts;
mod together;
mod told;

use super::checker::Checker;
use super::impossible::Sources;
use crate::config::plan::{RoutePlan, SourcePlan};
use crate::config::yaml::Id;

/// The sources of a block that names its own, else those of the route.
fn of_block<'s>(
    checker: Checker<'_>,
    block: Id,
    sources: &'s Sources,
    all: &[&'s SourcePlan],
) -> Vec<&'s SourcePlan> {
    let tree = &checker.file.tree;
    let Some(at) = tree.entry(block, "source") else { return all.to_vec() };
    let named = tree.texts(at);
    let known: Vec<&SourcePlan> =
        named.iter().filter_map(|(_, name)| sources.get(*name)).map(|source| &**source).collect();
    if known.len() == named.len() { known } else { Vec::new() }
}

/// Warns of what is doubtful in a route.
pub(super) fn warn(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &Sources) {
    let known: Vec<&SourcePlan> =
        route.sources.iter().filter_map(|name| sources.get(name)).map(|source| &**source).collect();
    // A source that could not be read may be one for which it makes sense.
    let known = if known.len() == route.sources.len() { known } else { Vec::new() };
    let tree = &checker.file.tree;
    if let Some(on) = tree.entry(id, "on") {
        let blocks = if tree.is_list(on) { tree.items(on) } else { vec![on] };
        for block in blocks {
            texts::warn(checker, block, &known);
            let before = checker.sink.warned();
            together::warn(checker, block);
            if checker.sink.warned() == before {
                told::warn(checker, block, &of_block(checker, block, sources, &known));
            }
        }
    }
    expressions::warn(checker, id, route, &known);
}
