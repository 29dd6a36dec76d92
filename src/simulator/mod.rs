//! A simulated workbench, for laptops and tests, where no real one is available. It checks keys, content
//! types and bodies strictly, records every run that it starts, and can fail in each way that a
//! workbench, its proxies or the network can.
//!
//! It speaks the Jobs API v1 over plain HTTP on loopback. It writes replies byte by byte, so that it can
//! send broken ones too. It opens no connection itself, and never keeps or shows a key that it was sent.

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

/// A running simulated workbench. Dropping it stops it, even with requests in flight.
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
        /// The system's error.
        error: std::io::Error,
    },
    /// The log file cannot be written.
    LogFile {
        /// The file.
        path: PathBuf,
        /// The system's error.
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

    /// Adds a rule for a fault. Of several rules that match, the one added first applies.
    pub fn add_fault(&self, rule: FaultRule) {
        self.world.add_fault(rule);
    }

    /// The rules that still apply, in their order.
    pub fn faults(&self) -> Vec<FaultRule> {
        self.world.faults()
    }

    /// Removes every rule. Replies that are held back stay so until [`Self::release_held`].
    pub fn clear_faults(&self) {
        self.world.clear_faults();
    }

    /// Adds users, projects and jobs. One with the name or number of an old one replaces it.
    pub fn seed(&self, seed: Seed) {
        self.world.seed(seed);
    }

    /// Releases every reply that is held back.
    pub fn release_held(&self) {
        self.world.release();
    }

    /// Returns to the state of the options: forgets faults, log and runs, restores users, projects and
    /// jobs, releases held replies, and opens the port. Request numbers and engine ids count on, so that
    /// none is given twice.
    pub fn reset(&self) {
        self.world.reset();
    }

    /// Closes or opens the job API's port, without waiting until that is done. While it is closed, new
    /// connections are refused and idle ones are closed.
    pub fn set_listening(&self, open: bool) {
        self.world.set_listening(open);
    }

    /// Closes the job API's port, and returns once connections are refused.
    pub async fn stop_listening(&self) {
        self.world.listen(false).await;
    }

    /// Opens the job API's port again, and returns once connections are accepted.
    pub async fn listen_again(&self) {
        self.world.listen(true).await;
    }

    /// Returns once this many start requests have been read since the start or the last reset.
    pub async fn wait_for_requests(&self, count: u64) {
        self.world.wait_for_starts(count).await;
    }

    /// Stops it, even with requests in flight, and waits until all its tasks have ended.
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
