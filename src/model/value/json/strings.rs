//! Texts in quotes: found in one pass, and copied only where they have escapes.

use super::{Node, Reader, Span, Stop, stop};

/// Bytes that are looked at together.
const TOGETHER: usize = size_of::<u64>();
const ONES: u64 = u64::MAX / 255;
const HIGH_BITS: u64 = ONES << 7;

impl Reader<'_> {
    /// Reads a text from its opening quote on.
    pub(super) fn string(&mut self) -> Result<Node, Stop> {
        let start = self.at + 1;
        self.at = plain_until(self.bytes(), start);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Node::Text(Span::new(start, self.at - 1 - start)));
        }
        let decoded = self.unescaped.len();
        let mut plain = start;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.unescaped.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    let span = Span::new(decoded, self.unescaped.len() - decoded);
                    return Ok(Node::Unescaped(span));
                }
                Some(b'\\') => {
                    self.unescaped.push_str(&self.text[plain..self.at]);
                    let letter = self.escape()?;
                    self.unescaped.push(letter);
                    plain = self.at;
                }
                Some(control) => {
                    let message =
                        format!("a control character in a text, U+{control:04X}, is not escaped");
                    return Err(stop(self.at, message));
                }
                None => return Err(self.ends_in_text()),
            }
            self.at = plain_until(self.bytes(), self.at);
        }
    }

    /// Reads one escape; two, where they are the halves of one character.
    fn escape(&mut self) -> Result<char, Stop> {
        let start = self.at;
        let Some(&kind) = self.bytes().get(start + 1) else { return Err(self.ends_in_text()) };
        self.at += 2;
        Ok(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_digits(start)?;
                match char::from_u32(first) {
                    Some(letter) => letter,
                    None => self.second_half(first)?,
                }
            }
            _ => {
                return Err(stop(start, "an escape in a text that JSON does not have"));
            }
        })
    }

    /// The character of which this is the first half; U+FFFD where it is no first half, or the second one does
    /// not follow.
    fn second_half(&mut self, first: u32) -> Result<char, Stop> {
        let is_first = (0xd800..0xdc00).contains(&first);
        if !is_first || !self.bytes()[self.at..].starts_with(b"\\u") {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let before = self.at;
        self.at += 2;
        let second = self.four_digits(before)?;
        if !(0xdc00..0xe000).contains(&second) {
            // It stands for itself.
            self.at = before;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self, escape: usize) -> Result<u32, Stop> {
        let Some(digits) = self.bytes().get(self.at..self.at + 4) else {
            return Err(self.ends_in_text());
        };
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
            .ok_or_else(|| stop(escape, "an escape `\\u` in a text without four hex digits"))
    }

    fn ends_in_text(&self) -> Stop {
        stop(self.text.len(), "the body ends too early (within a text)")
    }
}

/// The next quote, backslash or control character from here on, or the end.
fn plain_until(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = bytes.get(at..at + TOGETHER) {
        let mut eight = [0; TOGETHER];
        eight.copy_from_slice(word);
        let word = u64::from_le_bytes(eight);
        let found = special(word);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += TOGETHER;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))
        .unwrap_or(rest.len())
}

/// Has the high bit of the first byte that is a quote, a backslash or below 0x20 set. Bits of bytes behind that
/// one mean nothing, since a subtraction borrows from the byte behind.
fn special(word: u64) -> u64 {
    let below = |word: u64, least: u64| word.wrapping_sub(ONES * least) & !word;
    let equals = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equals(b'"') | equals(b'\\')) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_special_byte_is_found_wherever_it_is(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), 0x20..=0xff_u8], 0..40),
            from in 0_usize..40,
        ) {
            let from = from.min(bytes.len());
            let plain = bytes[from..].iter()
                .take_while(|byte| **byte >= 0x20 && !matches!(byte, b'"' | b'\\'));
            prop_assert_eq!(plain_until(&bytes, from), from + plain.count());
        }
    }
}
