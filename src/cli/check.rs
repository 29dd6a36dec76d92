//! `check`: reads the configuration as `serve` would and shows every fault.

use clap::Args;

use super::ConfigFile;
use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::config;
use crate::model::Role;

/// Read the configuration and show every fault in it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway check --config gateway.yaml\n  \
    cdsw-gateway check --config gateway.yaml --json | jq '.faults[].message'\n\n\
    Starts nothing, connects to nothing and runs no program. It reads the secrets in files and variables, to\n\
    see whether they are strong, and shows none. Exit status 3 when there is a fault.")]
pub(super) struct Check {
    #[command(flatten)]
    file: ConfigFile,
    /// Also warn of what a process of this role must not have: `ingest` of API keys and admin tokens
    #[arg(long, value_enum, default_value_t)]
    role: Role,
}

impl Check {
    pub(super) fn run(self, screen: Screen) -> Result<(), Failure> {
        let (mut report, plan) = config::check(&self.file.config);
        if let Some(plan) = &plan {
            let found = config::out_of_place(plan, self.role, &self.file.config);
            report.warnings.extend(found);
        }
        if screen.json() {
            screen.value(&report);
        } else if !report.is_empty() || !report.notes.is_empty() || !report.changes.is_empty() {
            screen.report(&report);
        }
        let Some(plan) = plan else {
            return Err(Failure::Config(String::new()));
        };
        if !screen.json() {
            let counts = [
                counted(plan.sources.len(), "source", "sources"),
                counted(plan.routes.len(), "route", "routes"),
                counted(plan.jobs.len(), "job", "jobs"),
                counted(plan.workbenches.len(), "workbench", "workbenches"),
            ]
            .join(", ");
            screen.line(format!(
                "{} {}: {counts}",
                screen.paint(Tone::Good, "ok"),
                self.file.config.display()
            ));
        }
        Ok(())
    }
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
