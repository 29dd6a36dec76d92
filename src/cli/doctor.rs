//! `doctor`: everything that a configuration needs from the world, looked at now.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::ConfigFile;
use super::failure::Failure;
use super::screen::{Screen, Tone, printable};
use crate::clock::{Clock, SystemClock};
use crate::config::{JobPlan, Live, Plan, StorePlan, WorkbenchPlan};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::workbench::Workbench;

/// Clocks further apart than this make signed timestamps and retries unreliable.
const SKEW: Duration = Duration::from_secs(30);

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
        findings.push(store(&plan).await);
        findings.extend(secrets(&live, &plan));
        for workbench in plan.workbenches.values() {
            findings.extend(reach(workbench).await);
        }
        if self.look_up_jobs {
            for job in plan.jobs.values() {
                findings.push(look_up(&live, job).await);
            }
        }
        show(screen, &findings);
        if findings.iter().all(|finding| finding.good) { Ok(()) } else { Err(Failure::Found) }
    }
}

fn files(live: &Live) -> Finding {
    let report = live.last_report();
    let found = if live.faults() == 0 {
        Ok(format!("{} is in order", live.path().display()))
    } else {
        Err(format!("{} faults (run `check`)", report.faults.len()))
    };
    Finding::new("configuration", found)
}

/// Opens the store and commits a row. A store that a gateway has open is in good hands.
async fn store(plan: &Plan) -> Finding {
    let StorePlan::Sqlite(path) = &plan.store;
    let found = match SqliteStore::open(path) {
        Err(fault) if fault.to_string().contains("in use by another process") => {
            Ok(format!("{} is open in a running gateway", path.display()))
        }
        Err(fault) => Err(fault.to_string()),
        Ok(store) => match store.probe(SystemClock.now()).await {
            Ok(()) => Ok(format!("{} takes a commit", path.display())),
            Err(fault) => Err(fault.to_string()),
        },
    };
    Finding::new("store", found)
}

fn secrets(live: &Live, plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in plan.sources.values() {
        for (number, reference) in source.secrets.iter().enumerate() {
            let found = live
                .secrets()
                .resolve(reference)
                .map_err(|fault| fault.to_string())
                .and_then(|secret| {
                    source
                        .provider
                        .check_secret(&secret, &source.options)
                        .map_err(|why| format!("the secret in {reference} {why}"))
                })
                .map(|()| format!("{reference} can be used"));
            findings.push(Finding::new(format!("source {} secret {number}", source.name), found));
        }
    }
    for workbench in plan.workbenches.values() {
        for (name, reference) in &workbench.api_keys {
            let found = live.secrets().resolve(reference);
            let found = found.map_err(|fault| fault.to_string()).and_then(|key| {
                let plain = key.expose().iter().all(u8::is_ascii_graphic);
                let odd = || format!("{reference} holds something that is no key (white space?)");
                if plain { Ok(format!("{reference} can be read")) } else { Err(odd()) }
            });
            findings.push(Finding::new(format!("workbench {} key {name}", workbench.name), found));
        }
    }
    for (name, reference) in &plan.server.admin_tokens {
        let found = live.secrets().resolve(reference);
        let found =
            found.map(|_| format!("{reference} can be read")).map_err(|fault| fault.to_string());
        findings.push(Finding::new(format!("admin token {name}"), found));
    }
    findings
}

async fn reach(plan: &Arc<WorkbenchPlan>) -> Vec<Finding> {
    let what = format!("workbench {}", plan.name);
    let reached = match Workbench::new(Arc::clone(plan)) {
        Ok(workbench) => workbench.reach().await,
        Err(fault) => Err(fault.to_string()),
    };
    match reached {
        Err(why) => vec![Finding::new(what, Err(why))],
        Ok(reached) => {
            let words = format!("{} answers ({})", plan.url, reached.status);
            let mut findings = vec![Finding::new(what, Ok(words))];
            findings.extend(reached.date.map(|there| clock(&plan.name, there)));
            findings
        }
    }
}

fn clock(workbench: &str, there: jiff::Timestamp) -> Finding {
    let off = SystemClock.now().duration_since(there).unsigned_abs();
    let words = format!("{} s from the clock of {workbench}", off.as_secs());
    let found = if off <= SKEW { Ok(words) } else { Err(format!("{words}; set it right")) };
    Finding::new("clock", found)
}

async fn look_up(live: &Live, job: &JobPlan) -> Finding {
    let found = async {
        let workbench =
            Workbench::new(Arc::clone(&job.workbench)).map_err(|fault| fault.to_string())?;
        let key = live.api_key(job).map_err(|fault| fault.to_string())?;
        match workbench.look_up(&job.owner, &job.project, job.number, &key).await? {
            200 => Ok(format!("{}/{} job {} is there", job.owner, job.project, job.number)),
            401 => Err(format!("the workbench does not accept key {} (401)", job.api_key)),
            404 => Err("the workbench knows no such project or job (404)".to_owned()),
            other => Err(format!("the workbench answered {other}")),
        }
    };
    Finding::new(format!("job {}", job.name), found.await)
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
        screen.line(format!("{mark}  {}: {}", finding.what, printable(&finding.words)));
    }
}
