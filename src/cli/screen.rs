//! What a person sees: text with a little colour on a terminal, plain otherwise, JSON when asked.
//!
//! Every text goes through this file on its way out, and its hidden characters are escaped here, wherever the
//! text came from: no command can forget it. Only this file writes the codes of colours.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::config::Report;
use crate::model::{printable, printable_json, printable_lines};

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

    /// One line of text. Its hidden characters are escaped, line ends among them.
    pub(super) fn line(self, text: impl AsRef<str>) {
        write(&shown(text.as_ref(), self.color));
        write("\n");
    }

    /// Text of several lines. Hidden characters other than line ends and tabs are escaped.
    pub(super) fn lines(self, text: &str) {
        write(&printable_lines(text));
        write("\n");
    }

    /// What was found in a configuration.
    pub(super) fn report(self, report: &Report) {
        // It escapes what it quotes, and writes colours of its own.
        write(report.render(self.color).trim_end());
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
            write(&printable_json(&text));
            write("\n");
        }
    }

    /// The text in the colour of its tone, where colour may be used.
    pub(super) fn paint(self, tone: Tone, text: impl std::fmt::Display) -> String {
        if !self.color {
            return text.to_string();
        }
        let begin = tone.mark();
        format!("{begin}{}{END}", printable(&text.to_string()))
    }

    /// Rows under headings, each column as wide as its widest cell.
    pub(super) fn table(self, headings: &[&str], rows: &[Vec<String>]) {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| printable(cell).into_owned()).collect())
            .collect();
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

/// Marks the end of a painted text.
const END: char = '\u{fdef}';
/// The tones, with the noncharacter that marks the beginning of each and the code of its colour.
const TONES: [(Tone, char, &str); 5] = [
    (Tone::Good, '\u{fde0}', "32"),
    (Tone::Warn, '\u{fde1}', "33"),
    (Tone::Bad, '\u{fde2}', "31"),
    (Tone::Dim, '\u{fde3}', "2"),
    (Tone::Strong, '\u{fde4}', "1"),
];

impl Tone {
    fn mark(self) -> char {
        TONES.iter().find(|(tone, ..)| *tone == self).map_or(END, |(_, mark, _)| *mark)
    }
}

/// A line as it is written: hidden characters escaped, and with `color`, marks of tones as the codes of their
/// colours. A text of someone else can contain such a mark, and then change the colour of itself.
fn shown(line: &str, color: bool) -> String {
    if !color {
        return printable(line).into_owned();
    }
    let mut out = String::with_capacity(line.len());
    for part in line.split_inclusive(is_mark) {
        let mark = part.chars().next_back().filter(|last| is_mark(*last));
        let plain = &part[..part.len() - mark.map_or(0, char::len_utf8)];
        out.push_str(&printable(plain));
        if let Some(mark) = mark {
            let code = TONES.iter().find(|(_, begin, _)| *begin == mark).map_or("0", |tone| tone.2);
            let _ = write!(out, "\u{1b}[{code}m");
        }
    }
    out
}

fn is_mark(letter: char) -> bool {
    letter == END || TONES.iter().any(|(_, mark, _)| *mark == letter)
}

/// Ignores a failed write: the reader may have closed the pipe (`| head`).
fn write(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Writes a message for people to standard error, apart from the output. Its hidden characters are escaped.
pub(super) fn aside(text: impl AsRef<str>) {
    let color = Screen::new(false).color;
    let lines: Vec<String> = text.as_ref().lines().map(|line| shown(line, color)).collect();
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
}

/// Writes what was found in a configuration, already rendered, to standard error.
pub(super) fn aside_report(rendered: &str) {
    let _ = writeln!(std::io::stderr(), "{rendered}");
}

/// Writes the bytes of a stored body: to a terminal with hidden characters escaped, else as they are.
///
/// # Errors
/// The output does not take them.
pub(super) fn raw(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    if out.is_terminal() {
        out.write_all(printable_lines(&String::from_utf8_lossy(bytes)).as_bytes())
    } else {
        out.write_all(bytes)
    }
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
