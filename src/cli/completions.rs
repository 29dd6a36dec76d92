//! `completions`: a script that completes the command line in a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Arguments;
use super::failure::Failure;

/// Print completions for a shell.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    cdsw-gateway completions bash > /etc/bash_completion.d/cdsw-gateway")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut command = Arguments::command();
        clap_complete::generate(self.shell, &mut command, "cdsw-gateway", &mut std::io::stdout());
        Ok(())
    }
}
