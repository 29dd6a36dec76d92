//! `backup`: copies the embedded store into a new file, while the gateway runs.

use std::path::PathBuf;

use clap::Args;

use super::ConfigFile;
use super::failure::Failure;
use super::screen::{Screen, Tone};
use crate::config::Live;
use crate::gateway;

/// Copy the store into a new file, while the gateway runs.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway backup /var/backups/gateway-2026-11-28.db\n  \
    cdsw-gateway backup --config /etc/cdsw-gateway/gateway.yaml copy.db\n\n\
    The copy is that of one moment, whole, and one file (mode 0600). The gateway accepts deliveries\n\
    meanwhile. gateway.yaml, routes.d and the secrets are not in it. A store on PostgreSQL is copied with\n\
    pg_dump. docs/operations.md says how often, and what to do with deliveries after the copy.")]
pub(super) struct Backup {
    #[command(flatten)]
    file: ConfigFile,
    /// The new file
    to: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, screen: Screen) -> Result<(), Failure> {
        let live = Live::start(&self.file.config)
            .map_err(|report| Failure::Config(report.render(screen.color())))?;
        let to = self.to.clone();
        let copied = tokio::task::spawn_blocking(move || gateway::backup(&live, &to)).await;
        let copied = copied.map_err(|stopped| Failure::Failed(stopped.to_string()))?;
        let bytes = copied.map_err(Failure::Failed)?;
        if screen.json() {
            screen.value(&serde_json::json!({ "file": self.to, "bytes": bytes }));
        } else {
            let mark = screen.paint(Tone::Good, "ok");
            screen.line(format!("{mark} {}: {bytes} bytes", self.to.display()));
        }
        Ok(())
    }
}
