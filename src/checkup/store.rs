//! Looks at the store. A file is only read: it is neither created nor migrated, and its permissions stay.

use std::sync::Arc;

use super::Finding;
use crate::clock::{Clock, SystemClock};
use crate::config::{Live, StorePlan};
use crate::gateway;
use crate::observe::Observer;
use crate::random::SystemRandom;
use crate::store::sqlite;

/// Whether a gateway could use the store. A file that a running gateway has open counts as good: only that gateway
/// can say more.
pub async fn store(live: &Live) -> Finding {
    let plan = live.plan();
    let found = match &plan.store {
        StorePlan::Sqlite(path) => {
            let (path, shown) = (path.clone(), path.display().to_string());
            let looked = tokio::task::spawn_blocking(move || sqlite::look(&path)).await;
            match looked {
                Ok(Ok(seen)) => Ok(format!("{shown} {seen}")),
                Ok(Err(fault)) => Err(fault.to_string()),
                Err(stopped) => Err(stopped.to_string()),
            }
        }
        StorePlan::Postgres(plan) => {
            let observer = Arc::new(Observer::new());
            match gateway::open(live, &SystemRandom, false, &observer).await {
                Err(fault) => Err(fault.to_string()),
                Ok(store) => match store.probe(SystemClock.now()).await {
                    Ok(()) => Ok(format!("{} takes a commit", plan.shown)),
                    Err(fault) => Err(fault.to_string()),
                },
            }
        }
    };
    Finding::new("store", found)
}
