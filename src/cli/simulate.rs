//! `simulate`: a simulated workbench, for trials and staging sites.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::clock::{Clock, SystemClock};
use crate::model::Target;
use crate::simulator::{Simulator, SimulatorOptions};

/// Run a simulated workbench.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    WORKBENCH_KEY=any-text cdsw-gateway simulate --job alice/risk-analysis/208\n  \
    curl -s http://127.0.0.1:8091/requests\n  \
    curl -s http://127.0.0.1:8091/faults -H 'content-type: application/json' \\\n      \
      -d '[{\"fault\": {\"reply\": {\"status\": 503}}, \"times\": 2}]'\n\n\
    It speaks the Jobs API v1 on loopback. The control API has /requests, /runs, /faults, /seed,\n\
    /release and /reset.")]
pub(super) struct Simulate {
    /// Address of the job API
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Address of the control API; the port after the job API's unless given
    #[arg(long)]
    control: Option<SocketAddr>,
    /// Environment variable that holds the API key to accept
    #[arg(long, default_value = "WORKBENCH_KEY", value_name = "NAME")]
    key_env: String,
    /// A job, as OWNER/PROJECT/NUMBER; may be given several times
    #[arg(long = "job", default_value = "alice/risk-analysis/208", value_name = "JOB")]
    jobs: Vec<String>,
    /// Write each request to this file too, one JSON object a line
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

impl Simulate {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let simulator = Simulator::start(self.options()?)
            .await
            .map_err(|error| Failure::Failed(error.to_string()))?;
        if screen.json() {
            screen.line(
                serde_json::json!({ "api": simulator.api_url(), "control": simulator.control_url() })
                    .to_string(),
            );
        } else {
            screen.line(screen.paint(Tone::Strong, "simulated workbench"));
            screen.line(format!("  job API  {}", simulator.api_url()));
            screen.line(format!("  control  {}", simulator.control_url()));
            screen.line("Ctrl-C ends it.");
        }
        let _ = tokio::signal::ctrl_c().await;
        simulator.shutdown().await;
        Ok(())
    }

    fn options(&self) -> Result<SimulatorOptions, Failure> {
        let key = std::env::var(&self.key_env).unwrap_or_default();
        if key.is_empty() {
            return Err(Failure::Usage(format!(
                "set {} to the API key that the simulated workbench is to accept",
                self.key_env
            )));
        }
        let mut jobs = self.jobs.iter().map(|job| parse_job(job)).collect::<Result<Vec<_>, _>>()?;
        let mut options = SimulatorOptions::single(&key, jobs.remove(0));
        for job in jobs {
            options.add_job(job);
        }
        options.listen = self.listen;
        options.control = self.control.unwrap_or_else(|| {
            let port =
                if self.listen.port() == 0 { 0 } else { self.listen.port().saturating_add(1) };
            SocketAddr::new(self.listen.ip(), port)
        });
        options.log_file.clone_from(&self.log_file);
        options.now = Arc::new(|| SystemClock.now());
        Ok(options)
    }
}

fn parse_job(text: &str) -> Result<Target, Failure> {
    let pieces: Vec<&str> = text.split('/').collect();
    if let [owner, project, number] = pieces[..]
        && let Ok(number) = number.parse()
    {
        let (owner, project) = (owner.to_owned(), project.to_owned());
        return Ok(Target::V1 { owner, project, number });
    }
    Err(Failure::Usage(format!("`{text}` is not a job; write it as OWNER/PROJECT/NUMBER")))
}
