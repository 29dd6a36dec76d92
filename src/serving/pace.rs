//! Whether a transfer makes progress: a bound on the rate in each window of time. Pure.
//!
//! The rate is asked for in each window, and not on average: a sender that begins with a burst and then
//! stops is as slow as one that never began.

use std::time::Duration;

/// The lowest rate that a transfer must keep while the other side is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinRate {
    /// How long a window is.
    pub window: Duration,
    /// The bytes that each window must bring.
    pub bytes: u64,
}

impl MinRate {
    /// A rate in bytes a second, measured over windows of this length. At least one byte a window.
    pub fn per_second(bytes: u64, window: Duration) -> Self {
        let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        Self { window, bytes: (bytes.saturating_mul(millis) / 1000).max(1) }
    }
}

/// The bytes of the window that is going on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    rate: MinRate,
    moved: u64,
}

impl Pace {
    pub(super) fn new(rate: MinRate) -> Self {
        Self { rate, moved: 0 }
    }

    /// How long the next window is.
    pub(super) fn window(&self) -> Duration {
        self.rate.window
    }

    /// Bytes were transferred.
    pub(super) fn moved(&mut self, bytes: usize) {
        self.moved = self.moved.saturating_add(bytes as u64);
    }

    /// Ends a window. Says whether it brought enough, and begins the next one.
    pub(super) fn kept_up(&mut self) -> bool {
        std::mem::take(&mut self.moved) >= self.rate.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_in_one_window_does_not_pay_for_the_next() {
        let mut pace = Pace::new(MinRate::per_second(1024, Duration::from_secs(5)));
        assert_eq!(pace.window(), Duration::from_secs(5));
        pace.moved(1 << 20);
        assert!(pace.kept_up());
        pace.moved(5119);
        assert!(!pace.kept_up());
        for _ in 0..5 {
            pace.moved(1024);
        }
        assert!(pace.kept_up());
        assert!(!pace.kept_up(), "silence is too slow");
    }

    #[test]
    fn the_lowest_rate_is_one_byte_a_window() {
        assert_eq!(MinRate::per_second(1, Duration::from_millis(200)).bytes, 1);
        assert_eq!(MinRate::per_second(u64::MAX, Duration::from_secs(60)).bytes, u64::MAX / 1000);
    }
}
