//! Finds a needle in bytes in linear time (Knuth, Morris and Pratt), so that a hostile reply costs no more
//! than any other of the same length.

use zeroize::Zeroizing;

/// What is looked for.
pub(super) struct Needle {
    bytes: Zeroizing<Vec<u8>>,
    /// For each prefix of the needle, the length of its longest proper prefix that is also its suffix.
    fallbacks: Vec<usize>,
    any_case: bool,
}

impl Needle {
    /// A needle that is matched exactly, or with `any_case` without regard to the case of ASCII letters.
    pub(super) fn new(bytes: Vec<u8>, any_case: bool) -> Self {
        let mut bytes = Zeroizing::new(bytes);
        if any_case {
            bytes.make_ascii_lowercase();
        }
        let mut fallbacks = vec![0; bytes.len()];
        for end in 1..bytes.len() {
            let mut length: usize = fallbacks[end - 1];
            while length > 0 && bytes[length] != bytes[end] {
                length = fallbacks[length - 1];
            }
            fallbacks[end] = length + usize::from(bytes[length] == bytes[end]);
        }
        Self { bytes, fallbacks, any_case }
    }

    /// What is looked for; in lower case where case does not matter.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the case of ASCII letters does not matter.
    pub(super) fn any_case(&self) -> bool {
        self.any_case
    }

    /// Calls `found` with the start and the end of each match; gives how many bytes of the needle's beginning
    /// the haystack ends with.
    pub(super) fn each(&self, within: &[u8], mut found: impl FnMut(usize, usize)) -> usize {
        let Some(last) = self.bytes.len().checked_sub(1) else { return 0 };
        let mut length = 0;
        for (position, byte) in within.iter().enumerate() {
            let byte = if self.any_case { byte.to_ascii_lowercase() } else { *byte };
            if length > last {
                length = self.fallbacks[last];
            }
            while length > 0 && self.bytes[length] != byte {
                length = self.fallbacks[length - 1];
            }
            length += usize::from(self.bytes[length] == byte);
            if length > last {
                found(position - last, position + 1);
            }
        }
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(needle: &str, within: &str) -> (Vec<(usize, usize)>, usize) {
        let mut all = Vec::new();
        let needle = Needle::new(needle.as_bytes().to_vec(), true);
        let rest = needle.each(within.as_bytes(), |from, to| all.push((from, to)));
        (all, rest)
    }

    #[test]
    fn every_place_is_found_also_where_two_overlap() {
        assert_eq!(found("aba", "xABABA"), (vec![(1, 4), (3, 6)], 3));
        assert_eq!(found("aab", "aaaab"), (vec![(2, 5)], 3));
        assert_eq!(found("abc", "abab"), (vec![], 2));
        assert_eq!(found("a", "aa"), (vec![(0, 1), (1, 2)], 1));
        assert_eq!(found("", "abc"), (vec![], 0));
    }
}
