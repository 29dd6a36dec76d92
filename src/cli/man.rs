//! `man`: a manual page for each command.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use super::Arguments;
use super::failure::Failure;
use super::screen::Screen;

/// Write a manual page for each command into a directory.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway man /usr/local/share/man/man1\n  \
    cdsw-gateway man . && man ./cdsw-gateway-runs-list.1")]
pub(super) struct Man {
    /// The directory, which must exist
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self, screen: Screen) -> Result<(), Failure> {
        let shown = self.directory.display();
        clap_mangen::generate_to(Arguments::command(), &self.directory).map_err(|error| {
            Failure::Failed(format!("the pages cannot be written to {shown}: {error}"))
        })?;
        if !screen.json() {
            screen.line(format!("wrote cdsw-gateway.1 and a page for each command to {shown}"));
        } else {
            screen.value(&serde_json::json!({ "directory": self.directory }));
        }
        Ok(())
    }
}
