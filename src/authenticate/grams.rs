//! Tells quickly that a text has none of many long patterns, in about a nanosecond for each ten bytes. Pure.
//!
//! Every pattern is longer than the distance between the places of the text that are looked at. So wherever a
//! pattern stands, one of these places lies within it, at one of its first bytes; and the eight bytes from each
//! of them on are known.

/// Bytes that are looked at together.
const GRAM: usize = 8;
/// The number of bits is two to this power; 32 KiB, which stay in the processor's first cache.
const BITS: u32 = 18;

/// The eight-byte pieces of some patterns, as bits of their hashes.
#[derive(Clone)]
pub(super) struct Grams {
    bits: Vec<u64>,
    /// The distance between places of a text.
    stride: usize,
}

impl Grams {
    /// The pieces of these patterns, each of which has at least `shortest` bytes. That must be eight or more.
    pub(super) fn of<'p>(patterns: impl IntoIterator<Item = &'p [u8]>, shortest: usize) -> Self {
        let mut grams = Self {
            bits: vec![0; 1 << (BITS - 6)],
            stride: (shortest + 1).saturating_sub(GRAM).max(1),
        };
        patterns.into_iter().for_each(|pattern| grams.add(pattern));
        grams
    }

    /// The pieces of these patterns too. None where one of them has fewer than `shortest` bytes, which must be
    /// what it was for those that are known.
    pub(super) fn with<'p>(
        &self,
        patterns: impl IntoIterator<Item = &'p [u8]>,
        shortest: usize,
    ) -> Option<Self> {
        let mut grams = self.clone();
        for pattern in patterns {
            if pattern.len() < shortest {
                return None;
            }
            grams.add(pattern);
        }
        Some(grams)
    }

    fn add(&mut self, pattern: &[u8]) {
        for piece in pattern.windows(GRAM).take(self.stride) {
            for bit in hashes(piece) {
                self.bits[bit / 64] |= 1 << (bit % 64);
            }
        }
    }

    /// False where the text has none of the patterns. It may be true where it has none.
    pub(super) fn may_be_in(&self, text: &[u8]) -> bool {
        text.windows(GRAM).step_by(self.stride).any(|piece| {
            let [one, other] = hashes(piece);
            self.has(one) && self.has(other)
        })
    }

    fn has(&self, bit: usize) -> bool {
        self.bits[bit / 64] & 1 << (bit % 64) != 0
    }
}

/// Two bits for eight bytes.
fn hashes(piece: &[u8]) -> [usize; 2] {
    let mut bytes = [0; GRAM];
    bytes.copy_from_slice(piece);
    let mixed = u64::from_le_bytes(bytes).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mask = (1 << BITS) - 1;
    [(mixed >> (64 - BITS)) as usize & mask, (mixed >> (64 - 2 * BITS)) as usize & mask]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pattern_is_never_missed_wherever_it_stands(
            patterns in prop::collection::vec(prop::collection::vec(any::<u8>(), 16..60), 1..20),
            before in prop::collection::vec(any::<u8>(), 0..40),
            after in prop::collection::vec(any::<u8>(), 0..40),
            which in any::<prop::sample::Index>(),
        ) {
            let grams = Grams::of(patterns.iter().map(Vec::as_slice), 16);
            let text = [&before[..], &patterns[which.index(patterns.len())], &after].concat();
            prop_assert!(grams.may_be_in(&text));
            let (some, others) = patterns.split_at(which.index(patterns.len()));
            let both = Grams::of(some.iter().map(Vec::as_slice), 16)
                .with(others.iter().map(Vec::as_slice), 16)
                .expect("all are long enough");
            prop_assert!(both.may_be_in(&text));
        }
    }

    #[test]
    fn a_text_without_any_is_hardly_ever_taken_for_one_with() {
        let pattern =
            |number: u32| format!("a secret of some length, number {number:09}").into_bytes();
        let patterns: Vec<Vec<u8>> = (0..400).map(pattern).collect();
        let grams = Grams::of(patterns.iter().map(Vec::as_slice), 16);
        let text = include_bytes!("../../benches/push.json");
        assert!(!grams.may_be_in(text));
        assert!(!grams.may_be_in(b"") && !grams.may_be_in(b"a secre"));
    }
}
