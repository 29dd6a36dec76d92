//! The configuration in force. A reload may replace it.

mod change;
mod secrets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::files::{FileText, Files};
use super::permissions;
use super::plan::Plan;
use super::report::{Effect, Report};
use super::secrets::SecretResolver;
use super::settle::{InForce, Settled, settle};
use super::strength;
pub use change::{Change, came_to};
pub use secrets::{NoSuchToken, SourceSecrets};

/// The configuration in force.
#[derive(Debug)]
pub struct Live {
    path: PathBuf,
    plan: ArcSwap<Plan>,
    report: ArcSwap<Report>,
    secrets: SecretResolver,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// Digest of the files as last read, with or without faults.
    digest: String,
    in_force: InForce,
    /// The names of the files of `routes.d/` as last read.
    names: Vec<String>,
}

fn names(files: &Files) -> Vec<String> {
    files.routes.iter().map(|file| file.name.clone()).collect()
}

impl Live {
    /// Reads the configuration. Broken files of `routes.d/` are held back, so that a mistake of one
    /// team does not keep the gateway from starting. [`Live::last_report`] tells their faults.
    ///
    /// # Errors
    /// The report, if `gateway.yaml` itself is broken.
    pub fn start(path: &Path) -> Result<Self, Report> {
        let files = Files::read(path);
        let Settled { mut report, secrets, outcome } = settle(&files, &InForce::new());
        let store = outcome.as_ref().map(|outcome| &outcome.plan.store);
        permissions::warn(&mut report, path, &files, &secrets, store);
        let Some(outcome) = outcome else { return Err(report) };
        Ok(Self {
            path: path.to_owned(),
            plan: ArcSwap::from_pointee(outcome.plan),
            report: ArcSwap::from_pointee(report),
            secrets: SecretResolver::new(),
            last: Mutex::new(Last {
                digest: files.digest(&BTreeSet::new()),
                in_force: outcome.in_force,
                names: names(&files),
            }),
        })
    }

    /// A fixed plan that no file changes, for tests and trials.
    pub fn fixed(plan: Plan) -> Self {
        Self {
            path: PathBuf::new(),
            plan: ArcSwap::from_pointee(plan),
            report: ArcSwap::default(),
            secrets: SecretResolver::new(),
            last: Mutex::default(),
        }
    }

    /// The plan in force.
    pub fn plan(&self) -> Arc<Plan> {
        self.plan.load_full()
    }

    /// The file that it is read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was found in the files when they were last read.
    pub fn last_report(&self) -> Arc<Report> {
        self.report.load_full()
    }

    /// How many faults the files have that keep a file or a route out of force.
    pub fn faults(&self) -> usize {
        let report = self.report.load();
        report.faults.len() - report.count(Effect::Tolerated)
    }

    /// How many faults the files have that only the next version of the gateway refuses.
    pub fn tolerated(&self) -> usize {
        self.report.load().count(Effect::Tolerated)
    }

    /// Reads the files and the secrets again, and applies the files that have no fault. It blocks,
    /// so call it on a thread for blocking work.
    ///
    /// # Errors
    /// The report, if `gateway.yaml` is broken. The plan then stays as it was.
    pub fn reload(&self) -> Result<Change, Report> {
        let reloaded = self.reload_files();
        // Secrets come last, so that a program that hangs does not delay the new plan.
        let secrets = self.secrets.refresh().err().unwrap_or_default();
        reloaded.map(|change| Change { secrets, ..change })
    }

    fn reload_files(&self) -> Result<Change, Report> {
        let files = Files::read(&self.path);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.digest = files.digest(&BTreeSet::new());
        let Settled { mut report, secrets, outcome } = settle(&files, &last.in_force);
        let store = outcome.as_ref().map(|outcome| &outcome.plan.store);
        permissions::warn(&mut report, &self.path, &files, &secrets, store);
        let before = report.count(Effect::FileHeldBack);
        strength::report_refused(&mut report, &secrets, |reference| self.known(reference));
        let outcome = outcome.filter(|_| report.count(Effect::FileHeldBack) == before);
        self.report.store(Arc::new(report.clone()));
        let Some(outcome) = outcome else { return Err(report) };
        let old = self.plan.load_full();
        let plan = Arc::new(outcome.plan);
        let change = Change {
            from: old.version.to_string(),
            to: plan.version.to_string(),
            held_back: outcome.held_back,
            routes_held_back: outcome.routes_held_back,
            needs_restart: old.starts_unlike(&plan),
            secrets: Vec::new(),
        };
        last.in_force = outcome.in_force;
        last.names = names(&files);
        self.plan.store(plan);
        Ok(change)
    }

    /// Puts earlier versions of faulty files of `routes.d/` into force, each a name and a text, as a process had
    /// them that ran before this one. A file that is gone stays gone, and a version that does not fit to the rest
    /// any more is left out. Gives the names of the files for which that was done. It blocks.
    pub fn adopt(&self, earlier: Vec<(String, String)>) -> Vec<String> {
        let files = Files::read(&self.path);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = last.in_force.clone();
        for (name, text) in earlier {
            before.entry(name.clone()).or_insert(FileText { name, text: Ok(text) });
        }
        let Settled { outcome: Some(outcome), .. } = settle(&files, &before) else {
            return Vec::new();
        };
        let is_new = |name: &&String| !last.in_force.contains_key(*name);
        let adopted: Vec<String> = outcome
            .in_force
            .keys()
            .filter(is_new)
            .filter(|name| outcome.held_back.contains(name))
            .cloned()
            .collect();
        if !adopted.is_empty() {
            last.in_force = outcome.in_force;
            self.plan.store(Arc::new(outcome.plan));
        }
        adopted
    }

    /// The files of `routes.d/` that are in force, each a name and a text.
    pub fn route_files(&self) -> Vec<(String, String)> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |file: &FileText| Some((file.name.clone(), file.text.as_ref().ok()?.clone()));
        last.in_force.values().filter_map(text).collect()
    }

    /// The names of all files of `routes.d/` as last read, with or without faults.
    pub fn route_file_names(&self) -> Vec<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).names.clone()
    }

    /// Reloads if the content of the files changed since they were last read. It blocks.
    pub fn reload_if_changed(&self) -> Option<Result<Change, Report>> {
        let digest = Files::read(&self.path).digest(&BTreeSet::new());
        let same = self.last.lock().unwrap_or_else(PoisonError::into_inner).digest == digest;
        (!same).then(|| self.reload())
    }

    /// The resolver of secrets.
    pub fn secrets(&self) -> &SecretResolver {
        &self.secrets
    }
}
