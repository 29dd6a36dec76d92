//! The client of a workbench's job API: sends one request per start, and determines its outcome.
//!
//! There is more than one such API. The parts that they share are here and in `transport`, `credential`,
//! `attempt`, `reply` and `redact`. Each API has a module of its own, and only [`Workbench`] knows which one
//! a workbench speaks. Nothing here retries, follows a redirect or decides what comes next: a request ends
//! with one of four outcomes, and the caller decides.

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

/// Added to the time-outs of an attempt's requests. After that time, the process that sent them counts as
/// dead.
pub(crate) const LEASE_MARGIN: Duration = Duration::from_secs(15);

/// A start request.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// The job.
    pub target: &'a Target,
    /// Variables of the run.
    pub environment: &'a Environment,
    /// The run's id. The job gets it as `GATEWAY_RUN_ID`.
    pub run: RunId,
    /// The delivery's id. The job gets it as `GATEWAY_DELIVERY_ID`.
    pub delivery: DeliveryId,
    /// The time now, to interpret dates in the reply.
    pub now: jiff::Timestamp,
}

/// A client of one workbench.
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

/// Why a client cannot be made, as a message for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFault(String);

impl fmt::Display for ClientFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ClientFault {}

/// Why no start request could be made. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The API key cannot be put into a request.
    Credential(String),
    /// The job belongs to another API than the one that the workbench speaks.
    OtherApi(String),
    /// The request cannot be built.
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
    /// Makes a client. It trusts the system's certificate authorities and the configured one, uses the
    /// configured proxy or none, follows no redirects and does not retry.
    ///
    /// # Errors
    /// [`ClientFault`] where the CA file cannot be read or has no certificate, or the proxy cannot be used.
    pub fn new(plan: Arc<WorkbenchPlan>) -> Result<Self, ClientFault> {
        let transport = Transport::new(&plan)?;
        let api = Api::V1(v1::JobsV1::new(Arc::clone(&plan), transport.clone()));
        Ok(Self { plan, transport, api })
    }

    /// The configuration that it was made from.
    pub fn plan(&self) -> &Arc<WorkbenchPlan> {
        &self.plan
    }

    /// The length of a lease: the longest that one attempt can take, with a margin.
    pub fn lease(plan: &WorkbenchPlan, probe: Option<Probe>) -> Duration {
        let request = plan.connect_timeout + plan.timeout;
        let requests = if probe.is_some() { 2 } else { 1 };
        request * requests + LEASE_MARGIN
    }

    /// Sends one start request. It returns within the time-outs, and an `Ok` always has an outcome.
    ///
    /// # Errors
    /// [`NotSent`] where no request can be made for this start and key; nothing was sent.
    pub async fn start(&self, start: &Start<'_>, key: &Secret) -> Result<AttemptResult, NotSent> {
        match &self.api {
            Api::V1(jobs) => jobs.start(start, key).await,
        }
    }

    /// Looks for a run whose start has an unknown outcome; gives its engine, where the job's latest run on
    /// the workbench names our run. If it does not, nothing is proven: another start may have come after
    /// ours, and ours may still be in flight. The vendor does not document this call.
    ///
    /// # Errors
    /// A message for people: why the latest run is not known, or that it does not name ours.
    pub async fn find(&self, start: &Start<'_>, key: &Secret) -> Result<String, String> {
        match &self.api {
            Api::V1(jobs) => jobs.find(start, key).await,
        }
    }

    /// Checks whether the workbench's address answers at all, without a key. `now` is needed to interpret the
    /// date of the answer.
    ///
    /// # Errors
    /// A message for people: why there was no answer.
    pub async fn reach(&self, now: jiff::Timestamp) -> Result<Reached, String> {
        reach::reach(&self.transport, &self.plan, now).await
    }

    /// Requests a job's description with the key, without starting anything; gives the HTTP status of the
    /// answer. The vendor does not document this call, so it is made only when a person asks for it.
    ///
    /// # Errors
    /// A message for people: why there was no answer.
    pub async fn look_up(&self, target: &Target, key: &Secret) -> Result<u16, String> {
        match &self.api {
            Api::V1(jobs) => jobs.look_up(target, key).await,
        }
    }
}

#[cfg(test)]
mod tests;
