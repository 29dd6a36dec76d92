//! The configuration in force and its secrets. A reload may replace the configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::task::JoinSet;

use super::files::{FileText, Files};
use super::permissions;
use super::plan::{Held, JobPlan, Plan, SourcePlan};
use super::report::{Effect, Report};
use super::secrets::{Pending, SecretFault, SecretRef, SecretResolver};
use super::settle::{InForce, Settled, settle};
use super::strength::{self, Doubt};
use crate::authenticate::same;
use crate::model::{Role, Secret};

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

/// The secrets of a source that could be read, each with its position in the source's list.
#[derive(Clone, Debug, Default)]
pub struct SourceSecrets {
    secrets: Vec<Secret>,
    places: Vec<usize>,
    access_tokens: Vec<Secret>,
    token_places: Vec<usize>,
}

impl SourceSecrets {
    fn push(&mut self, place: usize, secret: Secret) {
        self.secrets.push(secret);
        self.places.push(place);
    }

    /// All of them, to verify a request with.
    pub fn held(&self) -> Held<'_> {
        Held { secrets: &self.secrets, access_tokens: &self.access_tokens }
    }

    /// Positions in the source's list, in the order of the secrets. They differ from 0, 1, 2 … if a
    /// secret of the list could not be read.
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// Positions of the access tokens in the source's list.
    pub fn token_places(&self) -> &[usize] {
        &self.token_places
    }
}

impl Deref for SourceSecrets {
    type Target = [Secret];

    fn deref(&self) -> &[Secret] {
        &self.secrets
    }
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Version of the plan that was in force.
    pub from: String,
    /// Version of the plan that is in force now. Equal to `from` if nothing changed.
    pub to: String,
    /// Files of `routes.d/` whose newest version has faults and is therefore not in force.
    pub held_back: Vec<String>,
    /// Names of routes that several files claim. None of these routes is in force.
    pub routes_held_back: Vec<String>,
    /// Whether a setting of `server` or `store` changed that takes effect only after a restart.
    pub needs_restart: bool,
    /// Faults of the programs that print secrets. Their earlier output stays in use.
    pub secrets: Vec<SecretFault>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "configuration {} unchanged", self.to)?;
        } else {
            write!(f, "configuration {} replaced by {}", self.from, self.to)?;
        }
        if !self.held_back.is_empty() {
            write!(f, "; held back: {}", self.held_back.join(", "))?;
        }
        if !self.routes_held_back.is_empty() {
            let names = self.routes_held_back.join(", ");
            write!(f, "; routes that several files claim, held back: {names}")?;
        }
        if self.needs_restart {
            f.write_str("; `server` or `store` changed, which takes a restart")?;
        }
        Ok(())
    }
}

/// The result of a reload in a few words, for the audit log.
pub fn came_to(reloaded: &Result<Change, Report>) -> String {
    let change = match reloaded {
        Ok(change) => change,
        Err(report) => return format!("refused: {}", count(report.faults.len(), "fault")),
    };
    let mut words = if change.from == change.to {
        "nothing changed".to_owned()
    } else {
        format!("{}..{}", change.from, change.to)
    };
    if !change.held_back.is_empty() {
        words.push_str(&format!("; {} held back", count(change.held_back.len(), "file")));
    }
    let routes = change.routes_held_back.len();
    if routes > 0 {
        words.push_str(&format!("; {} held back", count(routes, "route")));
    }
    if !change.secrets.is_empty() {
        words.push_str(&format!("; {} could not be read", count(change.secrets.len(), "secret")));
    }
    words
}

fn names(files: &Files) -> Vec<String> {
    files.routes.iter().map(|file| file.name.clone()).collect()
}

