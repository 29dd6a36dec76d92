//! The program `cdsw-gateway`: hands over to the command line.

use std::process::ExitCode;

/// A delivery is parsed into many small pieces that are freed together; the system's allocator spends a
/// quarter of the accept path on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cdsw_gateway::cli::run()
}
