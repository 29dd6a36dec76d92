//! Tests of the configuration as a whole: every fault at once, hostile files, reloads, examples,
//! and generated files.

mod anchors;
mod canaries;
mod changed;
mod doubts;
mod exposed;
mod faults;
mod foolish;
mod generated;
mod hostile;
mod reload;
mod secrecy;
mod slips;
mod weak;

use std::path::{Path, PathBuf};

use super::{Plan, Report, check};

/// A directory with configuration files. It is removed at the end.
struct Site {
    directory: tempfile::TempDir,
}

impl Site {
    fn new(gateway: &str) -> Self {
        let site = Self { directory: tempfile::tempdir().expect("a directory") };
        site.write("gateway.yaml", gateway);
        site
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("within the directory")).expect("created");
        std::fs::write(path, text).expect("written");
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("gateway.yaml")
    }

    fn check(&self) -> (Report, Option<Plan>) {
        check(&self.path())
    }
}

/// A file of the project.
fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A small configuration without a fault.
const GOOD: &str = "\
workbenches:
  main:
    url: https://cdsw.example.com
    api_keys: { alice: { env: CDSW_ALICE } }
jobs:
  retrain: { workbench: main, project: alice/risk, job: 208, api_key: alice }
sources:
  github: { provider: github, secrets: [{ env: GITHUB_SECRET }] }
routes:
  push:
    on: { source: github, event: push }
    job: retrain
";

/// The faults of [`GOOD`] after a piece of it was replaced: place, message and hint.
fn faults_with(piece: &str, instead: &str) -> Vec<String> {
    assert!(GOOD.contains(piece), "{piece}");
    faults_of(&GOOD.replacen(piece, instead, 1))
}

fn faults_of(text: &str) -> Vec<String> {
    let (report, plan) = Site::new(text).check();
    assert_eq!(plan.is_some(), report.is_good());
    report
        .faults
        .iter()
        .map(|fault| {
            let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            format!("{}:{}+{} {}{hint}", fault.line, fault.column, fault.length, fault.message)
        })
        .collect()
}
