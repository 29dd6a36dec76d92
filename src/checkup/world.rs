//! What is asked over the network: workbenches, and issuers of keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use reqwest::Url;

use super::Finding;
use crate::clock::{Clock, SystemClock};
use crate::config::{JobPlan, Live, Plan, WorkbenchPlan};
use crate::issuers::{Issuers, Transport};
use crate::model::{counted, length};
use crate::observe::Observer;
use crate::workbench::Workbench;

/// Clocks further apart than this make signed timestamps, retries and deadlines unreliable.
pub const SKEW: SignedDuration = SignedDuration::from_secs(30);

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
        let found = found.map(|count| {
            let keys = counted(count as u64, "key");
            format!("{} publishes {keys}", place.url)
        });
        findings.push(Finding::new(what, found));
    }
    findings
}

pub(super) async fn reach(plan: &Arc<WorkbenchPlan>) -> Vec<Finding> {
    let what = format!("workbench {}", plan.name);
    let reached = match Workbench::new(Arc::clone(plan)) {
        Ok(workbench) => workbench.reach(SystemClock.now()).await,
        Err(fault) => Err(fault.to_string()),
    };
    match reached {
        Err(why) => vec![Finding::new(what, Err(format!("{}: {why}", host_and_port(&plan.url))))],
        Ok(reached) => {
            let words = format!("{} answers ({})", plan.url, reached.status);
            let mut findings = vec![Finding::new(what, Ok(words))];
            findings.extend(reached.date.map(|there| clock(&plan.name, there)));
            findings
        }
    }
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn clock(workbench: &str, there: jiff::Timestamp) -> Finding {
    let ahead = there.duration_since(SystemClock.now());
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    let words = match ahead.unsigned_abs().as_secs() {
        // A `Date` has whole seconds.
        0 | 1 => format!("that of {workbench} agrees with this machine's"),
        _ => {
            let off = length(ahead.unsigned_abs());
            format!("that of {workbench} is {off} {side} this machine's")
        }
    };
    let found = if ahead.abs() <= SKEW {
        Ok(words)
    } else {
        Err(format!("{words}; set the wrong one right"))
    };
    Finding::new("clock", found)
}

/// Asks a workbench for a job's description with its key; starts nothing. The vendor does not document this
/// call.
pub async fn look_up(live: &Live, job: &JobPlan) -> Finding {
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
