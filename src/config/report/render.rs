//! Renders a report as text, in the form of compiler messages.

use std::fmt::Write as _;

use super::{Fault, Report};
use crate::model::printable;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

pub(super) fn render(report: &Report, color: bool) -> String {
    let mut text = String::new();
    for fault in &report.faults {
        one(&mut text, fault, "error", RED, color);
    }
    for warning in &report.warnings {
        one(&mut text, warning, "warning", YELLOW, color);
    }
    let [faults, warnings] = report.found();
    let counts: Vec<String> =
        [count(faults, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    changes(&mut text, &report.changes, color);
    for note in &report.notes {
        let _ =
            writeln!(text, "{}{}\n", paint_word("note", color), printable(&format!(": {note}")));
    }
    if !counts.is_empty() {
        let _ = writeln!(text, "{}", counts.join(", "));
    }
    text
}

/// What means something else than before, in a few lines each: there may be many after an upgrade, and none of it is
/// wrong.
fn changes(text: &mut String, changes: &[Fault], color: bool) {
    if changes.is_empty() {
        return;
    }
    let title =
        "changed since version 0.1, and touched here (docs/changed-meanings.md has all changes)";
    let _ = writeln!(text, "{}", paint_word(title, color));
    for change in changes {
        let place = format!("{}:{}:{}", change.file, change.line, change.column);
        let _ = writeln!(text, "  {}: {}", printable(&place), printable(&change.message));
        if !change.also.is_empty() {
            let _ = writeln!(text, "    also at {}", printable(&change.also.join(", ")));
        }
        if let Some(hint) = &change.hint {
            let _ = writeln!(text, "    to do: {}", printable(hint));
        }
    }
    text.push('\n');
}

fn paint_word(word: &str, color: bool) -> String {
    if color { format!("{BLUE}{word}{PLAIN}") } else { word.to_owned() }
}

fn one(text: &mut String, fault: &Fault, word: &str, word_color: &str, color: bool) {
    let paint = |with: &str, what: &str| {
        if color { format!("{with}{what}{PLAIN}") } else { what.to_owned() }
    };
    let message = printable(&fault.message);
    let _ = writeln!(text, "{}{}", paint(word_color, word), paint(BOLD, &format!(": {message}")));
    let number = fault.line.to_string();
    let gutter = " ".repeat(if fault.excerpt.is_some() { number.len() } else { 1 });
    let place = if fault.line > 0 {
        format!("{}:{}:{}", fault.file, fault.line, fault.column)
    } else {
        fault.file.clone()
    };
    let _ = writeln!(text, "{gutter}{} {}", paint(BLUE, "-->"), printable(&place));
    if let Some(excerpt) = &fault.excerpt {
        let bar = paint(BLUE, "|");
        let _ = writeln!(text, "{gutter} {bar}");
        let _ = writeln!(text, "{} {bar} {}", paint(BLUE, &number), excerpt.text);
        let underline = paint(word_color, &"^".repeat(excerpt.width));
        let _ = writeln!(text, "{gutter} {bar} {}{underline}", " ".repeat(excerpt.start));
    }
    if !fault.also.is_empty() {
        let also = fault.also.join(", ");
        let also = printable(&also);
        let _ = writeln!(text, "{gutter} {} also: {also}", paint(BLUE, "="));
    }
    if let Some(note) = fault.effect.note() {
        let _ = writeln!(text, "{gutter} {} note: {note}", paint(BLUE, "="));
    }
    if let Some(hint) = &fault.hint {
        let _ = writeln!(text, "{gutter} {} hint: {}", paint(BLUE, "="), printable(hint));
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
