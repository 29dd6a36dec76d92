//! What `doctor` asks over the network: workbenches, issuers of keys, and a running gateway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Finding;
use crate::admin::views::{Readiness, Ready};
use crate::clock::{Clock, SystemClock};
use crate::config::{JobPlan, Live, Plan, WorkbenchPlan};
use crate::issuers::{Issuers, Transport};
use crate::model::Secret;
use crate::observe::Observer;
use crate::workbench::Workbench;

/// Clocks further apart than this make signed timestamps and retries unreliable.
const SKEW: Duration = Duration::from_secs(30);
/// How long a gateway on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Fetches what the configured senders publish.
pub(super) async fn keys(plan: &Plan) -> Vec<Finding> {
    let mut places = BTreeMap::new();
    for source in plan.sources.values().filter(|source| !source.unauthenticated) {
        if let Some(place) = source.provider.publishes(&source.options) {
            places.insert(format!("source {} keys", source.name), place);
        }
    }
    let clock = Arc::new(SystemClock);
    let issuers = Issuers::new(clock, Arc::new(Observer::new()), Transport::default());
    let mut findings = Vec::new();
    for (what, place) in places {
        let found = issuers.look(&place).await;
        let found = found.map(|count| format!("{} publishes {count} keys", place.url));
        findings.push(Finding::new(what, found));
    }
    findings
}

/// The status of the gateway that runs with this configuration; empty where none runs. It shows details
/// only for an admin token, so the request carries the first one that can be read.
pub(super) async fn running(live: &Live, plan: &Plan) -> Vec<Finding> {
    let address = plan.server.admin;
    let token = first_token(live).await;
    match ask(&format!("http://{address}/readyz"), token).await {
        None => Vec::new(),
        Some(Ready::Status(status)) => {
            let counts = format!(
                "{address} runs: {} queued, {} in flight, {} held",
                status.queued, status.sending, status.held
            );
            let runs = if status.ready { Ok(counts) } else { Err(counts) };
            let notes = status.notes.into_iter().map(Err);
            std::iter::once(runs).chain(notes).map(|found| Finding::new("gateway", found)).collect()
        }
        Some(Ready::Readiness(Readiness { ready, notes })) => {
            let state = if ready { "ready" } else { "not ready" };
            let words = format!(
                "{address} runs and is {state}, with {notes} notes; it accepts no admin token of this \
                 configuration, so it does not say more"
            );
            let found = if ready && notes == 0 { Ok(words) } else { Err(words) };
            vec![Finding::new("gateway", found)]
        }
    }
}

async fn first_token(live: &Live) -> Option<Secret> {
    let plan = live.plan();
    for reference in plan.server.admin_tokens.values() {
        if let Ok(token) = live.secrets().resolve(reference).await {
            return Some(token);
        }
    }
    None
}

async fn ask(url: &str, token: Option<Secret>) -> Option<Ready> {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(String::from_utf8_lossy(token.expose()));
    }
    request.send().await.ok()?.json().await.ok()
}

pub(super) async fn reach(plan: &Arc<WorkbenchPlan>) -> Vec<Finding> {
    let what = format!("workbench {}", plan.name);
    let reached = match Workbench::new(Arc::clone(plan)) {
        Ok(workbench) => workbench.reach(SystemClock.now()).await,
        Err(fault) => Err(fault.to_string()),
    };
    match reached {
        Err(why) => vec![Finding::new(what, Err(why))],
        Ok(reached) => {
            let words = format!("{} answers ({})", plan.url, reached.status);
            let mut findings = vec![Finding::new(what, Ok(words))];
            findings.extend(reached.date.map(|there| clock(&plan.name, there)));
            findings
        }
    }
}

fn clock(workbench: &str, there: jiff::Timestamp) -> Finding {
    let off = SystemClock.now().duration_since(there).unsigned_abs();
    let words = format!("{} s from the clock of {workbench}", off.as_secs());
    let found = if off <= SKEW { Ok(words) } else { Err(format!("{words}; set it right")) };
    Finding::new("clock", found)
}

pub(super) async fn look_up(live: &Live, job: &JobPlan) -> Finding {
    let found = async {
        let workbench =
            Workbench::new(Arc::clone(&job.workbench)).map_err(|fault| fault.to_string())?;
        let key = live.api_key(job).await.map_err(|fault| fault.to_string())?;
        match workbench.look_up(&job.target, &key).await? {
            200 => Ok(format!("{} is there", job.target)),
            401 => Err(format!("the workbench does not accept key {} (401)", job.api_key)),
            404 => Err("the workbench knows no such project or job (404)".to_owned()),
            other => Err(format!("the workbench answered {other}")),
        }
    };
    Finding::new(format!("job {}", job.name), found.await)
}
