//! The configuration: reads the files, checks them, reports every fault at once, and builds the
//! [`Plan`] that all steps use. Also hands out secrets, and keeps the plan up to date.
//!
//! Pure but for `files` (reads the files), `secrets` (reads secrets when a step asks) and `live`
//! with its `watch`. It never puts a secret into a plan, a report or a print, and never changes a
//! plan that is in use.

mod checks;
mod docs;
mod documented;
mod files;
mod live;
mod networks;
mod permissions;
mod plan;
mod report;
mod schema;
mod secrets;
mod settle;
mod shape;
mod similar;
mod watch;
mod yaml;

use std::path::Path;

pub use docs::docs_markdown;
pub use documented::documented_source;
pub use live::{Change, Live, NoSuchToken, SourceSecrets, came_to};
pub use networks::Networks;
pub use plan::{
    Held, JobPlan, OnUnknown, Plan, PostgresPlan, Probe, ProxyHeader, Rate, RetentionPlan,
    RoutePlan, ServerPlan, SourcePlan, StorePlan, WorkbenchPlan,
};
pub use report::{Excerpt, Fault, Report};
pub use schema::schema;
pub use secrets::{SecretFault, SecretRef, SecretResolver};
pub use similar::provider_meant;
pub use watch::Watch;

use files::Files;

/// A configuration without a fault.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub plan: Plan,
    /// What is odd about it.
    pub warnings: Report,
}

/// Reads a configuration that must be good as a whole.
///
/// # Errors
/// The report, with every fault of every file.
pub fn load(path: &Path) -> Result<Loaded, Report> {
    match check(path) {
        (warnings, Some(plan)) => Ok(Loaded { plan, warnings }),
        (report, None) => Err(report),
    }
}

/// Reads a configuration and tells everything about it: the plan is there when no file has a
/// fault. Reads no secret and connects to nothing.
pub fn check(path: &Path) -> (Report, Option<Plan>) {
    let checked = checks::check(&Files::read(path));
    let mut report = checked.report;
    permissions::warn(&mut report, checked.secret_files);
    (report, checked.plan)
}

#[cfg(test)]
mod tests;