fn count(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
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
        permissions::warn(&mut report, path, &files, &secrets);
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
        permissions::warn(&mut report, &self.path, &files, &secrets);
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

    /// What is doubtful about the secrets in use: a running gateway still uses them, so that an upgrade
    /// makes no source deaf. A process that starts no jobs asks without API keys and admin tokens.
    pub async fn doubts(&self, dispatches: bool) -> Vec<Doubt> {
        let mut looking = Vec::new();
        for used in strength::uses(&self.plan(), dispatches) {
            let pending = self.secrets.begin(&used.reference);
            looking.push((used, pending));
        }
        let mut known = Vec::new();
        for (used, pending) in looking {
            known.push((used, pending.answer().await.ok()));
        }
        strength::judge(&known)
    }

    /// The secrets of a source. It succeeds if one secret can be read, so that a source works while
    /// a secret is being replaced. The list is empty for an open source.
    ///
    /// # Errors
    /// The first fault, if none of the secrets, or none of the access tokens, can be read.
    pub async fn source_secrets(&self, source: &SourcePlan) -> Result<SourceSecrets, SecretFault> {
        // All look-ups begin before the first is awaited, so that they run at the same time.
        let access_tokens = self.begin(&source.access_tokens);
        let webhook_secrets = self.begin(&source.secrets);
        let mut secrets = SourceSecrets::default();
        let mut first = None;
        for (place, pending) in access_tokens.into_iter().enumerate() {
            match pending.answer().await {
                Ok(token) => {
                    secrets.access_tokens.push(token);
                    secrets.token_places.push(place);
                }
                Err(fault) => first = first.or(Some(fault)),
            }
        }
        if secrets.access_tokens.is_empty()
            && let Some(fault) = first.take()
        {
            return Err(fault);
        }
        first = None;
        for (place, (reference, pending)) in source.secrets.iter().zip(webhook_secrets).enumerate()
        {
            let secret = pending.answer().await;
            match secret.and_then(|secret| usable(source, reference, secret)) {
                Ok(secret) => secrets.push(place, secret),
                Err(fault) => first = first.or(Some(fault)),
            }
        }
        match first {
            Some(fault) if secrets.is_empty() => Err(fault),
            _ => Ok(secrets),
        }
    }

    fn begin(&self, references: &[SecretRef]) -> Vec<Pending> {
        references.iter().map(|reference| self.secrets.begin(reference)).collect()
    }

    /// The key to start a job with.
    ///
    /// # Errors
    /// The key cannot be read, or the workbench does not have it.
    pub async fn api_key(&self, job: &JobPlan) -> Result<Secret, SecretFault> {
        self.secrets.resolve(key_of(job)?).await
    }

    /// The key to start a job with, if neither a file has to be read nor a program run for it.
    pub fn api_key_at_hand(&self, job: &JobPlan) -> Option<Result<Secret, SecretFault>> {
        match key_of(job) {
            Ok(reference) => self.secrets.at_hand(reference),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// The name of the person who holds this admin token. The tokens are compared as they arrive,
    /// so a token that is slow to read delays only a request that no other token matches.
    ///
    /// # Errors
    /// [`NoSuchToken`], if no admin has this token.
    pub async fn admin_token(&self, given: &[u8], role: Role) -> Result<Arc<str>, NoSuchToken> {
        let plan = self.plan();
        let mut looking = JoinSet::new();
        // A process that faces the internet reads no token that another process accepts.
        let tokens = match role {
            Role::Ingest => &plan.server.ingest_tokens,
            Role::All | Role::Dispatch => &plan.server.admin_tokens,
        };
        for (name, reference) in tokens {
            let (name, pending) = (Arc::clone(name), self.secrets.begin(reference));
            looking.spawn(async move { (name, pending.answer().await) });
        }
        let mut fault = NoSuchToken::Closed;
        while let Some(looked_up) = looking.join_next().await {
            let Ok((name, Ok(token))) = looked_up else { continue };
            if same(token.expose(), given) {
                return Ok(name);
            }
            fault = NoSuchToken::Unknown;
        }
        Err(fault)
    }
}

/// Why a token does not belong to an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSuchToken {
    /// There is no admin token that can be used.
    Closed,
    /// It is none of the admin tokens.
    Unknown,
}

/// The secret, if the source's provider can use it.
fn usable(
    source: &SourcePlan,
    reference: &SecretRef,
    secret: Secret,
) -> Result<Secret, SecretFault> {
    source
        .provider
        .check_secret(&secret, &source.options)
        .map_err(|reason| SecretFault::new(reference, format!("cannot be used: {reason}")))?;
    Ok(secret)
}

/// The reference to a job's key.
fn key_of(job: &JobPlan) -> Result<&SecretRef, SecretFault> {
    // The checks make sure of it, so only a plan that was built by hand lacks it.
    job.workbench.api_keys.get(&job.api_key).ok_or_else(|| {
        let reference = SecretRef::Env(job.api_key.to_string());
        SecretFault::new(&reference, "is not one of the workbench's keys")
    })
}
