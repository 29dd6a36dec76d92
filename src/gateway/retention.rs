//! Retention: removes old deliveries in small steps, in the background.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, later};
use crate::config::Live;
use crate::observe::{Observation, Observer};
use crate::store::{Retention, Store};

/// How often retention looks for something to remove.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// Applies retention until `stop` is cancelled.
pub(super) async fn apply_forever(
    live: Arc<Live>,
    store: Arc<dyn Store>,
    observer: Arc<Observer>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let mut said = false;
    loop {
        let plan = live.plan();
        let retention = Retention { keep: plan.retention.keep, max_size: plan.retention.max_size };
        let now = clock.now();
        let more = match store.apply_retention(retention, now).await {
            Ok(step) => {
                observer.tell(Observation::Retention { step: &step });
                if step.over && !said {
                    let (bytes, bound) = (step.bytes, retention.max_size);
                    observer.tell(Observation::StoreOverBound { bytes, bound });
                }
                said = step.over;
                step.more
            }
            Err(fault) => {
                observer.tell(Observation::store_fault("retention", &fault));
                false
            }
        };
        if more && !stop.is_cancelled() {
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.wait_until(later(now, TIDY_EVERY)) => {}
        }
    }
}
