//! `completions`: a script that completes the command line in a shell: commands and options as clap knows them, and
//! names as `complete-names` tells them.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Arguments;
use super::failure::Failure;
use super::screen::raw;

/// Print completions for a shell.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    cdsw-gateway completions bash > /etc/bash_completion.d/cdsw-gateway\n  \
    cdsw-gateway completions zsh > /usr/local/share/zsh/site-functions/_cdsw-gateway\n  \
    cdsw-gateway completions fish > ~/.config/fish/completions/cdsw-gateway.fish\n\n\
    Names of jobs, routes, sources, keys, workbenches, providers and states are completed too, in bash, zsh\n\
    and fish. They are read from the configuration in --config, CDSW_GATEWAY_CONFIG or gateway.yaml; no\n\
    secret is read.")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "cdsw-gateway", &mut script);
        let names: &str = match self.shell {
            Shell::Bash => include_str!("completions/names.bash"),
            Shell::Zsh => include_str!("completions/names.zsh"),
            Shell::Fish => include_str!("completions/names.fish"),
            _ => "",
        };
        script.extend(names.as_bytes());
        raw(&script).map_err(|error| Failure::Failed(error.to_string()))
    }
}
