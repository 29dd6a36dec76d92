//! Renders a report as text, in the form of compiler messages.

use std::fmt::Write as _;

use super::{Fault, Report};
use crate::model::{printable, wrapped};

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// How a report is written.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) color: bool,
    /// The columns that every line must fit, on a terminal. Elsewhere lines are as long as they are.
    pub(super) columns: Option<usize>,
}

impl Form {
    fn paint(self, with: &str, what: &str) -> String {
        if self.color { format!("{with}{what}{PLAIN}") } else { what.to_owned() }
    }

    /// Words that begin after `before` cells of a line, on as many lines as they need. Later lines begin after
    /// `indent` cells.
    fn words(self, text: &str, before: usize, indent: usize) -> String {
        wrapped(text, before, indent, self.columns.unwrap_or(usize::MAX))
    }
}

pub(super) fn render(report: &Report, form: Form) -> String {
    let mut text = String::new();
    for fault in &report.faults {
        one(&mut text, fault, "error", RED, form);
    }
    for warning in &report.warnings {
        one(&mut text, warning, "warning", YELLOW, form);
    }
    let [faults, warnings] = report.found();
    let counts: Vec<String> =
        [count(faults, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    changes(&mut text, &report.changes, form);
    for note in &report.notes {
        let said = form.words(&printable(&format!(": {note}")), 4, 4);
        let _ = writeln!(text, "{}{said}\n", form.paint(BLUE, "note"));
    }
    if !counts.is_empty() {
        let _ = writeln!(text, "{}", counts.join(", "));
    }
    text
}

/// What means something else than before, in a few lines each: there may be many after an upgrade, and none of it is
/// wrong.
fn changes(text: &mut String, changes: &[Fault], form: Form) {
    if changes.is_empty() {
        return;
    }
    let title =
        "changed since version 0.1, and touched here (docs/changed-meanings.md has all changes)";
    let _ = writeln!(text, "{}", form.paint(BLUE, &form.words(title, 0, 0)));
    for change in changes {
        let place = format!("{}:{}:{}", change.file, change.line, change.column);
        let said = printable(&format!("{place}: {}", change.message)).into_owned();
        let _ = writeln!(text, "  {}", form.words(&said, 2, 4));
        if !change.also.is_empty() {
            let also = printable(&format!("also at {}", change.also.join(", "))).into_owned();
            let _ = writeln!(text, "    {}", form.words(&also, 4, 6));
        }
        if let Some(hint) = &change.hint {
            let hint = printable(&format!("to do: {hint}")).into_owned();
            let _ = writeln!(text, "    {}", form.words(&hint, 4, 6));
        }
    }
    text.push('\n');
}

fn one(text: &mut String, fault: &Fault, word: &str, word_color: &str, form: Form) {
    let message = printable(&fault.message);
    let message = form.words(&format!(": {message}"), word.len(), 4);
    let _ = writeln!(text, "{}{}", form.paint(word_color, word), form.paint(BOLD, &message));
    let number = fault.line.to_string();
    let gutter = " ".repeat(if fault.excerpt.is_some() { number.len() } else { 1 });
    let place = if fault.line > 0 {
        format!("{}:{}:{}", fault.file, fault.line, fault.column)
    } else {
        fault.file.clone()
    };
    let _ = writeln!(text, "{gutter}{} {}", form.paint(BLUE, "-->"), printable(&place));
    if let Some(excerpt) = &fault.excerpt {
        let room = form.columns.map(|columns| columns.saturating_sub(gutter.len() + 3));
        let (line, start, width) = excerpt.within(room);
        let bar = form.paint(BLUE, "|");
        let _ = writeln!(text, "{gutter} {bar}");
        let _ = writeln!(text, "{} {bar} {line}", form.paint(BLUE, &number));
        let underline = form.paint(word_color, &"^".repeat(width));
        let _ = writeln!(text, "{gutter} {bar} {}{underline}", " ".repeat(start));
    }
    let mut beside = |what: &str, words: &str| {
        let before = gutter.len() + 3;
        let said = form.words(&format!("{what}: {}", printable(words)), before, before + 2);
        let _ = writeln!(text, "{gutter} {} {said}", form.paint(BLUE, "="));
    };
    if !fault.also.is_empty() {
        beside("also", &fault.also.join(", "));
    }
    if let Some(note) = fault.effect.note() {
        beside("note", note);
    }
    if let Some(hint) = &fault.hint {
        beside("hint", hint);
    }
    text.push('\n');
}

fn count(number: usize, word: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 {word}")),
        more => Some(format!("{more} {word}s")),
    }
}
