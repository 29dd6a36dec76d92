//! What a person sees: text with a little colour on a terminal, plain otherwise, JSON when asked.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

/// Where a command writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    json: bool,
    color: bool,
}

/// How a piece of text is emphasised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Needs attention.
    Warn,
    /// Went wrong.
    Bad,
    /// Less important.
    Dim,
    /// A heading.
    Strong,
}

impl Screen {
    /// Colour only on a terminal, and never where `NO_COLOR` is set (no-color.org).
    pub(super) fn new(json: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { json, color: !refused && !dumb && std::io::stdout().is_terminal() }
    }

    /// Whether JSON was asked for.
    pub(super) fn json(self) -> bool {
        self.json
    }

    /// Whether colour may be used.
    pub(super) fn color(self) -> bool {
        self.color
    }

    /// One line of text.
    pub(super) fn line(self, text: impl AsRef<str>) {
        write(text.as_ref());
        write("\n");
    }

    /// How many rows to ask for: one more than are shown to a person tells whether there are more.
    pub(super) fn rows_to_ask(self, limit: usize) -> usize {
        limit.saturating_add(usize::from(!self.json))
    }

    /// On a terminal, says that there are more rows than are shown.
    pub(super) fn more(self, found: usize, limit: usize) {
        if found > limit && std::io::stdout().is_terminal() {
            self.line(self.paint(Tone::Dim, format!("({limit} newest; --limit for more)")));
        }
    }

    /// A value as JSON, on lines of its own.
    pub(super) fn value(self, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string_pretty(value) {
            self.line(text);
        }
    }

    /// The text in the colour of its tone, where colour may be used.
    pub(super) fn paint(self, tone: Tone, text: impl std::fmt::Display) -> String {
        if !self.color {
            return text.to_string();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Dim => "2",
            Tone::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Rows under headings, each column as wide as its widest cell. Cells are made printable, so
    /// that a payload cannot move the cursor.
    pub(super) fn table(self, headings: &[&str], rows: &[Vec<String>]) {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
        let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let heading = aligned(&widths, headings.iter().copied());
        self.line(self.paint(Tone::Strong, heading.trim_end()));
        for row in &rows {
            self.line(aligned(&widths, row.iter().map(String::as_str)).trim_end());
        }
    }
}

fn aligned<'a>(widths: &[usize], cells: impl Iterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (width, cell) in widths.iter().zip(cells) {
        // `{:<width$}` would count characters, of which some take two cells and some none.
        let gap = width.saturating_sub(cell.width()) + 2;
        let _ = write!(line, "{cell}{:gap$}", "");
    }
    line
}

/// The text with control characters made visible.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// Ignores a failed write: the reader may have closed the pipe (`| head`).
fn write(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Writes a message for people to standard error, apart from the output.
pub(super) fn aside(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_after_wide_and_combining_characters() {
        let rows = [["日本", "x"], ["e\u{301}", "x"], ["abcd", "x"]];
        let lines = rows.map(|row| aligned(&[4, 1], row.into_iter()));
        for line in &lines {
            let before = line.split('x').next().unwrap_or_default();
            assert_eq!(before.width(), 6, "{line:?}");
        }
    }
}
