//! The words of a verdict, for people. Most deliveries have many routes that do not match and few
//! readers. So the words are put together only when they are stored or shown.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Patterns;
use crate::model::is_hidden;

/// The longest part of a payload that a verdict quotes, in characters.
const SHOWN: usize = 80;

/// The words of a verdict about a route and an event.
#[derive(Clone)]
pub enum Words {
    /// A fixed text.
    Fixed(&'static str),
    /// The event has another text than the condition asks for.
    Unwanted {
        /// The key of the test.
        test: &'static str,
        /// What the condition asks for.
        wanted: Patterns,
        /// What the event has. `None` if it has nothing.
        found: Option<Arc<str>>,
    },
    /// The expression that is false.
    False(Arc<str>),
    /// The words of one block of `on:`, with its number, counted from 1.
    OfBlock(usize, Box<Words>),
    /// A text that is already put together.
    Ready(String),
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(words) => f.write_str(words),
            Self::Ready(words) => f.write_str(words),
            Self::OfBlock(number, words) => write!(f, "{words} (block {number} of `on`)"),
            Self::False(source) => write!(f, "`{}` is false", Shown(source)),
            Self::Unwanted { wanted, found: Some(found), .. } => unlike(f, wanted, found),
            Self::Unwanted { test, wanted, found: None } => {
                let fact = test.rsplit('.').next().unwrap_or(test);
                write!(f, "wanted {wanted}; this event has no {fact}")
            }
        }
    }
}

/// What is wanted beside what was found. Where the two would read alike, it says in what they differ.
fn unlike(f: &mut fmt::Formatter<'_>, wanted: &Patterns, found: &str) -> fmt::Result {
    if let Some(escaped) = wanted.escaped_twin(found) {
        let (found, escaped) = (Shown(found), Shown(&escaped));
        return write!(f, "wanted the pattern {wanted}; it is {found}, whose pattern is {escaped}");
    }
    if wanted.reads_like(found) {
        let found = Shown(found);
        return write!(
            f,
            "wanted \"{wanted}\"; it is \"{found}\", with other white space or with a character that is not seen"
        );
    }
    write!(f, "wanted {wanted}; it is {}", Shown(found))
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl From<String> for Words {
    fn from(words: String) -> Self {
        Self::Ready(words)
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Ready)
    }
}

/// Shows a part of a payload, shortened and on one line.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let mut letters = self.0.chars();
        for letter in letters.by_ref().take(SHOWN) {
            f.write_char(if is_hidden(letter) { '\u{fffd}' } else { letter })?;
        }
        f.write_str(if letters.next().is_some() { "…" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(wanted: &str, found: &str) -> String {
        let wanted = Patterns::parse(&[wanted.to_owned()]).expect("valid");
        Words::Unwanted { test: "tag", wanted, found: Some(found.into()) }.to_string()
    }

    #[test]
    fn no_words_say_that_a_text_is_wanted_and_that_the_same_text_is_there() {
        assert_eq!(words("main", "dev"), "wanted main; it is dev");
        assert_eq!(
            words("v[1]", "v[1]"),
            "wanted the pattern v[1]; it is v[1], whose pattern is v\\[1\\]"
        );
        for (wanted, found) in [("main", "main "), ("main ", "main"), ("main", "ma\u{200b}in")] {
            let words = words(wanted, found);
            assert!(words.contains("not seen"), "{words}");
        }
    }
}
