//! Conditions on pull requests and on reports on commits: where they come from, and how they stand.

use super::checker::Checker;
use super::impossible::Sources;
use super::routes::{empty, written_blocks};
use crate::config::plan::RoutePlan;
use crate::config::shape::{ForkShape, Texts};
use crate::config::yaml::{At, Id};
use crate::matching::{Forks, On, Patterns};
use crate::model::Status;

/// Kinds of event that are about a request whatever else they say.
const OF_REQUESTS: [&str; 3] =
    ["pull_request", "pull_request_review", "pull_request_review_comment"];

/// Where a request may come from. It may be said beside `pull_request` or in it.
pub(super) fn fork(
    checker: Checker<'_>,
    beside: Option<&At<ForkShape>>,
    within: Option<&At<ForkShape>>,
) -> Option<Forks> {
    if let (Some(beside), Some(within)) = (beside, within)
        && beside.value != within.value
    {
        let hint = "keep one of the two".to_owned();
        checker.fault(within.id, "`fork` is said twice, and differently", hint);
    }
    beside.or(within).map(|at| match at.value {
        ForkShape::None => Forks::None,
        ForkShape::Only => Forks::Only,
        ForkShape::Any => Forks::Any,
    })
}

/// How a report on a commit must stand.
pub(super) fn status(checker: Checker<'_>, at: Option<&At<Texts>>) -> Vec<Status> {
    let Some(at) = at else { return Vec::new() };
    if empty(checker, at.id) {
        return Vec::new();
    }
    let mut wanted = Vec::new();
    for (id, text) in at.each() {
        let word = Status::ALL.into_iter().find(|status| status.word() == text);
        match word {
            Some(status) => wanted.push(status),
            None => {
                let hint = match Status::of(text) {
                    Some(status) => format!("all forges' words for it are read as `{status}`"),
                    None => format!("use {}", Status::ALL.map(Status::word).join(", ")),
                };
                checker.fault(id, format!("`{text}` is not a status"), hint);
            }
        }
    }
    wanted
}

/// Warns of a route for requests that does not say whether it takes those from forks: before, it took them.
pub(super) fn warn(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &Sources) {
    for (block, on) in written_blocks(checker, id, route) {
        of_block(checker, block, on, sources);
    }
}

fn of_block(checker: Checker<'_>, block: Id, on: &On, sources: &Sources) {
    let takes = |kinds: &Patterns| OF_REQUESTS.iter().any(|kind| kinds.pass(kind));
    let asks = match (&on.pull_request, &on.events) {
        (Some(_), None) => Some("pull_request"),
        (Some(_), Some(kinds)) => takes(kinds).then_some("pull_request"),
        (None, Some(kinds)) => takes(kinds).then_some("event"),
        (None, None) => None,
    };
    let merged = on.pull_request.as_ref().is_some_and(|pull| pull.merged == Some(true));
    let tells = |name: &std::sync::Arc<str>| {
        let source = sources.get(name);
        source.is_some_and(|source| source.provider.tells_git(&source.options))
    };
    let Some(key) = asks.filter(|_| on.fork.is_none() && !merged) else { return };
    if !on.sources.iter().any(tells) {
        return;
    }
    let Some(at) = checker.file.tree.entry(block, key) else { return };
    checker.warn(
        at,
        "this route no longer takes requests from forks, which it took up to version 0.1: their \
         commits are written by strangers",
        "write `fork: false` beside it if that is meant, or `fork: any` to start the job for \
         strangers' commits too"
            .to_owned(),
    );
}
