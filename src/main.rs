//! The program `cdsw-gateway`: hands over to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    cdsw_gateway::cli::run()
}
