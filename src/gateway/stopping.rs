//! Stops a gateway in order, and says how long that takes at most.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Gateway;
use crate::observe::Observation;

/// Time to record the outcomes of starts that were cut off, and the least time for the tasks to end after that.
const RECORD: Duration = Duration::from_secs(5);
/// Time that the threads of the process get at its end (`runtime.shutdown_timeout` in `cli`).
const THREADS: Duration = Duration::from_secs(1);

/// Stops the parts in order: first the process is no longer ready, then no new deliveries come in, then the requests
/// in flight finish. The admin side and the health listener stop last.
#[derive(Clone, Default)]
pub(super) struct Stop {
    /// Cancelled as soon as the gateway is told to stop.
    pub(super) begun: CancellationToken,
    pub(super) hooks: CancellationToken,
    pub(super) dispatch: CancellationToken,
    pub(super) rest: CancellationToken,
}

/// The longest time from the signal to the end of the process with these settings. Whoever ends a process that does
/// not stop (systemd, the kubelet) must wait for longer.
pub fn longest_stop(drain: Duration, grace: Duration) -> Duration {
    drain + grace + RECORD + last_tasks(grace) + THREADS
}

/// At least `RECORD`, however short the grace: a task drops its store only when it ends.
fn last_tasks(grace: Duration) -> Duration {
    grace.max(RECORD)
}

impl Gateway {
    /// How long it still takes deliveries after it was told to stop: no time where its role takes none.
    pub fn drain(&self) -> Duration {
        self.hooks.as_ref().map_or(Duration::ZERO, |_| self.live.plan().server.drain)
    }

    /// Stops the gateway. `/readyz` says from the beginning that it stops. For `server.drain` it still takes
    /// deliveries, since whoever sends them may learn late that it stops; it starts no more jobs. Then it takes none,
    /// waits up to `grace` for the requests in flight, and closes everything. Requests that are still in flight after
    /// `grace` are cut off.
    pub async fn stop(self, grace: Duration) {
        let drain = self.drain();
        let at_most = longest_stop(drain, grace);
        self.observer.tell(Observation::Stopping { at_most });
        self.stop.begun.cancel();
        self.stop.dispatch.cancel();
        tokio::time::sleep(drain).await;
        self.stop.hooks.cancel();
        self.tasks.close();
        let Self { store, stop, tasks, dispatcher, observer, .. } = self;
        if tokio::time::timeout(grace, dispatcher.drained()).await.is_err() {
            observer.tell(Observation::StartsCutOff);
            dispatcher.cut_off();
            // An attempt that is still not recorded stays on disk as begun, and the next start settles it.
            let _ = tokio::time::timeout(RECORD, dispatcher.drained()).await;
        }
        stop.rest.cancel();
        let _ = tokio::time::timeout(last_tasks(grace), tasks.wait()).await;
        drop(store);
        observer.tell(Observation::Stopped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_stop_has_the_drain_twice_the_grace_and_the_recording_in_it() {
        let seconds = Duration::from_secs;
        for (drain, grace, longest) in [(0, 30, 66), (5, 30, 71), (0, 1, 12), (5, 0, 16)] {
            assert_eq!(longest_stop(seconds(drain), seconds(grace)), seconds(longest));
        }
    }
}
