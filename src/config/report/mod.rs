//! What is wrong with a configuration, for people and for scripts. Each fault has its file, line,
//! column, the offending text underlined, and a hint. A report never shows a secret.

mod excerpt;
mod render;
mod source;

use std::fmt;
use std::ops::Range;

use serde::Serialize;

pub use excerpt::Excerpt;
pub(super) use source::Source;

/// Replaces text in an excerpt that must not be shown.
const HIDDEN: &str = "‹hidden›";
/// The largest number of faults that one report lists.
const MOST_FAULTS: usize = 200;
/// The largest number of faults that are collected at all, because each one reads its line of the
/// file.
pub(super) const ENOUGH_FAULTS: usize = 2 * MOST_FAULTS;

/// One thing that is wrong, or unusual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, by the path that was given to the gateway.
    pub file: String,
    /// Line, counted from 1. 0 for a fault of the whole file.
    pub line: usize,
    /// Column in characters, counted from 1. 0 for a fault of the whole file.
    pub column: usize,
    /// Length of the offending text in characters, within its first line.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// How to correct it, if that is known.
    pub hint: Option<String>,
    /// The offending line, without secrets.
    pub excerpt: Option<Excerpt>,
}

impl Fault {
    /// A fault of a whole file.
    pub(super) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            length: 0,
            message: message.into(),
            hint: None,
            excerpt: None,
        }
    }

    /// A fault of a part of a file.
    pub(super) fn at(source: &Source, range: Range<usize>, message: impl Into<String>) -> Self {
        let place = source.place(&range);
        let message = source.veil(&range, message.into());
        Self {
            file: source.name().to_owned(),
            line: place.line,
            column: place.column,
            length: place.length,
            message,
            hint: None,
            excerpt: Some(Excerpt::of(source, range)),
        }
    }

    /// The fault with this hint, if there is one.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        if let Some(hint) = hint.into() {
            self.hint = Some(hint);
        }
        self
    }
}

impl fmt::Display for Fault {
    /// One line, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Everything that was found in a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Faults that prevent the use of the configuration.
    pub faults: Vec<Fault>,
    /// Things that are unusual, but may be intended.
    pub warnings: Vec<Fault>,
}

impl Report {
    /// Whether the configuration can be used.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.warnings.is_empty()
    }

    /// The report as text for a terminal, with or without colour.
    pub fn render(&self, color: bool) -> String {
        render::render(self, color)
    }

    /// Sorts the findings by place, removes duplicates and limits their number.
    pub(super) fn apply_retention(&mut self) {
        for list in [&mut self.faults, &mut self.warnings] {
            list.sort_by(|a, b| {
                (&a.file, a.line, a.column, &a.message)
                    .cmp(&(&b.file, b.line, b.column, &b.message))
            });
            list.dedup();
            if list.len() > MOST_FAULTS {
                list.truncate(MOST_FAULTS);
                let file = list[0].file.clone();
                list.push(Fault::of_file(&file, "there are more faults, which are not listed"));
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}
