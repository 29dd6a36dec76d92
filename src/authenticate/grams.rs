//! Tells quickly that a text has none of many long patterns, in about a nanosecond for each ten bytes or more. Pure.
//!
//! Every pattern is longer than the distance between the places of the text that are looked at. So wherever a
//! pattern stands, one of these places lies within it, at one of its first bytes; and the eight bytes from each
//! of them on are known. Bits tell of most pieces of a text that they are not known; the pieces themselves decide,
//! since with hundreds of patterns the bits alone would let something of every text through.

use std::sync::Arc;

/// Bytes that are looked at together.
const GRAM: usize = 8;
/// The number of bits is two to this power; 32 KiB, which stay in the processor's first cache.
const BITS: u32 = 18;
/// Longest distance between places of a text. More pieces of each pattern are known the longer it is.
const LONGEST_STRIDE: usize = 25;

/// The eight-byte pieces of some patterns.
#[derive(Clone)]
pub(super) struct Grams {
    /// Two bits for each piece.
    bits: Vec<u64>,
    /// The pieces, sorted. There are two lists where one has come to the other.
    pieces: Vec<Arc<[u64]>>,
    /// The distance between places of a text.
    stride: usize,
}

impl Grams {
    /// The pieces of these patterns. `None` where one of them has fewer than `shortest` bytes, which must be eight
    /// or more.
    pub(super) fn of<'p>(
        patterns: impl IntoIterator<Item = &'p [u8]>,
        shortest: usize,
    ) -> Option<Self> {
        let none =
            Self { bits: vec![0; 1 << (BITS - 6)], pieces: Vec::new(), stride: LONGEST_STRIDE };
        none.with(patterns, shortest)
    }

    /// The pieces of these patterns too, on the same condition.
    pub(super) fn with<'p>(
        &self,
        patterns: impl IntoIterator<Item = &'p [u8]>,
        shortest: usize,
    ) -> Option<Self> {
        let mut grams = self.clone();
        let mut pieces = Vec::new();
        for pattern in patterns {
            if pattern.len() < shortest.max(GRAM) {
                return None;
            }
            // Of what is known already more pieces are kept than a shorter distance needs.
            grams.stride = grams.stride.min(pattern.len() + 1 - GRAM);
            pieces.extend(pattern.windows(GRAM).take(LONGEST_STRIDE).map(number));
        }
        pieces.sort_unstable();
        pieces.dedup();
        for piece in &pieces {
            for bit in hashes(*piece) {
                grams.bits[bit / 64] |= 1 << (bit % 64);
            }
        }
        grams.pieces.push(pieces.into());
        Some(grams)
    }

    /// False where the text has none of the patterns. It may be true where it has none.
    pub(super) fn may_be_in(&self, text: &[u8]) -> bool {
        text.windows(GRAM).step_by(self.stride).map(number).any(|piece| {
            let [one, other] = hashes(piece);
            self.has(one)
                && self.has(other)
                && self.pieces.iter().any(|known| known.binary_search(&piece).is_ok())
        })
    }

    fn has(&self, bit: usize) -> bool {
        self.bits[bit / 64] & 1 << (bit % 64) != 0
    }
}

/// Eight bytes as a number.
fn number(piece: &[u8]) -> u64 {
    let mut bytes = [0; GRAM];
    bytes.copy_from_slice(piece);
    u64::from_le_bytes(bytes)
}

/// Two bits for a piece.
fn hashes(piece: u64) -> [usize; 2] {
    let mixed = piece.wrapping_mul(0x9e37_79b9_7f4a_7c15);
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
            let grams = Grams::of(patterns.iter().map(Vec::as_slice), 16).expect("long enough");
            let text = [&before[..], &patterns[which.index(patterns.len())], &after].concat();
            prop_assert!(grams.may_be_in(&text));
            let (some, others) = patterns.split_at(which.index(patterns.len()));
            let both = Grams::of(some.iter().map(Vec::as_slice), 16)
                .expect("long enough")
                .with(others.iter().map(Vec::as_slice), 16)
                .expect("long enough");
            prop_assert!(both.may_be_in(&text));
        }
    }

    #[test]
    fn a_text_without_any_is_hardly_ever_taken_for_one_with() {
        let pattern =
            |number: u32| format!("a secret of some length, number {number:09}").into_bytes();
        let patterns: Vec<Vec<u8>> = (0..5_000).map(pattern).collect();
        let grams = Grams::of(patterns.iter().map(Vec::as_slice), 16).expect("long enough");
        assert!(Grams::of(patterns.iter().map(Vec::as_slice), 60).is_none());
        let text = include_bytes!("../../benches/push.json");
        assert!(!grams.may_be_in(text));
        assert!(!grams.may_be_in(b"") && !grams.may_be_in(b"a secre"));
    }
}
