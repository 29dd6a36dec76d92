//! `jobs:`.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::checker::Checker;
use super::names::Kind;
use super::server::not_zero;
use super::workbenches::{is_segment, page};
use crate::config::plan::{JobPlan, WorkbenchPlan};
use crate::config::shape::{JobShape, OnResume, Section};
use crate::config::yaml::{At, Id, Required};
use crate::model::{Backlog, Target, is_newly_reserved, is_own, is_reserved};

/// The largest `env_max` in bytes, so that a start request stays small.
const MOST_ENV: u64 = 1 << 20;

/// The largest `starts_at_once` of one job: half of the number that all jobs share.
const MOST_AT_ONCE: u32 = 128;

/// The reserved names that each job allows, including jobs that have other faults.
pub(super) type Allowed = BTreeMap<String, Vec<String>>;

type Workbenches = BTreeMap<Arc<str>, Arc<WorkbenchPlan>>;

pub(super) fn jobs(
    checker: Checker<'_>,
    section: Section<JobShape>,
    workbenches: &Workbenches,
) -> (BTreeMap<Arc<str>, Arc<JobPlan>>, Allowed) {
    let mut plans = BTreeMap::new();
    let mut allowed = Allowed::new();
    for (name, entry) in section {
        checker.name(entry.id);
        let Some(shape) = entry.value else { continue };
        allow(checker, &shape.allow_reserved);
        let names = shape.allow_reserved.iter().map(|at| at.value.clone()).collect();
        allowed.insert(name.clone(), names);
        if let Some(plan) = job(checker, &name, entry.id, shape, workbenches) {
            plans.insert(name.into(), Arc::new(plan));
        }
    }
    (plans, allowed)
}

/// Identifies what a job starts. Two jobs of one name differ here if they start something else, or
/// use another key. Limits are left out, because they may be changed while runs wait.
fn declared(name: &str, workbench: &WorkbenchPlan, target: &Target, api_key: &str) -> String {
    let mut digest = Sha256::new();
    let address = [&*workbench.name, workbench.url.as_str(), &workbench.api_prefix];
    let target = target.parts();
    let parts = target.iter().map(String::as_str).chain([api_key]);
    for part in address.into_iter().chain(parts) {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    format!("{name} {}", hex::encode(&digest.finalize()[..8]))
}

fn allow(checker: Checker<'_>, names: &[At<String>]) {
    for at in names {
        if is_own(&at.value) {
            let hint = "the gateway sets these itself".to_owned();
            checker.fault(at.id, format!("`{}` can never be allowed", at.value), hint);
        } else if is_reserved(&at.value).is_none() && is_newly_reserved(&at.value).is_none() {
            let hint = "remove it; routes may set it as it is".to_owned();
            checker.fault(at.id, format!("`{}` is not a reserved name", at.value), hint);
        }
    }
}

fn job(
    checker: Checker<'_>,
    name: &str,
    id: Id,
    mut shape: JobShape,
    workbenches: &Workbenches,
) -> Option<JobPlan> {
    let workbench = workbench(checker, id, std::mem::take(&mut shape.workbench), workbenches);
    let target = target(checker, id, &shape, workbench);
    let api_key = checker.need(id, "api_key", shape.api_key);
    if let (Some(key), Some(workbench)) = (&api_key, workbench) {
        api_key_exists(checker, key, workbench);
    }
    let paces = [&shape.starts_per_minute, &shape.starts_per_hour, &shape.resume_per_minute];
    for limit in paces.into_iter().flatten() {
        checker.not_zero(limit);
    }
    if let Some(at) = &shape.max_age {
        not_zero(checker, at);
    }
    limits(checker, &shape.starts_at_once, [&shape.deadline, &shape.retry.first, &shape.retry.max]);
    if shape.retry.first.value > shape.retry.max.value {
        let id = shape.retry.first.id.or(shape.retry.max.id);
        checker.fault(id, "the first pause is longer than the longest one", None);
    }
    if shape.env_max.value.0 > MOST_ENV || shape.env_max.value.0 == 0 {
        let hint = "write a size from 1B to 1MiB".to_owned();
        checker.fault(shape.env_max.id, "this is not a usable size of an environment", hint);
    }
    let target = target?;
    let (workbench, api_key) = (workbench?, api_key?.value);
    Some(JobPlan {
        declared: declared(name, workbench, &target, &api_key).into(),
        name: name.into(),
        workbench: Arc::clone(workbench),
        target,
        api_key: api_key.into(),
        deadline: shape.deadline.value.0,
        starts_at_once: shape.starts_at_once.value,
        starts_per_minute: shape.starts_per_minute.map(|at| at.value),
        starts_per_hour: shape.starts_per_hour.map(|at| at.value),
        max_age: shape.max_age.map(|at| at.value.0),
        on_resume: match shape.on_resume {
            OnResume::Paced => Backlog::Paced,
            OnResume::Latest => Backlog::Latest,
            OnResume::Review => Backlog::Review,
        },
        resume_per_minute: shape.resume_per_minute.as_ref().map(|at| at.value),
        on_unknown: shape.on_unknown,
        probe: shape.probe,
        retry_first: shape.retry.first.value.0,
        retry_max: shape.retry.max.value.0,
        env_max: usize::try_from(shape.env_max.value.0).unwrap_or(usize::MAX),
        allow_reserved: shape
            .allow_reserved
            .iter()
            .map(|at| at.value.to_ascii_uppercase())
            .collect(),
        description: shape.description,
    })
}

fn limits(checker: Checker<'_>, starts: &At<u32>, periods: [&At<crate::config::shape::Period>; 3]) {
    checker.not_zero(starts);
    if starts.value > MOST_AT_ONCE {
        let hint = format!(
            "write {MOST_AT_ONCE} or less; all jobs together may have {} starts in flight",
            2 * MOST_AT_ONCE
        );
        checker.fault(starts.id, "these are too many starts at once", hint);
    }
    for period in periods {
        not_zero(checker, period);
    }
}

fn workbench<'a>(
    checker: Checker<'_>,
    id: Id,
    field: Required<At<String>>,
    workbenches: &'a Workbenches,
) -> Option<&'a Arc<WorkbenchPlan>> {
    let at = checker.need(id, "workbench", field)?;
    checker.refers(Kind::Workbench, at.id, &at.value);
    workbenches.get(at.value.as_str())
}

