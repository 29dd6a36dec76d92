//! `migrate`: brings the tables of the store up to date, and grants the processes their rights.

use std::sync::Arc;

use clap::Args;

use super::ConfigFile;
use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::config::Live;
use crate::gateway::{self, Logins};
use crate::observe::Observer;

/// Bring the store's tables up to date.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway migrate --config gateway.yaml\n  \
    cdsw-gateway migrate --roles --ingest-login gateway_edge --dispatch-login gateway_inside\n\n\
    With a PostgreSQL store, run it as the user that owns the tables, once for each new version, before\n\
    the new processes start (or let one do it: serve --migrate). Processes that start together do it\n\
    once. An SQLite file is brought up to date by `serve` itself.\n\n\
    --roles does what deploy/postgres/roles.sql does, without psql. At an upgrade, do it once every process\n\
    runs the new version. It makes no login and sets no password: those are there before.")]
pub(super) struct Migrate {
    #[command(flatten)]
    file: ConfigFile,
    /// Grant each role of a process its rights too (PostgreSQL)
    #[arg(long)]
    roles: bool,
    /// A login of processes of role `ingest`, which gets the rights of that role; may be given several times
    #[arg(long, value_name = "LOGIN", requires = "roles")]
    ingest_login: Vec<String>,
    /// A login of processes of role `dispatch`; one that is given as both is for processes of role `all`
    #[arg(long, value_name = "LOGIN", requires = "roles")]
    dispatch_login: Vec<String>,
}

impl Migrate {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let live = Live::start(&self.file.config)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let observer = Arc::new(Observer::new());
        let done = gateway::migrate(&live, &observer).await.map_err(failed)?;
        let granted = match self.roles {
            true => {
                let logins = Logins { ingest: self.ingest_login, dispatch: self.dispatch_login };
                Some(gateway::grant(&live, &logins, &observer).await.map_err(failed)?)
            }
            false => None,
        };
        if screen.json() {
            screen.value(&serde_json::json!({ "done": done, "granted": granted }));
        } else {
            for words in std::iter::once(done).chain(granted) {
                screen.line(format!("{} {words}", screen.paint(Tone::Good, "ok")));
            }
        }
        Ok(())
    }
}

fn failed(fault: impl std::fmt::Display) -> Failure {
    Failure::Failed(fault.to_string())
}
