//! Checks whether a workbench can be reached at all, without a key. Shared by the job APIs.

use jiff::Timestamp;
use reqwest::header::DATE;

use super::http_date::http_date;
use super::transport::{Transport, header};
use crate::config::WorkbenchPlan;
use crate::error_chain::with_causes;

/// The health check path for load balancers (vendor's documentation).
const HEALTH: &str = "/internal/load-balancer/health-ping";

/// A workbench's answer to being reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// HTTP status.
    pub status: u16,
    /// The time of its clock, where the answer tells it.
    pub date: Option<Timestamp>,
}

/// Requests the workbench's health check path. Any answer counts, whatever its status.
pub(super) async fn reach(
    transport: &Transport,
    plan: &WorkbenchPlan,
    now: Timestamp,
) -> Result<Reached, String> {
    let mut url = plan.url.clone();
    url.set_path(HEALTH);
    let request = transport.get(url).build().map_err(|error| with_causes(&error))?;
    let response = transport.send(request).await.map_err(|ended| ended.known().reason)?;
    let date = header(&response, DATE);
    Ok(Reached {
        status: response.status().as_u16(),
        date: date.and_then(|date| http_date(&date, now)),
    })
}
