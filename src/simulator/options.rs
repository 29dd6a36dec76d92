//! What a simulated workbench begins with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::seed::{SimulatedJob, SimulatedProject, SimulatedUser, Variables, project_of};
use crate::model::Target;

/// The time, for the log and the `Date` of replies.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a simulated workbench begins with.
#[derive(Clone)]
pub struct SimulatorOptions {
    /// Address of the job API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the control API; port 0 takes a free one. Whoever reaches it may do everything.
    pub control: SocketAddr,
    /// Variables of every run on this workbench.
    pub site: Variables,
    /// Users, each with an API key.
    pub users: Vec<SimulatedUser>,
    /// Projects, with their variables.
    pub projects: Vec<SimulatedProject>,
    /// Jobs, with their variables.
    pub jobs: Vec<SimulatedJob>,
    /// How many requests, and how many runs, are remembered; the oldest are dropped.
    pub remembered: usize,
    /// A file to which each request is appended, one JSON object a line.
    pub log_file: Option<PathBuf>,
    /// Insist on `Content-Type: application/json`, as the vendor's page says.
    pub strict_content_type: bool,
    /// Insist on a body that is blank or a JSON object; else a faulty one counts as blank.
    pub strict_json: bool,
    /// Insist on variables that are text; else others are written out as JSON.
    pub strict_values: bool,
    /// The time. A clock that shows 1970-01-01 counts as no clock, and replies then have no `Date`.
    pub now: Now,
    /// Seed for faults that have a probability, and for the ids of engines.
    pub seed: u64,
}

impl SimulatorOptions {
    /// One user with this key, one project, one job; strict, without a clock.
    pub fn single(key: &str, job: Target) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let project = project_of(&job);
        let user = project.split('/').next().unwrap_or_default();
        let mut options = Self {
            listen: loopback,
            control: loopback,
            site: Variables::new(),
            users: vec![SimulatedUser::new(user, key)],
            projects: Vec::new(),
            jobs: Vec::new(),
            remembered: 100_000,
            log_file: None,
            strict_content_type: true,
            strict_json: true,
            strict_values: true,
            now: Arc::new(|| Timestamp::UNIX_EPOCH),
            seed: 1,
        };
        options.add_job(job);
        options
    }

    /// Another job, with its project where that is new.
    pub fn add_job(&mut self, job: Target) {
        let name = project_of(&job);
        if !self.projects.iter().any(|known| known.name == name) {
            self.projects.push(SimulatedProject { name, ..SimulatedProject::default() });
        }
        self.jobs.push(SimulatedJob::new(job));
    }
}
