//! Users, projects and jobs of a simulated workbench. A user is read from JSON and never written to it,
//! since it holds a key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SimulatorOptions;
use super::connection::Credentials;
use crate::model::{Secret, Target};

/// Names and values of environment variables.
pub type Variables = BTreeMap<String, String>;

/// A user with an API key.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "WrittenUser")]
pub struct SimulatedUser {
    /// Their name.
    pub name: String,
    key: Secret,
    password: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenUser {
    name: String,
    key: String,
    password: Option<String>,
}

/// A project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedProject {
    /// `owner/slug`
    pub name: String,
    /// Its variables.
    #[serde(default)]
    pub environment: Variables,
}

/// A job.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "WrittenJob")]
pub struct SimulatedJob {
    /// Where it is.
    pub target: Target,
    /// Its variables.
    pub environment: Variables,
    /// The status that is reported for its latest run: `running`, `succeeded`, `failed`, …; `succeeded`
    /// when left out.
    pub status: Option<String>,
}

/// A job of the Jobs API v1, as people write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenJob {
    /// `owner/slug` of its project.
    project: String,
    /// Its number.
    id: u64,
    #[serde(default)]
    environment: Variables,
    #[serde(default)]
    status: Option<String>,
}

/// Users, projects, jobs and variables, to be added to those that there are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Variables of every run on this workbench.
    #[serde(default)]
    pub site: Variables,
    /// Users, each with an API key.
    #[serde(default)]
    pub users: Vec<SimulatedUser>,
    /// Projects.
    #[serde(default)]
    pub projects: Vec<SimulatedProject>,
    /// Jobs.
    #[serde(default)]
    pub jobs: Vec<SimulatedJob>,
}

impl SimulatedUser {
    /// A user with this API key. An empty key lets nobody in.
    pub fn new(name: &str, key: &str) -> Self {
        Self { name: name.to_owned(), key: Secret::new(key), password: None }
    }

    /// Lets the user authenticate with their name and this password too.
    #[must_use]
    pub fn with_password(self, password: &str) -> Self {
        Self { password: Some(Secret::new(password)), ..self }
    }

    /// Whether the credentials are this user's: the key alone, or the name and the password.
    pub(super) fn owns(&self, credentials: &Credentials) -> bool {
        let is = |secret: &Secret, bytes: &[u8]| !secret.is_empty() && secret.expose() == bytes;
        if credentials.password.is_empty() {
            return is(&self.key, &credentials.user);
        }
        credentials.user == self.name.as_bytes()
            && self.password.as_ref().is_some_and(|own| is(own, &credentials.password))
    }
}

impl SimulatedJob {
    /// A job without variables.
    pub fn new(target: Target) -> Self {
        Self { target, environment: Variables::new(), status: None }
    }
}

impl TryFrom<WrittenJob> for SimulatedJob {
    type Error = String;

    fn try_from(written: WrittenJob) -> Result<Self, String> {
        let WrittenJob { project, id, environment, status } = written;
        let (owner, slug) = project
            .split_once('/')
            .ok_or_else(|| format!("`{project}` is not a project; write it as owner/project"))?;
        let (owner, project) = (owner.to_owned(), slug.to_owned());
        Ok(Self { target: Target::V1 { owner, project, number: id }, environment, status })
    }
}

impl TryFrom<WrittenUser> for SimulatedUser {
    type Error = String;

    fn try_from(written: WrittenUser) -> Result<Self, String> {
        let empty = |text: Option<&String>| text.is_some_and(String::is_empty);
        if written.key.is_empty() || empty(written.password.as_ref()) {
            return Err(format!(
                "user {} has an empty key or password; give some text or leave the password out",
                written.name
            ));
        }
        let user = Self::new(&written.name, &written.key);
        Ok(match written.password {
            Some(password) => user.with_password(&password),
            None => user,
        })
    }
}

impl Seed {
    /// The users, projects, jobs and variables of the options.
    pub(super) fn of(options: &SimulatorOptions) -> Self {
        Self {
            site: options.site.clone(),
            users: options.users.clone(),
            projects: options.projects.clone(),
            jobs: options.jobs.clone(),
        }
    }

    /// Adds everything in `more`. What has the same name or target is replaced.
    pub(super) fn add(&mut self, more: Self) {
        self.site.extend(more.site);
        for user in more.users {
            put(&mut self.users, user, |one, other| one.name == other.name);
        }
        for project in more.projects {
            put(&mut self.projects, project, |one, other| one.name == other.name);
        }
        for job in more.jobs {
            put(&mut self.jobs, job, |one, other| one.target == other.target);
        }
    }

    /// The job, where it and its project exist.
    pub(super) fn job(&self, target: &Target) -> Option<&SimulatedJob> {
        self.project_of(target)?;
        self.jobs.iter().find(|job| job.target == *target)
    }

    /// The variables of a job's run: those of site, project, job and request, where a later one overrides
    /// an earlier one.
    pub(super) fn merged(&self, target: &Target, request: &Variables) -> Option<Variables> {
        let (project, job) = (self.project_of(target)?, self.job(target)?);
        let mut merged = self.site.clone();
        for over in [&project.environment, &job.environment, request] {
            merged.extend(over.clone());
        }
        Some(merged)
    }

    fn project_of(&self, target: &Target) -> Option<&SimulatedProject> {
        let name = project_of(target);
        self.projects.iter().find(|project| project.name == name)
    }
}

/// The name of a job's project.
pub(super) fn project_of(target: &Target) -> String {
    match target {
        Target::V1 { owner, project, .. } => format!("{owner}/{project}"),
        Target::V2 { project_id, .. } => project_id.clone(),
    }
}

/// A job's name in rules for faults and in the list of runs: `owner/project/id`.
pub(super) fn name_of(target: &Target) -> String {
    target.parts().join("/")
}

fn put<Item>(items: &mut Vec<Item>, item: Item, same: impl Fn(&Item, &Item) -> bool) {
    match items.iter_mut().find(|known| same(known, &item)) {
        Some(known) => *known = item,
        None => items.push(item),
    }
}
