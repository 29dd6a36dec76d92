//! The CDSW Jobs API v1. A start is `POST {prefix}/projects/{owner}/{project}/jobs/{id}/start` with a JSON
//! body that has the member `environment`. Basic authentication has the API key as the user name and an empty
//! password (source: Cloudera Data Science Workbench documentation, "Jobs API").

mod reply;

use std::sync::Arc;

use reqwest::header::ACCEPT;
use reqwest::{Request, Url};

use super::attempt::attempt;
use super::credential::Credential;
use super::known::KEY_FOR_ENGINE;
use super::redact::Redactor;
use super::transport::{Transport, address, read};
use super::{NotSent, Start};
use crate::config::WorkbenchPlan;
use crate::error_chain::with_causes;
use crate::model::{AttemptResult, Secret, Target};

/// A client of this API on one workbench.
#[derive(Clone, Debug)]
pub(super) struct JobsV1 {
    plan: Arc<WorkbenchPlan>,
    transport: Transport,
}

impl JobsV1 {
    pub(super) fn new(plan: Arc<WorkbenchPlan>, transport: Transport) -> Self {
        Self { plan, transport }
    }

    /// Sends one start request.
    pub(super) async fn start(
        &self,
        start: &Start<'_>,
        key: &Secret,
    ) -> Result<AttemptResult, NotSent> {
        let credential = Credential::Basic(key.clone());
        let request = self
            .transport
            .post(self.job_address(start.target, &["start"])?)
            .header(ACCEPT, "application/json");
        let request = credential
            .apply(request)?
            .json(&serde_json::json!({ "environment": start.variables() }))
            .build()
            .map_err(|error| NotSent::Request(with_causes(&error)))?;
        let redactor = Redactor::new(&credential);
        Ok(attempt(&self.transport, request, &redactor, start.now, reply::success).await)
    }

    /// The engine of the job's latest run, where that run names ours.
    pub(super) async fn find(&self, start: &Start<'_>, key: &Secret) -> Result<String, String> {
        let credential = Credential::Basic(key.clone());
        let request = self.description(start.target, &credential);
        let redactor = Redactor::new(&credential);
        let sent = self.transport.send(request.map_err(|why| why.to_string())?).await;
        let response = sent.map_err(|ended| ended.known().without_key(&redactor).reason)?;
        match response.status().as_u16() {
            200 => {
                let mut body = Vec::new();
                read(response, &mut body).await?;
                match reply::names(&body, &start.run.to_string())? {
                    shown if redactor.finds(&shown) => Err(KEY_FOR_ENGINE.to_owned()),
                    engine_id => Ok(engine_id),
                }
            }
            other => Err(format!("the workbench answered {other}")),
        }
    }

    /// The HTTP status of the answer to a request for a job's description.
    pub(super) async fn look_up(&self, target: &Target, key: &Secret) -> Result<u16, String> {
        let credential = Credential::Basic(key.clone());
        let request = self.description(target, &credential).map_err(|why| why.to_string())?;
        let response = self.transport.send(request).await.map_err(|ended| ended.known().reason)?;
        Ok(response.status().as_u16())
    }

    fn description(&self, target: &Target, credential: &Credential) -> Result<Request, NotSent> {
        let request = self.transport.get(self.job_address(target, &[])?);
        credential
            .apply(request.header(ACCEPT, "application/json"))?
            .build()
            .map_err(|error| NotSent::Request(with_causes(&error)))
    }

    fn job_address(&self, target: &Target, call: &[&str]) -> Result<Url, NotSent> {
        let Target::V1 { owner, project, number } = target else {
            return Err(NotSent::other_api(&self.plan, "v1", target));
        };
        let number = number.to_string();
        let job = ["projects", owner, project, "jobs", &number];
        address(&self.plan, &[&job, call].concat())
    }
}
