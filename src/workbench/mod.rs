//! The job API of a workbench, as a client: one request a start, and what can be known from it.
//!
//! Nothing here retries, follows a redirect or decides what comes next. The connection's evidence
//! becomes one of four outcomes in `reply`; whoever asked decides.

mod http_date;
mod redact;
mod reply;
mod v1;

pub(crate) use reply::LONGEST_REST;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, Client, Proxy};

use crate::config::{Probe, WorkbenchPlan};
use crate::model::{AttemptResult, DeliveryId, Environment, RunId, Secret};

/// What the process calls itself to a workbench.
const USER_AGENT: &str = concat!("cdsw-gateway/", env!("CARGO_PKG_VERSION"));

/// Time on top of a request's own time-outs after which whoever sent it is taken for dead.
pub(crate) const LEASE_MARGIN: Duration = Duration::from_secs(15);

/// A start to ask for.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// Owner of the project: a user or a team.
    pub owner: &'a str,
    /// The project's slug.
    pub project: &'a str,
    /// The job's number.
    pub job: u64,
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
    client: Client,
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

impl Workbench {
    /// Prepares a client: the system's certificate authorities and the configured one, the
    /// configured proxy and no other, no redirects, no retries.
    ///
    /// # Errors
    /// When the CA file cannot be read or holds no certificate.
    pub fn new(plan: Arc<WorkbenchPlan>) -> Result<Self, ClientFault> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // A connection of its own for every start: one kept open may be closed by the other
            // side just as it is used again, and nobody could say whether the job runs.
            .pool_max_idle_per_host(0)
            .http1_only()
            .connect_timeout(plan.connect_timeout)
            .timeout(plan.timeout);
        if let Some(path) = &plan.ca_file {
            let fault = |why: String| {
                ClientFault(format!("ca_file {} of workbench {}: {why}", path.display(), plan.name))
            };
            let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
            let certificates =
                Certificate::from_pem_bundle(&pem).map_err(|error| fault(error.to_string()))?;
            if certificates.is_empty() {
                return Err(fault("it holds no certificate in PEM form".to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some(address) = &plan.proxy {
            let proxy = Proxy::all(address.clone()).map_err(|error| {
                ClientFault(format!("proxy of workbench {}: {error}", plan.name))
            })?;
            builder = builder.proxy(proxy);
        }
        let client = builder
            .build()
            .map_err(|error| ClientFault(format!("workbench {}: {}", plan.name, words(&error))))?;
        Ok(Self { plan, client })
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
    /// Why no request can be made of this start and key, in words; nothing was sent.
    pub async fn start(&self, start: &Start<'_>, key: &Secret) -> Result<AttemptResult, String> {
        v1::start(&self.client, &self.plan, start, key).await
    }

    /// Looks for a run of ours whose start may or may not have gone through: its engine, where the
    /// job's latest run names it. Nothing else is proof: another start may have come after ours, and
    /// ours may still be on its way. The call is not documented by the vendor.
    ///
    /// # Errors
    /// Why the latest run is not known, or does not name ours, in words.
    pub async fn find(&self, start: &Start<'_>, key: &Secret) -> Result<String, String> {
        v1::find(&self.client, &self.plan, start, key).await
    }

    /// Asks the workbench's address for any answer at all, without a key. `now` helps to read the time
    /// that it tells.
    ///
    /// # Errors
    /// Why there was none, in words.
    pub async fn reach(&self, now: jiff::Timestamp) -> Result<Reached, String> {
        v1::reach(&self.client, &self.plan, now).await
    }

    /// Asks for a job's description with the key, without starting anything. The call is not
    /// documented by the vendor, so it is made only when a person asks for it.
    ///
    /// # Errors
    /// Why there was no answer, in words.
    pub async fn look_up(
        &self,
        owner: &str,
        project: &str,
        job: u64,
        key: &Secret,
    ) -> Result<u16, String> {
        v1::look_up(&self.client, &self.plan, (owner, project, job), key).await
    }
}

/// A workbench's answer to being reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// HTTP status.
    pub status: u16,
    /// Its clock, where it said.
    pub date: Option<jiff::Timestamp>,
}

/// An error with its causes, on one line.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = inner.source();
    }
    text
}
