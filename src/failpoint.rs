//! Places in the code where a test stops the program, in order to kill it there. They exist only in a
//! program built with the feature `failpoints`; in any other build they compile to nothing.
//!
//! The variable `CDSW_GATEWAY_FAILPOINT` names one place. A thread that reaches it writes a line with that
//! name to standard output and then blocks forever.

/// The places, in the order in which a delivery reaches them.
pub const ALL: &[&str] = &[
    // The delivery is judged, and not yet given to the store.
    "receive.judged",
    // The delivery and its runs are written, and not committed.
    "accept.written",
    // They are committed, and nobody has been told yet.
    "accept.committed",
    // The attempt is written, and not committed.
    "lease.written",
    // The attempt is committed, and its request is not sent yet.
    "lease.committed",
    // The workbench has answered, and its answer is not on disk yet.
    "attempt.answered",
    // The outcome is written, and not committed.
    "finish.written",
    // The outcome is committed, and nobody has been told yet.
    "finish.committed",
];

/// Says that the code has reached this place. Blocks forever where the test has chosen it.
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

/// Does nothing: the feature `failpoints` is off.
#[cfg(not(feature = "failpoints"))]
pub(crate) const fn reached(_place: &str) {}
