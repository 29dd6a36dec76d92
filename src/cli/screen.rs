//! What a person sees: text with a little colour on a terminal, plain otherwise, JSON when asked.
//!
//! Every text goes through this file on its way out, and its hidden characters are escaped here, wherever the
//! text came from: no command can forget it. Only this file writes the codes of colours.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use serde::Serialize;

use super::table::{Cell, lay};
use crate::clock::{Clock, SystemClock};
use crate::config::Report;
use crate::model::{printable, printable_json, printable_lines, wrapped};

/// Where a command writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    json: bool,
    color: bool,
    /// Where lines are made to fit: the columns of a terminal. Elsewhere nothing is cut or shortened.
    width: Option<usize>,
    /// Times are told from it, where people read them; none where they are written in full.
    from: Option<Timestamp>,
}

/// How people want to see lists.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub(super) struct Looks {
    /// Show lists in full, even where they are wider than the terminal
    #[arg(long, global = true)]
    pub(super) wide: bool,
    /// Show times as dates, not as "3 min ago"
    #[arg(long, global = true)]
    pub(super) absolute: bool,
}

/// Set once JSON was written, so that an error does not follow it there as a second document.
static WROTE_JSON: AtomicBool = AtomicBool::new(false);

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
    /// Colour only on a terminal, and never where `NO_COLOR` is set (no-color.org). Lines fit a terminal, or the
    /// columns that `COLUMNS` gives.
    pub(super) fn new(json: bool, looks: Looks) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_terminal = std::io::stdout().is_terminal();
        let width = columns().filter(|_| !looks.wide);
        let from = (width.is_some() && !looks.absolute).then(|| SystemClock.now());
        Self { json, color: !refused && !dumb && is_terminal, width, from }
    }

    /// Whether lists are made to fit a width, so that ids are shortened.
    pub(super) fn is_narrow(self) -> bool {
        self.width.is_some()
    }

    /// The moment from which times are told ("3 min ago"); none where they are written in full.
    pub(super) fn from(self) -> Option<Timestamp> {
        self.from
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

    /// A line of words. On a terminal a longer one is wrapped, and its later lines are indented by `indent` cells.
    pub(super) fn words(self, indent: usize, text: impl AsRef<str>) {
        // A line end of the text itself stays an escape.
        let text = text.as_ref().replace('\n', "\\n");
        for line in wrapped(&text, 0, indent, self.width.unwrap_or(usize::MAX)).lines() {
            self.line(line);
        }
    }

    /// Text of several lines. Hidden characters other than line ends and tabs are escaped.
    pub(super) fn lines(self, text: &str) {
        write(&printable_lines(text));
        write("\n");
    }

    /// What was found in a configuration.
    pub(super) fn report(self, report: &Report) {
        // It escapes what it quotes, and writes colours of its own.
        write(report.render_within(self.color, self.width).trim_end());
        write("\n");
    }

    /// Says that a list was cut: beside the list on a terminal, else apart from it.
    pub(super) fn more(self, shown: usize, next: Option<impl std::fmt::Display>) {
        let Some(next) = next else { return };
        let words = format!("({shown} newest; the next: --before {next}, or more with --limit)");
        if self.width.is_some() {
            self.line(self.paint(Tone::Dim, words));
        } else {
            aside(words);
        }
    }

    /// A value as JSON, on lines of its own.
    pub(super) fn value(self, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string_pretty(value) {
            write(&printable_json(&text));
            write("\n");
            WROTE_JSON.store(true, Ordering::Relaxed);
        }
    }

    /// An error as JSON, where JSON is asked for and nothing was written yet: what reads the output then finds one
    /// document, the result or the error.
    pub(super) fn error(self, error: &impl Serialize) {
        if self.json && !WROTE_JSON.load(Ordering::Relaxed) {
            self.value(&serde_json::json!({ "error": error }));
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

    /// Rows under headings, each column as wide as its widest cell; on a terminal, no wider than it.
    pub(super) fn table<Row: Into<Cell> + Clone>(self, headings: &[&str], rows: &[Vec<Row>]) {
        let rows: Vec<Vec<Cell>> =
            rows.iter().map(|row| row.iter().cloned().map(Into::into).collect()).collect();
        let laid = lay(headings, &rows, self.width);
        self.line(self.paint(Tone::Strong, laid.headings));
        for row in laid.rows {
            let pieces = row.into_iter().map(|(text, tone)| match tone {
                Some(tone) => self.paint(tone, text),
                None => text,
            });
            self.line(pieces.collect::<String>().trim_end());
        }
        if laid.is_cut {
            self.line(self.paint(Tone::Dim, "(… is cut off; --wide shows all)"));
        }
    }
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

/// The columns of the terminal, or what `COLUMNS` says; none where neither is known.
fn columns() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let out = std::io::stdout();
    let seen = || rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col));
    // A terminal that does not know its width says 0.
    said.or_else(|| seen().filter(|_| out.is_terminal())).filter(|columns| *columns > 0)
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
    let color = Screen::new(false, Looks::default()).color;
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
