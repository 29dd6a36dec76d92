//! One of several: says again and again that this process lives and which configuration it runs, so
//! that all of them agree on which is in force.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, later};
use crate::config::{Live, Plan};
use crate::model::Role;
use crate::observe::{Observation, Observer};
use crate::store::Store;
use crate::store::shared::{Declared, Shared};

/// How often it is looked whether the configuration has changed.
const LOOK: Duration = Duration::from_secs(1);
/// Looks from one sign of life to the next; well below the time after which a replica counts as gone.
const LOOKS: u32 = 5;

/// What a process declares of itself.
pub(super) fn declared(role: Role, plan: &Plan) -> Declared {
    Declared {
        role: role.as_str().into(),
        version: Arc::clone(&plan.version),
        jobs: plan.jobs.values().map(|job| job.declared.to_string()).collect(),
    }
}

/// Declares until told to stop, then takes leave.
pub(super) async fn keep_up(
    role: Role,
    live: Arc<Live>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    observer: Arc<Observer>,
    stop: CancellationToken,
) {
    let Some(shared) = store.shared() else { return };
    let mut known = Arc::clone(&live.plan().version);
    let mut looks = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = clock.wait_until(later(clock.now(), LOOK)) => {}
        }
        let plan = live.plan();
        let changed = plan.version != known;
        looks += 1;
        if !changed && looks < LOOKS {
            continue;
        }
        match shared.declare(declared(role, &plan), changed).await {
            Ok(()) => (known, looks) = (Arc::clone(&plan.version), 0),
            Err(fault) => observer.tell(Observation::store_fault("declare", &fault)),
        }
    }
    take_leave(shared, &observer).await;
}

/// Who does not take leave counts as living for a while; nothing worse.
async fn take_leave(shared: &dyn Shared, observer: &Observer) {
    if let Err(fault) = shared.leave().await {
        observer.tell(Observation::store_fault("leave", &fault));
    }
}
