//! Places on the path where a test stops the program for good, to kill it there. They exist only in
//! a program that was built with the feature `failpoints`; in any other they are nothing at all.
//!
//! Such a program, told the name of a place in `CDSW_GATEWAY_FAILPOINT`, writes a line with that
//! name to its standard output when it comes there for the first time, and the thread goes no
//! further.

/// The places, in the order of the path.
pub const ALL: &[&str] = &[
    // Judged, and not yet given to the store.
    "receive.judged",
    // The delivery and its runs are written, and not committed.
    "accept.written",
    // They are committed, and nobody was told.
    "accept.committed",
    // The attempt is written, and not committed.
    "lease.written",
    // The attempt is committed, and its request not written.
    "lease.committed",
    // The workbench has answered, and nothing of that is on disk.
    "attempt.answered",
    // What came of it is written, and not committed.
    "finish.written",
    // It is committed, and nobody was told.
    "finish.committed",
];

/// The path has come to this place.
#[cfg(feature = "failpoints")]
#[expect(clippy::print_stdout, reason = "a test reads it, and no user has this program")]
pub(crate) fn reached(place: &str) {
    debug_assert!(ALL.contains(&place));
    if std::env::var("CDSW_GATEWAY_FAILPOINT").is_ok_and(|wanted| wanted == place) {
        println!("at {place}");
        loop {
            std::thread::park();
        }
    }
}

/// The path has come to this place.
#[cfg(not(feature = "failpoints"))]
pub(crate) const fn reached(_place: &str) {}
