//! The memory of the process is its own.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;

use crate::common::process::{Running, program};

/// A user without rights, as most systems have it.
const NOBODY: u32 = 65_534;

#[test]
fn no_other_process_of_the_user_may_read_its_memory() {
    let mut command = program();
    command.args(["simulate", "--listen", "127.0.0.1:0", "--json"]);
    command.env("WORKBENCH_KEY", "a-key-of-a-test");
    if std::fs::metadata("/proc/self").expect("it is there").uid() == 0 {
        // What belongs to root shows nothing.
        command.uid(NOBODY);
        command.current_dir("/");
    }
    let mut running = Running::start(&mut command);
    running.line();
    let process = format!("/proc/{}", running.id());
    // The system gives these files to root where the process is not to be looked into.
    for file in ["mem", "environ", "maps"] {
        let owner = std::fs::metadata(format!("{process}/{file}")).expect("it runs").uid();
        assert_eq!(owner, 0, "{file}");
    }
    let limits = std::fs::read_to_string(format!("{process}/limits")).expect("it runs");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}
