//! The job API of a workbench, as a client: one request a start, and what can be known from it.
//!
//! There is more than one such API. What they share is here and in `transport`, `credential`,
//! `attempt`, `reply` and `redact`; each API has a module of its own, and only [`Workbench`] knows
//! which one a workbench speaks. Nothing here retries, follows a redirect or decides what comes next.
//! The connection's evidence becomes one of four outcomes; whoever asked decides.

mod attempt;
mod credential;
mod http_date;
mod known;
mod reach;
mod redact;
mod reply;
mod transport;
mod v1;

pub use reach::Reached;
pub(crate) use reply::LONGEST_REST;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Probe, WorkbenchPlan};
use crate::model::{AttemptResult, DeliveryId, Environment, RunId, Secret, Target};
use transport::Transport;

/// Time on top of a request's own time-outs after which whoever sent it is taken for dead.
pub(crate) const LEASE_MARGIN: Duration = Duration::from_secs(15);

/// A start to ask for.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The job.
    pub target: &'a Target,
    /// Variables of the run.
    pub environment: &'a Environment,
    /// Told to the job as `GATEWAY_RUN_ID`.
    pub run: RunId,
    /// Told to the job as `GATEWAY_DELIVERY_ID`.
    pub delivery: DeliveryId,
    /// The time now, for replies that name a moment.
    pub now: jiff::Timestamp,
}

/// A workbench that can be asked.
#[derive(Clone, Debug)]
pub struct Workbench {
    plan: Arc<WorkbenchPlan>,
    transport: Transport,
    api: Api,
}

/// The job API that a workbench speaks.
#[derive(Clone, Debug)]
enum Api {
    V1(v1::JobsV1),
}

/// Why a workbench cannot be asked at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFault(String);

impl fmt::Display for ClientFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ClientFault {}

/// Why no request was made. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The API key cannot be put into a request.
    Credential(String),
    /// The job is one of another API than the workbench speaks.
    OtherApi(String),
    /// There is no such request.
    Request(String),
}

impl NotSent {
    fn other_api(plan: &WorkbenchPlan, spoken: &str, target: &Target) -> Self {
        Self::OtherApi(format!(
            "nothing was sent: {target} is a job of the API {}, and workbench {} speaks the API \
             {spoken}",
            target.api(),
            plan.name
        ))
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Credential(why) | Self::OtherApi(why) | Self::Request(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for NotSent {}

impl Start<'_> {
    /// The run's variables, with those that the gateway adds to every start.
    fn variables(&self) -> Environment {
        let mut variables = self.environment.clone();
        variables.insert("GATEWAY_RUN_ID", self.run.to_string());
        variables.insert("GATEWAY_DELIVERY_ID", self.delivery.to_string());
        variables
    }
}

impl Workbench {
    /// Prepares a client: the system's certificate authorities and the configured one, the
    /// configured proxy and no other, no redirects, no retries.
    ///
    /// # Errors
    /// When the CA file cannot be read or holds no certificate.
    pub fn new(plan: Arc<WorkbenchPlan>) -> Result<Self, ClientFault> {
        let transport = Transport::new(&plan)?;
        let api = Api::V1(v1::JobsV1::new(Arc::clone(&plan), transport.clone()));
        Ok(Self { plan, transport, api })
    }

    /// What it was made from.
    pub fn plan(&self) -> &Arc<WorkbenchPlan> {
        &self.plan
    }

    /// The longest that one attempt can take, and a margin: the length of a lease.
    pub fn lease(plan: &WorkbenchPlan, probe: Option<Probe>) -> Duration {
        let request = plan.connect_timeout + plan.timeout;
        let requests = if probe.is_some() { 2 } else { 1 };
        request * requests + LEASE_MARGIN
    }

    /// Asks for one start. Always ends within the time-outs, and always with an outcome.
    ///
    /// # Errors
    /// Why no request can be made of this start and key; nothing was sent.
    pub async fn start(&self, start: &Start<'_>, key: &Secret) -> Result<AttemptResult, NotSent> {
        match &self.api {
            Api::V1(jobs) => jobs.start(start, key).await,
        }
    }

    /// Looks for a run of ours whose start may or may not have gone through: its engine, where the
    /// job's latest run names it. Nothing else is proof: another start may have come after ours, and
    /// ours may still be on its way. The call is not documented by the vendor.
    ///
    /// # Errors
    /// Why the latest run is not known, or does not name ours, in words.
    pub async fn find(&self, start: &Start<'_>, key: &Secret) -> Result<String, String> {
        match &self.api {
            Api::V1(jobs) => jobs.find(start, key).await,
        }
    }

    /// Asks the workbench's address for any answer at all, without a key. `now` helps to read the time
    /// that it tells.
    ///
    /// # Errors
    /// Why there was none, in words.
    pub async fn reach(&self, now: jiff::Timestamp) -> Result<Reached, String> {
        reach::reach(&self.transport, &self.plan, now).await
    }

    /// Asks for a job's description with the key, without starting anything; gives the status of the
    /// answer. The call is not documented by the vendor, so it is made only when a person asks for it.
    ///
    /// # Errors
    /// Why there was no answer, in words.
    pub async fn look_up(&self, target: &Target, key: &Secret) -> Result<u16, String> {
        match &self.api {
            Api::V1(jobs) => jobs.look_up(target, key).await,
        }
    }
}

#[cfg(test)]
mod tests;