/// Checks that the workbench has the key. It looks in the file and not in the plan, because keys
/// with faults are only in the file.
fn api_key_exists(checker: Checker<'_>, key: &At<String>, workbench: &WorkbenchPlan) {
    let tree = &checker.file.tree;
    let section = tree
        .root()
        .and_then(|root| tree.entry(root, "workbenches"))
        .and_then(|all| tree.entry(all, &workbench.name))
        .and_then(|one| tree.entry(one, "api_keys"));
    let known: Vec<&str> = section.map(|section| tree.keys(section).collect()).unwrap_or_default();
    let unreadable = known.is_empty() && checker.is_damaged(section);
    if !unreadable && !known.contains(&key.value.as_str()) {
        let word = format!("API key of workbench `{}` named", workbench.name);
        checker.unknown(key.id, &word, "api_keys", &key.value, &known);
    }
}

/// The job on the workbench, from `page`, or from `project` and `job`.
fn target(
    checker: Checker<'_>,
    id: Id,
    shape: &JobShape,
    workbench: Option<&Arc<WorkbenchPlan>>,
) -> Option<Target> {
    let both = "write either `page`, or `project` and `job`".to_owned();
    match (&shape.page, &shape.project, &shape.job) {
        (Some(at), None, None) => page(checker, at, workbench.map(|plan| &**plan)),
        (Some(at), _, _) => {
            checker.fault(at.id, "the job is said in two ways", both);
            None
        }
        (None, Some(project), number) => {
            let owner = owner_and_project(checker, project);
            let number = match number {
                Some(at) => {
                    if at.value == 0 {
                        checker.fault(at.id, "a job's number is at least 1", None);
                    }
                    Some(at.value)
                }
                None => checker.need(id, "job", Required(None)),
            };
            let (owner, project) = owner?;
            Some(Target::V1 { owner, project, number: number? })
        }
        (None, None, Some(_)) => checker.need(id, "project", Required(None)),
        (None, None, None) => {
            let written = ["page", "project", "job"];
            if written.iter().all(|key| checker.file.tree.entry(id, key).is_none()) {
                let name = checker.file.tree.key(id).unwrap_or_default();
                checker.fault_of_key(id, format!("`{name}` does not say which job it is"), both);
            }
            None
        }
    }
}

fn owner_and_project(checker: Checker<'_>, at: &At<String>) -> Option<(String, String)> {
    match at.value.split_once('/') {
        Some((owner, project)) if is_segment(owner) && is_segment(project) => {
            Some((owner.to_owned(), project.to_owned()))
        }
        _ => {
            let hint = "write owner/project as in the address of its page: alice/risk-analysis";
            checker.fault(at.id, "this is not a project", hint.to_owned());
            None
        }
    }
}
