//! Live checks of everything that a configuration depends on outside the program: secrets, published keys,
//! workbenches, clocks. `doctor` runs them for the files on disk, and a running gateway for what is in force.
//!
//! Nothing is started, and nothing is written to a disk.

mod store;
mod world;

use serde::{Deserialize, Serialize};

use crate::config::{Doubt, Live, Plan, SecretRef, SourcePlan};

pub use store::store;
pub use world::{SKEW, look_up};

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was checked.
    pub what: String,
    /// Whether it is as it should be.
    pub good: bool,
    /// What was found, for people.
    pub words: String,
}

impl Finding {
    /// What was found: `Ok` where it is as it should be.
    pub fn new(what: impl Into<String>, found: Result<String, String>) -> Self {
        let good = found.is_ok();
        Self { what: what.into(), good, words: found.unwrap_or_else(|why| why) }
    }
}

/// Checks the secrets, the published keys and the workbenches of the configuration in force.
pub async fn checkup(live: &Live) -> Vec<Finding> {
    let plan = live.plan();
    let mut findings = secrets(live, &plan).await;
    findings.extend(live.doubts(true).await.into_iter().map(doubtful));
    findings.extend(world::keys(&plan).await);
    for workbench in plan.workbenches.values() {
        findings.extend(world::reach(workbench).await);
    }
    findings
}

/// What `check` refuses is a fault; the rest is a warning.
fn doubtful(doubt: Doubt) -> Finding {
    let words = format!("{} ({})", doubt.words, doubt.hint);
    Finding::new(
        "secrets",
        if doubt.refused { Err(words) } else { Ok(format!("warning: {words}")) },
    )
}

async fn secrets(live: &Live, plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in plan.sources.values() {
        for (number, reference) in source.secrets.iter().enumerate() {
            let found = webhook_secret(live, source, reference).await;
            findings.push(Finding::new(format!("source {} secret {number}", source.name), found));
        }
        for reference in &source.access_tokens {
            let what = format!("source {} access token", source.name);
            findings.push(Finding::new(what, readable(live, reference).await));
        }
    }
    for workbench in plan.workbenches.values() {
        for (name, reference) in &workbench.api_keys {
            let found = api_key(live, reference).await;
            findings.push(Finding::new(format!("workbench {} key {name}", workbench.name), found));
        }
    }
    for (name, reference) in &plan.server.admin_tokens {
        let found = readable(live, reference).await;
        findings.push(Finding::new(format!("admin token {name}"), found));
    }
    findings
}

async fn readable(live: &Live, reference: &SecretRef) -> Result<String, String> {
    let found = live.secrets().resolve(reference).await;
    found.map(|_| format!("{reference} can be read")).map_err(|fault| fault.to_string())
}

async fn api_key(live: &Live, reference: &SecretRef) -> Result<String, String> {
    let key = live.secrets().resolve(reference).await.map_err(|fault| fault.to_string())?;
    match key.expose().iter().all(u8::is_ascii_graphic) {
        true => Ok(format!("{reference} can be read")),
        false => Err(format!("{reference} holds something that is no key (white space?)")),
    }
}

async fn webhook_secret(
    live: &Live,
    source: &SourcePlan,
    reference: &SecretRef,
) -> Result<String, String> {
    if source.options.learn_secret
        && let SecretRef::File(path) = reference
        && !path.exists()
    {
        return Ok(format!("{reference} is made when the sender greets (learn_secret)"));
    }
    let secret = live.secrets().resolve(reference).await.map_err(|fault| fault.to_string())?;
    source
        .provider
        .check_secret(&secret, &source.options)
        .map(|()| format!("{reference} can be used"))
        .map_err(|why| format!("the secret in {reference} {why}"))
}
