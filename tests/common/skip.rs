//! A test that cannot run where it stands says so, loudly: on standard error, and in the file that
//! `SKIPPED_TESTS_LOG` names, from which `tests/run.sh` fails. No other place decides that a test is left out.

use std::io::Write as _;

/// Says that the calling test is skipped, and which part is missing. The test returns after it.
#[track_caller]
pub fn skip(missing: &str) {
    let place = std::panic::Location::caller();
    let thread = std::thread::current();
    // The test's name, unless the tests run one by one on the main thread.
    let name = match thread.name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("{}:{}", place.file(), place.line()),
    };
    let line = format!("{name}: {missing}\n");
    // Past the test harness, which keeps what a test that passes prints.
    let _ = write!(std::io::stderr(), "SKIPPED {line}");
    if let Some(log) = std::env::var_os("SKIPPED_TESTS_LOG") {
        let file = std::fs::File::options().create(true).append(true).open(&log);
        // One write, so that lines of tests that run at once do not mix.
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.unwrap_or_else(|error| panic!("{}: {error}", log.display()));
    }
}
