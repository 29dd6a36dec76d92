//! `migrate`: brings the tables of the store up to date.

use std::sync::Arc;

use clap::Args;

use super::ConfigFile;
use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::config::Live;
use crate::gateway;
use crate::observe::Observer;

/// Bring the store's tables up to date.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway migrate --config gateway.yaml\n\n\
    With a PostgreSQL store, run it as the user that owns the tables, once for each new version, before\n\
    the new processes start (or let one do it: serve --migrate). Processes that start together do it\n\
    once. An SQLite file is brought up to date by `serve` itself.")]
pub(super) struct Migrate {
    #[command(flatten)]
    file: ConfigFile,
}

impl Migrate {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let live = Live::start(&self.file.config)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let done = gateway::migrate(&live, &Arc::new(Observer::new())).await;
        let done = done.map_err(|fault| Failure::Failed(fault.to_string()))?;
        if screen.json() {
            screen.value(&serde_json::json!({ "done": done }));
        } else {
            screen.line(format!("{} {done}", screen.paint(Tone::Good, "ok")));
        }
        Ok(())
    }
}
