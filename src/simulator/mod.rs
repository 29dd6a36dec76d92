//! A stand-in for the workbench, which cannot be had for a laptop or a test: strict about keys,
//! content types and bodies, honest about what it would have started, and able to go wrong in every
//! way that a workbench, its proxies or the network between can.
//!
//! It speaks the Jobs API v1 over plain HTTP on loopback. Replies are written byte by byte, since
//! broken ones are half of its purpose. It never calls anyone, and never keeps or shows a key that
//! it was sent.

mod answer;
mod api;
mod connection;
mod control;
mod faults;
mod http1;
mod judge;
mod log;
mod options;
mod port;
mod seed;
mod world;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use faults::{Fault, FaultRule, Page, Reply};
pub use log::LogEntry;
pub use options::{Now, SimulatorOptions};
use port::Port;
pub use seed::{Seed, SimulatedJob, SimulatedProject, SimulatedUser, Variables};
pub use world::RunRecord;
use world::World;

/// A simulated workbench that runs. Dropping it ends it, whatever is on the wire.
pub struct Simulator {
    api: SocketAddr,
    control: SocketAddr,
    world: Arc<World>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Why a simulated workbench did not start.
#[derive(Debug)]
pub enum SimulatorError {
    /// An address cannot be listened on.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The log file cannot be written.
    LogFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

impl fmt::Display for SimulatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => {
                write!(f, "cannot listen on {address}: {error}; choose another address or port 0")
            }
            Self::LogFile { path, error } => {
                write!(
                    f,
                    "cannot write {}: {error}; choose a file that can be written",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for SimulatorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } | Self::LogFile { error, .. } => Some(error),
        }
    }
}

impl Simulator {
    /// Starts it.
    ///
    /// # Errors
    /// An address cannot be listened on, or the log file cannot be written.
    pub async fn start(options: SimulatorOptions) -> Result<Self, SimulatorError> {
        let listen = |address| move |error| SimulatorError::Listen { address, error };
        let port = Port::bind(options.listen).await.map_err(listen(options.listen))?;
        let controls = Port::bind(options.control).await.map_err(listen(options.control))?;
        let (api, control) = (port.address(), controls.address());
        let world = Arc::new(World::new(options)?);
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(api::serve(port, Arc::clone(&world), tasks.clone(), stop.clone()));
        let router = control::router(Arc::clone(&world));
        tasks.spawn(control::serve(controls, router, tasks.clone(), stop.clone()));
        Ok(Self { api, control, world, stop, tasks })
    }

    /// Address of the job API.
    pub fn api_addr(&self) -> SocketAddr {
        self.api
    }

    /// Address of the control API.
    pub fn control_addr(&self) -> SocketAddr {
        self.control
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

    /// The requests that are remembered and came after the one of this number, oldest first.
    pub fn requests_after(&self, number: u64) -> Vec<LogEntry> {
        self.world.requests_after(number)
    }

    /// Every run that was started and is remembered, oldest first.
    pub fn runs(&self) -> Vec<RunRecord> {
        self.world.runs()
    }

    /// From now on, something goes wrong. Of several rules that fit, the one added first applies.
    pub fn add_fault(&self, rule: FaultRule) {
        self.world.add_fault(rule);
    }

    /// The rules that still apply, in their order.
    pub fn faults(&self) -> Vec<FaultRule> {
        self.world.faults()
    }

    /// From now on nothing goes wrong. Replies that are held back stay so until they are let go.
    pub fn clear_faults(&self) {
        self.world.clear_faults();
    }

    /// Adds users, projects and jobs; what has the same name or number takes the old one's place.
    pub fn seed(&self, seed: Seed) {
        self.world.seed(seed);
    }

    /// Lets every reply go that is held back.
    pub fn release_held(&self) {
        self.world.release();
    }

    /// Back to the beginning: faults, log and runs are forgotten, held replies let go, and who and
    /// what there is becomes what the options said. Numbers and engine ids count on, so that none
    /// is given twice.
    pub fn reset(&self) {
        self.world.reset();
    }

    /// Closes or opens the job API's port, soon: while closed, connections are refused, and those
    /// that wait for a request are closed.
    pub fn set_listening(&self, open: bool) {
        self.world.set_listening(open);
    }

    /// Closes the job API's port, and ends when connections are refused.
    pub async fn stop_listening(&self) {
        self.world.listen(false).await;
    }

    /// Opens the job API's port again, and ends when connections are accepted.
    pub async fn listen_again(&self) {
        self.world.listen(true).await;
    }

    /// Ends when this many start requests have been read since the beginning or the last reset.
    pub async fn wait_for_requests(&self, count: u64) {
        self.world.wait_for_starts(count).await;
    }

    /// Ends it, whatever is on the wire, and waits until nothing of it is left.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
