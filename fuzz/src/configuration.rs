//! A configuration file: whatever is in it, it is read or refused with a report that can be shown,
//! and a plan is made only of one without a fault.

use cdsw_gateway::config;

/// The text of `gateway.yaml`.
pub fn run(data: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    std::fs::write(&path, data).expect("written");
    let (report, plan) = config::check(&path);
    let shown = report.render(false);
    assert!(plan.is_some() || !shown.is_empty(), "refused without a word");
    assert!(shown.len() < 1 << 20, "a report of {} bytes", shown.len());
    for fault in &report.faults {
        assert!(!fault.message.is_empty() && fault.line <= 1 + data.len(), "{fault:?}");
    }
}
