//! Decides which version of each file is in force if some files are broken. A broken `gateway.yaml`
//! changes nothing. A broken file of `routes.d/` holds back only its own routes. A name of a route that
//! several files claim is held back in all of them, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{Checked, check};
use super::files::{FileText, Files};
use super::plan::{HeldBack, Plan};
use super::report::{Effect, Report};
use super::strength::WrittenUse;

/// Names of routes that several files claim.
type Claims = BTreeSet<String>;

/// The files of `routes.d/` that are in force, by name.
pub(super) type InForce = BTreeMap<String, FileText>;

/// The files as read now, combined with those that were in force before.
#[derive(Debug)]
pub(super) struct Settled {
    /// The faults and warnings of the files as they are now.
    pub(super) report: Report,
    /// The places of secrets, as in [`Checked`].
    pub(super) secrets: Vec<WrittenUse>,
    /// What is to be in force. `None` if `gateway.yaml` is broken.
    pub(super) outcome: Option<Outcome>,
}

#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) plan: Plan,
    pub(super) in_force: InForce,
    /// Files whose newest version is not in force.
    pub(super) held_back: Vec<String>,
    /// Routes that are not in force because several files claim their name.
    pub(super) routes_held_back: Vec<String>,
}

/// Decides what is to be in force. The report is always about the newest version of all files.
pub(super) fn settle(files: &Files, before: &InForce) -> Settled {
    let Checked { report, plan, secrets, claimed } = check(files, &Claims::new());
    // What the newest versions claim counts, even if one of them is held back: an older version of one
    // file must not decide for another.
    let outcome = match plan {
        Some(plan) => Some(outcome(plan, files, files, claimed)),
        None if main_is_broken(files, &report) => None,
        None => without_the_faulty(files, before, &report, &claimed)
            .or_else(|| one_by_one(files, before, &claimed)),
    };
    Settled { report, secrets, outcome }
}

fn main_is_broken(files: &Files, report: &Report) -> bool {
    let of_routes: BTreeSet<&str> = files.routes.iter().map(|file| &*file.name).collect();
    let mut faults = report.faults.iter().filter(|fault| fault.effect == Effect::FileHeldBack);
    faults.any(|fault| !of_routes.contains(&*fault.file))
}

fn outcome(mut plan: Plan, in_force: &Files, newest: &Files, claimed: Claims) -> Outcome {
    let held_back: Vec<String> = newest
        .routes
        .iter()
        .filter(|file| !in_force.routes.contains(file))
        .map(|file| file.name.clone())
        .collect();
    let in_force = in_force.routes.iter().map(|file| (file.name.clone(), file.clone())).collect();
    plan.held_back = HeldBack { routes: claimed.clone(), files: held_back.clone() };
    Outcome { plan, in_force, held_back, routes_held_back: claimed.into_iter().collect() }
}

fn with_routes(files: &Files, routes: Vec<FileText>) -> Files {
    Files { routes, ..files.clone() }
}

/// The common case: each file with a fault goes back to its earlier version, or is left out.
fn without_the_faulty(
    files: &Files,
    before: &InForce,
    report: &Report,
    claimed: &Claims,
) -> Option<Outcome> {
    let faults = report.faults.iter().filter(|fault| fault.effect == Effect::FileHeldBack);
    let faulty: BTreeSet<&str> = faults.map(|fault| &*fault.file).collect();
    let routes = files
        .routes
        .iter()
        .filter_map(|file| match faulty.contains(&*file.name) {
            true => before.get(&file.name).cloned(),
            false => Some(file.clone()),
        })
        .collect();
    of(with_routes(files, routes), files, claimed)
}

/// An earlier version may not fit to the rest any more. The versions in force are added first, as far as they
/// fit. Then each newer version replaces its earlier one if that causes no fault.
fn one_by_one(files: &Files, before: &InForce, claimed: &Claims) -> Option<Outcome> {
    let mut best = of(with_routes(files, Vec::new()), files, claimed)?;
    let mut routes: Vec<FileText> = Vec::new();
    let kept = files.routes.iter().filter_map(|file| before.get(&file.name));
    for file in kept.chain(&files.routes) {
        if routes.contains(file) {
            continue;
        }
        let mut with: Vec<FileText> =
            routes.iter().filter(|other| other.name != file.name).cloned().collect();
        with.push(file.clone());
        with.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(good) = of(with_routes(files, with.clone()), files, claimed) {
            best = good;
            routes = with;
        }
    }
    Some(best)
}

/// The outcome of putting these files into force, if none of them has a fault that holds it back.
fn of(attempt: Files, newest: &Files, claimed: &Claims) -> Option<Outcome> {
    let Checked { plan, claimed: among_these, .. } = check(&attempt, claimed);
    let claimed = claimed.union(&among_these).cloned().collect();
    Some(outcome(plan?, &attempt, newest, claimed))
}
