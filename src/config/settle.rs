//! Decides which version of each file is in force if some files are broken. A broken `gateway.yaml`
//! changes nothing. A broken file of `routes.d/` holds back only its own routes.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{Checked, check};
use super::files::{FileText, Files};
use super::plan::Plan;
use super::report::{Fault, Report};
use super::secrets::SecretRef;

/// The files of `routes.d/` that are in force, by name.
pub(super) type InForce = BTreeMap<String, FileText>;

/// The files as read now, combined with those that were in force before.
#[derive(Debug)]
pub(super) struct Settled {
    /// The faults and warnings of the files as they are now.
    pub(super) report: Report,
    /// The secrets that are in files, as in [`Checked`].
    pub(super) secret_files: Vec<(SecretRef, Fault)>,
    /// What is to be in force. `None` if `gateway.yaml` is broken.
    pub(super) outcome: Option<Outcome>,
}

#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) plan: Plan,
    pub(super) in_force: InForce,
    /// Files whose newest version is not in force.
    pub(super) held_back: Vec<String>,
}

/// Decides what is to be in force. The report is always about the newest version of all files.
pub(super) fn settle(files: &Files, before: &InForce) -> Settled {
    let Checked { report, plan, secret_files } = check(files);
    let outcome = match plan {
        Some(plan) => Some(outcome(plan, files, files)),
        None if main_is_broken(files, &report) => None,
        None => without_the_faulty(files, before, &report).or_else(|| one_by_one(files, before)),
    };
    Settled { report, secret_files, outcome }
}

fn main_is_broken(files: &Files, report: &Report) -> bool {
    let of_routes: BTreeSet<&str> = files.routes.iter().map(|file| &*file.name).collect();
    report.faults.iter().any(|fault| !of_routes.contains(&*fault.file))
}

fn outcome(plan: Plan, in_force: &Files, newest: &Files) -> Outcome {
    let held_back = newest
        .routes
        .iter()
        .filter(|file| !in_force.routes.contains(file))
        .map(|file| file.name.clone())
        .collect();
    let in_force = in_force.routes.iter().map(|file| (file.name.clone(), file.clone())).collect();
    Outcome { plan, in_force, held_back }
}

fn with_routes(files: &Files, routes: Vec<FileText>) -> Files {
    Files { routes, ..files.clone() }
}

/// The common case: each file with a fault goes back to its earlier version, or is left out.
fn without_the_faulty(files: &Files, before: &InForce, report: &Report) -> Option<Outcome> {
    let faulty: BTreeSet<&str> = report.faults.iter().map(|fault| &*fault.file).collect();
    let routes = files
        .routes
        .iter()
        .filter_map(|file| match faulty.contains(&*file.name) {
            true => before.get(&file.name).cloned(),
            false => Some(file.clone()),
        })
        .collect();
    let attempt = with_routes(files, routes);
    check(&attempt).plan.map(|plan| outcome(plan, &attempt, files))
}

/// Files may conflict with each other. The versions in force are added first, as far as they fit.
/// Then each newer version replaces its earlier one if that causes no fault.
fn one_by_one(files: &Files, before: &InForce) -> Option<Outcome> {
    let mut routes: Vec<FileText> = Vec::new();
    let mut plan = check(&with_routes(files, Vec::new())).plan?;
    let kept = files.routes.iter().filter_map(|file| before.get(&file.name));
    // A route that moves from one file to another fits only in the second round.
    let newer = files.routes.iter().chain(&files.routes);
    for file in kept.chain(newer) {
        if routes.contains(file) {
            continue;
        }
        let mut with: Vec<FileText> =
            routes.iter().filter(|other| other.name != file.name).cloned().collect();
        with.push(file.clone());
        with.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(good) = check(&with_routes(files, with.clone())).plan {
            plan = good;
            routes = with;
        }
    }
    Some(outcome(plan, &with_routes(files, routes), files))
}
