//! Conditions on pull requests and on reports on commits: where they come from, and how they stand.

use super::checker::Checker;
use super::routes::empty;
use crate::config::shape::{ForkShape, Texts};
use crate::config::yaml::At;
use crate::matching::Forks;
use crate::model::Status;

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
