//! The configuration: reads the files, checks them, reports every fault at once, and builds the
//! [`Plan`] that all steps use. It also gives out secrets, and keeps the plan up to date.
//!
//! Most of it is pure. Only `files` reads the configuration files, `permissions` looks at the modes
//! of secret files, `secrets` reads secrets when a step asks for them, and `live` and `watch`
//! reload. A plan, a report or a `Debug` text never contains a secret. A plan that is in use never
//! changes.

mod asked;
mod changed;
mod checks;
mod docs;
mod documented;
mod files;
mod health;
mod live;
mod networks;
mod permissions;
mod plan;
mod reach;
mod repeats;
mod report;
mod schema;
mod secrets;
mod settle;
mod shape;
mod similar;
mod strength;
mod watch;
mod yaml;

use std::path::Path;

pub use changed::page as changed_meanings;
pub use docs::docs_markdown;
pub use documented::documented_source;
pub use health::health_address;
pub use live::{Change, Live, NoSuchToken, SourceSecrets, came_to};
pub use networks::Networks;
pub use plan::{
    DatabaseUser, Held, HeldBack, JobPlan, OnUnknown, Plan, PostgresPlan, Probe, ProxyHeader, Rate,
    RetentionPlan, RoutePlan, ServerPlan, SourcePlan, StorePlan, WorkbenchPlan,
};
pub use repeats::{NAMED_WINDOW, Repeats, UNNAMED_WINDOW};
pub(crate) use report::is_name as looks_like_a_name;
pub use report::{Effect, Excerpt, Fault, Report};
pub use schema::schema;
pub use secrets::{Program, SecretFault, SecretRef, SecretResolver};
pub use similar::provider_meant;
pub use strength::Doubt;
pub use watch::Watch;

use crate::model::Role;
use files::Files;
use strength::Known;

/// A configuration without faults.
#[derive(Debug)]
pub struct Loaded {
    /// The plan that it describes.
    pub plan: Plan,
    /// What is unusual in it, but may be intended.
    pub warnings: Report,
}

/// Reads a configuration, and accepts it only if no file has a fault.
///
/// # Errors
/// A report with every fault of every file.
pub fn load(path: &Path) -> Result<Loaded, Report> {
    match check(path) {
        (warnings, Some(plan)) => Ok(Loaded { plan, warnings }),
        (report, None) => Err(report),
    }
}

/// What a configuration without faults declares. It reads the files, and no secret; nothing is reported.
pub fn names_in(path: &Path) -> Option<Plan> {
    checks::check(&Files::read(path), &Default::default()).plan
}

/// Reads a configuration and reports everything about it. The plan is `Some` if no file has a
/// fault. To see whether a secret is weak or used twice, it reads those in files and variables. It runs no
/// program and opens no connection.
pub fn check(path: &Path) -> (Report, Option<Plan>) {
    let files = Files::read(path);
    let checked = checks::check(&files, &Default::default());
    let mut report = checked.report;
    let store = checked.plan.as_ref().map(|plan| &plan.store);
    permissions::warn(&mut report, path, &files, &checked.secrets, store);
    let resolver = SecretResolver::new();
    strength::report(&mut report, &checked.secrets, |reference| {
        let answer = resolver.read_without_program(reference);
        answer.map_or(Known::Unknown, Known::of)
    });
    let plan = checked.plan.filter(|_| report.is_good());
    if let Some(plan) = &plan {
        permissions::warn_of_store(&mut report, &path.display().to_string(), &plan.store);
        report.apply_retention();
    }
    (report, plan)
}

/// What other users of this machine may do with the files of the embedded store, in words; empty where they
/// are the gateway's alone.
pub fn exposed(path: &Path, store: &StorePlan) -> Vec<String> {
    let mut report = Report::default();
    permissions::warn_of_store(&mut report, &path.display().to_string(), store);
    report.warnings.into_iter().map(|warning| warning.message).collect()
}

/// Warnings about secrets that a process of this role could read and must not be able to. Reads no secret.
pub fn out_of_place(plan: &Plan, role: Role, path: &Path) -> Vec<Fault> {
    reach::out_of_place(plan, role, &path.display().to_string())
}

#[cfg(test)]
mod tests;
