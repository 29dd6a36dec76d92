//! Why bytes are not JSON, and where.
//!
//! A fault names a token only where that is one of a few words or a single character: a message goes to logs
//! and to the sender, and must hold no part of a body.

use std::fmt;

use super::{Reader, Stop, stop};

/// Words and beginnings that other notations have and JSON does not, with what they are.
const NOT_JSON: [(&str, &str); 16] = [
    ("NaN", "`NaN` is not JSON"),
    ("nan", "`nan` is not JSON"),
    ("-NaN", "`-NaN` is not JSON"),
    ("Infinity", "`Infinity` is not JSON"),
    ("-Infinity", "`-Infinity` is not JSON"),
    ("+Infinity", "`+Infinity` is not JSON"),
    ("inf", "`inf` is not JSON"),
    ("-inf", "`-inf` is not JSON"),
    ("undefined", "`undefined` is not JSON"),
    ("None", "`None` is not JSON, which writes `null`"),
    ("True", "`True` is not JSON, which writes `true`"),
    ("False", "`False` is not JSON, which writes `false`"),
    ("//", "a comment, `//`, is not JSON"),
    ("/*", "a comment, `/*`, is not JSON"),
    ("#", "a comment, `#`, is not JSON"),
    ("'", "a text in single quotes, `'`, is not JSON"),
];

/// Why a body is not JSON that can be parsed, and where. It holds no part of the body, but for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// What is wrong there.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The byte within the line, counted from 1.
    pub column: usize,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.message, self.line, self.column)
    }
}

impl std::error::Error for JsonFault {}

impl JsonFault {
    /// The fault at this byte of a text.
    pub(super) fn at(bytes: &[u8], offset: usize, message: &str) -> Self {
        let before = &bytes[..offset];
        let line_start =
            before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        Self {
            message: message.to_owned(),
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + offset - line_start,
        }
    }
}

impl Reader<'_> {
    /// There is no value where one must be.
    pub(super) fn no_value(&self) -> Stop {
        if self.at == self.text.len() {
            return self.ends_early();
        }
        match self.not_json() {
            Some(known) => stop(self.at, known),
            None => self.unlike("a value"),
        }
    }

    /// What follows is not what must follow.
    pub(super) fn unlike(&self, expected: &str) -> Stop {
        if self.at == self.text.len() {
            return self.ends_early();
        }
        let message = match self.not_json() {
            Some(known) => known.to_owned(),
            None => format!("{expected} was expected here, and it is {}", self.character()),
        };
        stop(self.at, message)
    }

    /// The text ends before the document does.
    pub(super) fn ends_early(&self) -> Stop {
        let within = match self.open.last() {
            None => "",
            Some(open) if open.is_map => " (within an object)",
            Some(_) => " (within a list)",
        };
        stop(self.text.len(), format!("the body ends too early{within}"))
    }

    /// What follows, where it is one of the things that are taken for JSON.
    fn not_json(&self) -> Option<&'static str> {
        // A minus may have been read already.
        let minus = usize::from(self.at > 0 && self.bytes()[self.at - 1] == b'-');
        let starts = |word: &str| {
            let from = self.at - if word.starts_with('-') { minus } else { 0 };
            let rest = self.bytes()[from..].strip_prefix(word.as_bytes());
            let is_word = word.ends_with(|last: char| last.is_ascii_alphabetic());
            rest.is_some_and(|rest| {
                !is_word || !rest.first().is_some_and(u8::is_ascii_alphanumeric)
            })
        };
        // The longer words, with a sign, before their parts.
        let known = NOT_JSON.iter().filter(|(word, _)| starts(word));
        known.max_by_key(|(word, _)| word.len()).map(|(_, what)| *what)
    }

    /// The character that follows, written so that it can be read.
    fn character(&self) -> String {
        let letter = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        match letter.unwrap_or_default() {
            '`' => "a backtick".to_owned(),
            letter if letter.is_ascii_graphic() => format!("`{letter}`"),
            letter => format!("U+{:04X}", u32::from(letter)),
        }
    }
}
