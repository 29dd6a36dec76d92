//! Random bits, as an argument. This is the only file that asks the system for them.

use std::cell::RefCell;
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

/// Bytes that are asked for at once. Up to this many the system always gives all of them.
const AT_ONCE: usize = 256;

thread_local! {
    /// Bytes that were asked for, and how many of them are used. Asking costs more than anything else about an id.
    static ASKED: RefCell<([u8; AT_ONCE], usize)> = const { RefCell::new(([0; AT_ONCE], AT_ONCE)) };
}

/// The system's random bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for random bits")]
    fn bits(&self) -> u128 {
        ASKED.with_borrow_mut(|(bytes, used)| {
            if *used == AT_ONCE {
                getrandom::fill(bytes).expect("the system always has random bits after boot");
                *used = 0;
            }
            let mut taken = [0_u8; 16];
            // Swapped, so that no bit that was given out is there to be given out again.
            taken.swap_with_slice(&mut bytes[*used..*used + 16]);
            *used += 16;
            u128::from_ne_bytes(taken)
        })
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
    fn the_systems_bits_never_repeat_within_what_is_asked_for_at_once_or_across_it() {
        let draws: std::collections::HashSet<_> =
            (0..10 * AT_ONCE).map(|_| SystemRandom.bits()).collect();
        assert_eq!(draws.len(), 10 * AT_ONCE);
        assert!(!draws.contains(&0));
    }

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
