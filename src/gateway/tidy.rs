//! Removes what retention no longer keeps, step by step, beside the work.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::clock::{Clock, later};
use crate::config::Live;
use crate::observe::{Metrics, log};
use crate::store::{Retention, Store};

/// How often retention looks for something to remove.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// Works until told to stop.
pub(super) async fn tidy(
    live: Arc<Live>,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let mut said = false;
    loop {
        let plan = live.plan();
        let retention = Retention { keep: plan.retention.keep, max_size: plan.retention.max_size };
        let now = clock.now();
        let more = match store.tidy(retention, now).await {
            Ok(tidied) => {
                metrics.tidied(&tidied);
                if tidied.over && !said {
                    error!(
                        bytes = tidied.bytes,
                        bound = retention.max_size,
                        "the store is over its size bound and everything left in it still waits; \
                         settle held runs or raise retention.max_size"
                    );
                }
                said = tidied.over;
                tidied.more
            }
            Err(fault) => {
                log::store_fault("tidy", &fault);
                metrics.store_faults.inc();
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
