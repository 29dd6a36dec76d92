//! Random bits, as an argument. This is the only file that asks the system for them.

use std::sync::Mutex;
use std::time::Duration;

/// A source of random bits, for ids and for spreading retries.
pub trait Random: Send + Sync {
    /// 128 random bits.
    fn bits(&self) -> u128;

    /// A random duration from zero up to and including `most`, uniformly distributed ("full jitter").
    fn up_to(&self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        // The bias of the remainder is below 2^-64.
        let nanos = self.bits() % (u128::from(most) + 1);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(most))
    }
}

/// The system's random bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for random bits")]
    fn bits(&self) -> u128 {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).expect("the system always has random bits after boot");
        u128::from_ne_bytes(bytes)
    }
}

/// Bits computed from a seed, so that a test or a simulation can be repeated. Not for anything secret.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// Starts the sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// One step of SplitMix64 (Steele, Lea and Flood, 2014).
    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = *state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

impl Random for SeededRandom {
    fn bits(&self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_bound_and_reaches_both_halves() {
        let random = SeededRandom::new(1);
        let most = Duration::from_millis(10);
        let draws: Vec<_> = (0..200).map(|_| random.up_to(most)).collect();
        assert!(draws.iter().all(|draw| *draw <= most));
        assert!(draws.iter().any(|draw| *draw < most / 2));
        assert!(draws.iter().any(|draw| *draw > most / 2));
    }
}
