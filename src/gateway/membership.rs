//! Heartbeat of one replica: declares regularly that this process is alive and which configuration it
//! runs, so that all replicas agree on the configuration in force.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, later};
use crate::config::{Live, NAMED_WINDOW, Plan, Repeats, SourcePlan};
use crate::model::Role;
use crate::observe::{Observation, Observer};
use crate::store::Store;
use crate::store::shared::{Declared, Shared};

/// How often the task checks whether the configuration has changed.
const LOOK: Duration = Duration::from_secs(1);
/// Checks between two heartbeats. The time between them is well below the time after which a replica
/// counts as gone.
const LOOKS: u32 = 5;

/// What a process declares about itself.
pub(super) fn declared(role: Role, plan: &Plan) -> Declared {
    Declared {
        role: role.as_str().into(),
        version: Arc::clone(&plan.version),
        jobs: plan.jobs.values().map(|job| job.declared.to_string()).collect(),
        windows: plan.sources.values().filter_map(window).collect(),
    }
}

/// For how long a source's deliveries are known, in milliseconds, where that is longer than usual.
fn window(source: &Arc<SourcePlan>) -> Option<(Arc<str>, u64)> {
    let Some(Repeats::Within(window)) = source.repeats else { return None };
    let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    (window > NAMED_WINDOW).then(|| (Arc::clone(&source.name), millis))
}

/// Sends heartbeats until `stop` is cancelled, then withdraws the declaration. Does nothing where the
/// store is not shared.
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

/// Withdraws the declaration. A replica that fails to do so counts as alive until its heartbeat expires,
/// which does no other harm.
async fn take_leave(shared: &dyn Shared, observer: &Observer) {
    if let Err(fault) = shared.leave().await {
        observer.tell(Observation::store_fault("leave", &fault));
    }
}
