//! What is wrong with a configuration, for people and for scripts: each fault with its file, line,
//! column, the offending text underlined, and a hint. A report never shows a secret.

mod excerpt;
mod render;
mod source;

use std::fmt;
use std::ops::Range;

use serde::Serialize;

pub use excerpt::Excerpt;
pub(super) use source::Source;

/// What stands in an excerpt for what may not be shown.
const HIDDEN: &str = "‹hidden›";
/// Faults beyond this number in one report are not listed.
const MOST_FAULTS: usize = 200;
/// Faults beyond this number are not even written down: each costs a look at its line.
pub(super) const ENOUGH_FAULTS: usize = 2 * MOST_FAULTS;

/// One thing that is wrong, or only odd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, as it was named to the gateway.
    pub file: String,
    /// Line, counted from 1; 0 where the whole file is meant.
    pub line: usize,
    /// Column in characters, counted from 1; 0 where the whole file is meant.
    pub column: usize,
    /// Length of the offending text in characters, within its first line.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to do, where that can be told.
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

    /// The same with a hint, if there is one.
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
    /// What keeps the configuration from being used.
    pub faults: Vec<Fault>,
    /// What is odd, and may be meant.
    pub warnings: Vec<Fault>,
}

impl Report {
    /// True when the configuration can be used.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    /// True when there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.warnings.is_empty()
    }

    /// The report as text for a terminal, with or without colour.
    pub fn render(&self, color: bool) -> String {
        render::render(self, color)
    }

    /// Sorts by place, drops repeats and bounds the number.
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
