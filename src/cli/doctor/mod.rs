//! `doctor`: checks everything that a configuration depends on outside the program.

mod world;

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::ConfigFile;
use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Doubt, Live, Plan, SecretRef, SourcePlan, StorePlan};
use crate::gateway;
use crate::observe::Observer;
use crate::random::SystemRandom;

/// Check keys, certificates, store, clock and workbenches.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway doctor --config gateway.yaml\n  \
    cdsw-gateway doctor --look-up-jobs     ask the workbenches for each job with its key, too\n\n\
    Reads every secret, opens the store, connects to every workbench; starts no job. Exit status 1\n\
    when something is not as it should be.")]
pub(super) struct Doctor {
    #[command(flatten)]
    file: ConfigFile,
    /// Ask for each job's description with its key; the call is not documented by the vendor
    #[arg(long)]
    look_up_jobs: bool,
}

#[derive(Serialize)]
struct Finding {
    what: String,
    good: bool,
    words: String,
}

impl Finding {
    fn new(what: impl Into<String>, found: Result<String, String>) -> Self {
        let good = found.is_ok();
        Self { what: what.into(), good, words: found.unwrap_or_else(|why| why) }
    }
}

impl Doctor {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let live = Live::start(&self.file.config)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let plan = live.plan();
        let mut findings = vec![files(&live)];
        findings.extend(exposed(&self.file.config, &plan));
        findings.push(store(&live, &plan).await);
        findings.extend(secrets(&live, &plan).await);
        findings.extend(live.doubts(true).await.into_iter().map(doubtful));
        findings.extend(world::keys(&plan).await);
        for workbench in plan.workbenches.values() {
            findings.extend(world::reach(workbench).await);
        }
        if self.look_up_jobs {
            for job in plan.jobs.values() {
                findings.push(world::look_up(&live, job).await);
            }
        }
        findings.extend(world::running(&live, &plan).await);
        show(screen, &findings);
        if findings.iter().all(|finding| finding.good) { Ok(()) } else { Err(Failure::Found) }
    }
}

fn files(live: &Live) -> Finding {
    let report = live.last_report();
    let found = if report.is_good() {
        Ok(format!("{} is in order", live.path().display()))
    } else {
        Err(format!("{} faults (run `check`)", report.faults.len()))
    };
    Finding::new("configuration", found)
}

/// What `check` says of the permissions of the store's files, before the store is opened and corrects them.
fn exposed(config: &Path, plan: &Plan) -> Vec<Finding> {
    let warnings = config::exposed(config, &plan.store);
    warnings.into_iter().map(|words| Finding::new("store files", Err(words))).collect()
}

/// What `check` refuses is a fault; the rest is a warning.
fn doubtful(doubt: Doubt) -> Finding {
    let words = format!("{} ({})", doubt.words, doubt.hint);
    Finding::new(
        "secrets",
        if doubt.refused { Err(words) } else { Ok(format!("warning: {words}")) },
    )
}

/// Opens the store and commits a row. A store that a running gateway has open counts as good.
async fn store(live: &Live, plan: &Plan) -> Finding {
    let shown = match &plan.store {
        StorePlan::Sqlite(path) => path.display().to_string(),
        StorePlan::Postgres(plan) => plan.shown.clone(),
    };
    let observer = Arc::new(Observer::new());
    let found = match gateway::open(live, &SystemRandom, false, &observer).await {
        Err(fault) if fault.to_string().contains("in use by another process") => {
            Ok(format!("{shown} is open in a running gateway"))
        }
        Err(fault) => Err(fault.to_string()),
        Ok(store) => match store.probe(SystemClock.now()).await {
            Ok(()) => Ok(format!("{shown} takes a commit")),
            Err(fault) => Err(fault.to_string()),
        },
    };
    Finding::new("store", found)
}

async fn secrets(live: &Live, plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in plan.sources.values() {
        for (number, reference) in source.secrets.iter().enumerate() {
            let found = webhook_secret(live, source, reference).await;
            findings.push(Finding::new(format!("source {} secret {number}", source.name), found));
        }
        for reference in &source.access_tokens {
            let found = live.secrets().resolve(reference).await;
            let found = found
                .map(|_| format!("{reference} can be read"))
                .map_err(|fault| fault.to_string());
            findings.push(Finding::new(format!("source {} access token", source.name), found));
        }
    }
    for workbench in plan.workbenches.values() {
        for (name, reference) in &workbench.api_keys {
            let found = live.secrets().resolve(reference).await;
            let found = found.map_err(|fault| fault.to_string()).and_then(|key| {
                let plain = key.expose().iter().all(u8::is_ascii_graphic);
                let odd = || format!("{reference} holds something that is no key (white space?)");
                if plain { Ok(format!("{reference} can be read")) } else { Err(odd()) }
            });
            findings.push(Finding::new(format!("workbench {} key {name}", workbench.name), found));
        }
    }
    for (name, reference) in &plan.server.admin_tokens {
        let found = live.secrets().resolve(reference).await;
        let found =
            found.map(|_| format!("{reference} can be read")).map_err(|fault| fault.to_string());
        findings.push(Finding::new(format!("admin token {name}"), found));
    }
    findings
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

fn show(screen: Screen, findings: &[Finding]) {
    if screen.json() {
        return screen.value(&findings);
    }
    for finding in findings {
        let mark = if finding.good {
            screen.paint(Tone::Good, "ok   ")
        } else {
            screen.paint(Tone::Bad, "FAULT")
        };
        screen.line(format!("{mark}  {}: {}", finding.what, finding.words));
    }
}
