//! What systemd is told of a service with `Type=notify` (sd_notify(3)): that it is ready, reloads, stops, and is
//! alive. Nothing is sent where no `NOTIFY_SOCKET` is set.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Starts have succeeded: units that wait for this one go on.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again. [`ready`] says that it has been.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The process is stopping, and takes so long at most. systemd waits for that long, also where the unit's
/// `TimeoutStopSec` is shorter.
pub(super) fn stopping(at_most: Duration) {
    let micros = u32::try_from(at_most.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(micros)]);
}

/// The process is alive.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Ticks as often as [`alive`] must be said: twice in the time after which systemd ends the process
/// (`WatchdogSec`). Once in an hour, in vain, where there is no watchdog.
pub(super) fn heartbeat() -> Interval {
    let period = sd_notify::watchdog_enabled().map_or(Duration::from_secs(3600), |limit| limit / 2);
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// A message that cannot be sent is dropped: systemd then acts as on a silent process, which is all that can be done.
fn tell(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}
