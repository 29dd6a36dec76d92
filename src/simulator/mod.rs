//! A stand-in for the workbench, which cannot be had for a laptop or a test: strict about keys,
//! content types and bodies, honest about what it would have started, and able to go wrong in every
//! way that a workbench, its proxies or the network between can.
//!
//! It speaks the Jobs API v1 over plain HTTP on loopback. Replies are written byte by byte, since
//! broken ones are half of its purpose. It never calls anyone.

mod api;
mod control;
mod faults;
mod http1;
mod world;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use faults::{Fault, FaultRule, Page, Reply};
use world::World;
pub use world::{LogEntry, RunRecord, SimulatedJob, SimulatedProject, SimulatedUser};

/// The time, for the log.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a simulated workbench begins with.
#[derive(Clone)]
pub struct SimulatorOptions {
    /// Address of the job API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the control API; port 0 takes a free one.
    pub control: SocketAddr,
    /// Who has a key.
    pub users: Vec<SimulatedUser>,
    /// Projects, with their variables.
    pub projects: Vec<SimulatedProject>,
    /// Jobs, with their variables.
    pub jobs: Vec<SimulatedJob>,
    /// Requests remembered; the oldest give way.
    pub remembered: usize,
    /// Where each request is written too, one JSON object a line.
    pub log_file: Option<PathBuf>,
    /// Insist on `Content-Type: application/json`, as the vendor's page says.
    pub strict_content_type: bool,
    /// Insist on variables that are text.
    pub strict_values: bool,
    /// The time.
    pub now: Now,
    /// Decides faults that have a probability.
    pub seed: u64,
}

impl SimulatorOptions {
    /// One user with this key, one project, one job.
    pub fn single(key: &str, project: &str, job: u64) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut options = Self {
            listen: loopback,
            control: loopback,
            users: vec![SimulatedUser::new("alice", key)],
            projects: vec![SimulatedProject {
                name: project.to_owned(),
                ..SimulatedProject::default()
            }],
            jobs: Vec::new(),
            remembered: 100_000,
            log_file: None,
            strict_content_type: true,
            strict_values: true,
            now: Arc::new(|| Timestamp::UNIX_EPOCH),
            seed: 1,
        };
        options.add_job(project, job);
        options
    }

    /// Another job of a project.
    pub fn add_job(&mut self, project: &str, job: u64) {
        let project = project.to_owned();
        self.jobs.push(SimulatedJob { project, id: job, ..SimulatedJob::default() });
    }
}

/// A simulated workbench that runs.
pub struct Simulator {
    api: SocketAddr,
    control: SocketAddr,
    world: Arc<World>,
    listening: watch::Sender<bool>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Why a simulated workbench did not start.
#[derive(Debug)]
pub struct SimulatorError(String);

impl fmt::Display for SimulatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SimulatorError {}

impl Simulator {
    /// Starts it.
    ///
    /// # Errors
    /// An address cannot be listened on, or the log file cannot be written.
    pub async fn start(options: SimulatorOptions) -> Result<Self, SimulatorError> {
        let (listener, api) = bind(options.listen).await?;
        let (controls, control) = bind(options.control).await?;
        let world = World::new(options).map_err(SimulatorError)?;
        let world = Arc::new(world);
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (listening, listens) = watch::channel(true);
        tasks.spawn(api::serve(listener, listens, Arc::clone(&world), stop.clone()));
        let router = control::router(Arc::clone(&world));
        let ended = stop.clone().cancelled_owned();
        tasks.spawn(async move {
            let _ = axum::serve(controls, router).with_graceful_shutdown(ended).await;
        });
        Ok(Self { api, control, world, listening, stop, tasks })
    }

    /// Where the job API is.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// Where the control API is.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// Every request that is remembered, oldest first.
    pub fn requests(&self) -> Vec<LogEntry> {
        self.world.requests_after(0)
    }

    /// Every run that was started.
    pub fn runs(&self) -> Vec<RunRecord> {
        self.world.runs()
    }

    /// From now on, something goes wrong.
    pub fn add_fault(&self, rule: FaultRule) {
        self.world.add_fault(rule);
    }

    /// From now on nothing goes wrong.
    pub fn clear_faults(&self) {
        self.world.clear_faults();
    }

    /// Lets every reply go that is held back.
    pub fn release_held(&self) {
        self.world.release();
    }

    /// Closes or opens the job API's port: while closed, connections are refused.
    pub fn set_listening(&self, open: bool) {
        self.listening.send_replace(open);
    }

    /// Ends when this many start requests have been read in all.
    pub async fn wait_for_requests(&self, count: u64) {
        self.world.wait_for(count).await;
    }

    /// Ends it, whatever is on the wire.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.world.release();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    let fault = |error| SimulatorError(format!("cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(fault)?;
    let bound = listener.local_addr().map_err(fault)?;
    Ok((listener, bound))
}

#[cfg(test)]
mod tests;
