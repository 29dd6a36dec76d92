//! Conditions on pull requests and on reports on commits: where they come from, and how they stand.

use std::sync::Arc;

use super::checker::Checker;
use super::doubts::asked;
use super::impossible::Sources;
use super::routes::{empty, written_blocks};
use crate::config::plan::RoutePlan;
use crate::config::shape::{ForkShape, Texts};
use crate::config::yaml::{At, Id};
use crate::matching::{Forks, On};
use crate::model::Status;
use crate::providers::{Tells, can_tell, known_kinds};

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

/// Warns of a route whose events may be of commits from forks, and that does not say whether it takes those: before,
/// it took them.
pub(super) fn warn(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &Sources) {
    for (block, on) in written_blocks(checker, id, route) {
        of_block(checker, block, on, sources);
    }
}

fn of_block(checker: Checker<'_>, block: Id, on: &On, sources: &Sources) {
    let merged = on.pull_request.as_ref().is_some_and(|pull| pull.merged == Some(true));
    if on.fork.is_some() || merged {
        return;
    }
    let asked = asked(&checker.file.tree, block);
    let takes = |kind: &str| on.events.as_ref().is_none_or(|kinds| kinds.pass(kind));
    let may_be_of_a_fork = |name: &Arc<str>| {
        let source = sources.get(name).filter(|source| source.provider.tells_git(&source.options));
        source.is_some_and(|source| {
            let provider = source.provider.name();
            known_kinds(provider).any(|kind| {
                takes(kind)
                    && can_tell(provider, kind, "fork") != Tells::Never
                    && asked.iter().all(|fact| can_tell(provider, kind, fact) != Tells::Never)
            })
        })
    };
    if !on.sources.iter().any(may_be_of_a_fork) {
        return;
    }
    let key = ["pull_request", "event", "source"].into_iter();
    let mut places = key.filter_map(|key| checker.file.tree.entry(block, key));
    let Some(at) = places.next() else { return };
    let what = match (&on.pull_request, &on.events) {
        (Some(_), _) => "requests from forks",
        (None, Some(_)) => "events of commits from forks",
        (None, None) => "events of commits from forks, such as requests",
    };
    checker.warn(
        at,
        format!(
            "this route no longer takes {what}, which it took up to version 0.1: their commits are \
             written by strangers"
        ),
        "write `fork: false` beside it if that is meant, or `fork: any` to start the job for \
         strangers' commits too"
            .to_owned(),
    );
}
