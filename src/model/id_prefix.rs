//! The beginning of an id, as a person copies or types it from a list. It stands for the one id that begins with it.

use std::fmt;
use std::str::FromStr;

/// Fewest hexadecimal digits that are looked up. Fewer would be a typing error more often than an id.
const FEWEST: usize = 4;
/// Hexadecimal digits of a whole id.
const WHOLE: usize = 32;

/// An id or its beginning: hexadecimal digits, with or without hyphens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    digits: String,
    text: String,
}

impl IdPrefix {
    /// Whether it is a whole id.
    pub fn is_whole(&self) -> bool {
        self.digits.len() == WHOLE
    }

    /// The lowest and the highest id that begin with it, as the 16 bytes that a store keeps.
    pub fn range(&self) -> ([u8; 16], [u8; 16]) {
        (self.filled('0'), self.filled('f'))
    }

    fn filled(&self, digit: char) -> [u8; 16] {
        let mut bytes = [0; 16];
        let digits = format!("{}{}", self.digits, digit.to_string().repeat(WHOLE));
        for (byte, two) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            // Only hexadecimal digits were let in.
            let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
            *byte = value(two[0]) << 4 | value(two[1]);
        }
        bytes
    }
}

impl fmt::Display for IdPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for IdPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // People copy the mark of what was cut off.
        let text = text.trim().trim_end_matches('…');
        let digits: String = text.chars().filter(|letter| *letter != '-').collect();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || !(FEWEST..=WHOLE).contains(&digits.len()) {
            return Err(
                "this is not an id; write it, or its first 4 digits or more, as the lists \
                        show it, such as 0193a6f2-2097"
                    .to_owned(),
            );
        }
        Ok(Self { digits: digits.to_ascii_lowercase(), text: text.to_ascii_lowercase() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;

    #[test]
    fn the_beginning_of_an_id_covers_all_ids_that_begin_so_and_no_other() {
        let id = |text: &str| text.parse::<RunId>().expect("an id");
        for text in ["0193a6f2-2097", "0193A6F22097", "0193a6f2-209", "0193a6f2-2097…"] {
            let (low, high) = text.parse::<IdPrefix>().expect("a prefix").range();
            for (other, within) in [
                ("0193a6f2-2097-0000-0000-000000000000", true),
                ("0193a6f2-2097-ffff-ffff-ffffffffffff", true),
                ("0193a6f2-2096-ffff-ffff-ffffffffffff", text.ends_with("209")),
                ("0193a6f2-20a0-0000-0000-000000000000", false),
                ("0193a6f2-208f-ffff-ffff-ffffffffffff", false),
            ] {
                let bytes = *id(other).as_bytes();
                assert_eq!((low..=high).contains(&bytes), within, "{text} {other}");
            }
        }
    }

    #[test]
    fn a_whole_id_stands_for_itself_alone() {
        let text = "0193a6f2-2097-73fe-ac93-b02f05d484a3";
        let prefix: IdPrefix = text.parse().expect("an id");
        assert!(prefix.is_whole());
        let bytes = *text.parse::<RunId>().expect("an id").as_bytes();
        assert_eq!(prefix.range(), (bytes, bytes));
        assert_eq!(prefix.to_string(), text);
    }

    #[test]
    fn what_is_no_beginning_of_an_id_is_refused() {
        for text in
            ["", "019", "0193a6g2", "retrain", "0193a6f2-2097-73fe-ac93-b02f05d484a30", "----"]
        {
            assert!(text.parse::<IdPrefix>().is_err(), "{text}");
        }
    }
}
