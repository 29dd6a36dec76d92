//! The text of one configuration file. It converts bytes to lines and columns, and knows what must
//! not be shown.

use std::cell::Cell;
use std::ops::Range;

use super::HIDDEN;
use super::reveal::{Reveal, Show};

/// A file's text and the parts of it that must not be shown.
#[derive(Debug)]
pub(in crate::config) struct Source {
    name: String,
    text: String,
    lines: Vec<usize>,
    hidden: Vec<Range<usize>>,
    reveal: Reveal,
    /// Whether its structure is known, so that it can be told what may be shown.
    structured: bool,
    /// Whether any line may be quoted.
    quoted: bool,
    /// Where the last look-up of a column ended. The next look-up continues there, because a file
    /// may be one long line and its faults come in order.
    last: Cell<Column>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Column {
    line: usize,
    column: usize,
    offset: usize,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Place {
    /// Line, counted from 1.
    pub(in crate::config) line: usize,
    /// Column in characters, counted from 1.
    pub(in crate::config) column: usize,
    /// Length in characters, up to the end of the range or of its first line. At least 1.
    pub(in crate::config) length: usize,
}

impl Source {
    pub(in crate::config) fn new(name: &str, text: String) -> Self {
        let lines = line_starts(&text);
        Self {
            name: name.to_owned(),
            text,
            lines,
            hidden: Vec::new(),
            reveal: Reveal::default(),
            structured: true,
            quoted: true,
            last: Cell::default(),
        }
    }

    pub(in crate::config) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::config) fn text(&self) -> &str {
        &self.text
    }

    /// Allows reports to show these names.
    pub(in crate::config) fn know<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.reveal.know(names);
    }

    /// Allows reports to show these paths.
    pub(in crate::config) fn know_paths(&mut self, paths: Vec<String>) {
        self.reveal.know_paths(paths);
    }

    /// For a file that is not YAML: it is unknown what its words are for.
    pub(in crate::config) fn lacks_structure(&mut self) {
        self.structured = false;
    }

    /// For a file that is not a configuration: it may be a file of secrets, so no line of it is quoted.
    pub(in crate::config) fn never_quote(&mut self) {
        self.quoted = false;
    }

    pub(super) fn may_be_quoted(&self) -> bool {
        self.quoted
    }

    /// Whether a piece of its text may be shown.
    pub(super) fn allows(&self, piece: &str, show: Show) -> bool {
        self.reveal.allows(piece, if self.structured { show } else { Show::Known })
    }

    /// Marks parts that no report may show.
    pub(in crate::config) fn hide(&mut self, mut ranges: Vec<Range<usize>>) {
        self.hidden.append(&mut ranges);
        self.hidden.sort_by_key(|range| (range.start, range.end));
    }

    /// Whether any part of this range is hidden.
    pub(in crate::config) fn is_hidden(&self, range: &Range<usize>) -> bool {
        self.hidden.iter().any(|hidden| hidden.start < range.end && range.start < hidden.end)
    }

    /// The hidden parts of a range, in order and without overlaps.
    pub(super) fn hidden_within(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let mut parts: Vec<Range<usize>> = Vec::new();
        for hidden in &self.hidden {
            let start = hidden.start.max(range.start);
            let end = hidden.end.min(range.end);
            if start >= end {
                continue;
            }
            match parts.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ => parts.push(start..end),
            }
        }
        parts
    }

    /// The message, without the hidden text of this range, and without any word that may not be shown.
    pub(super) fn veil(&self, range: &Range<usize>, message: String) -> String {
        let message = self.hidden_within(range).into_iter().fold(message, |message, part| {
            message.replace(&format!("`{}`", &self.text[part]), HIDDEN)
        });
        self.reveal.message(&message)
    }

    /// The byte offset of a character, by line and column, both counted from 0.
    pub(in crate::config) fn offset(&self, line: usize, column: usize) -> usize {
        let line = line.min(self.lines.len() - 1);
        let range = self.line_range(line);
        let last = self.last.get();
        let (skipped, start) = if last.line == line && (1..=column).contains(&last.column) {
            (last.column, last.offset.min(range.end))
        } else {
            (0, range.start)
        };
        let rest = &self.text[start..range.end];
        let step = rest.char_indices().nth(column - skipped).map_or(rest.len(), |(at, _)| at);
        let offset = start + step;
        if offset < range.end {
            self.last.set(Column { line, column, offset });
        }
        offset
    }

    pub(in crate::config) fn place(&self, range: &Range<usize>) -> Place {
        let line = self.line_of(range.start);
        let bounds = self.line_range(line);
        let start = range.start.min(bounds.end);
        let end = range.end.clamp(start, bounds.end);
        Place {
            line: line + 1,
            column: self.text[bounds.start..start].chars().count() + 1,
            length: self.text[start..end].chars().count().max(1),
        }
    }

    /// The line that contains this byte, counted from 1.
    pub(in crate::config) fn line(&self, offset: usize) -> usize {
        self.line_of(offset) + 1
    }

    /// The line that contains this byte, counted from 0.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The range of a line without its line end. `line` is counted from 0.
    pub(super) fn line_range(&self, line: usize) -> Range<usize> {
        let start = self.lines[line];
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end_matches(['\n', '\r']).len()
    }
}

/// The start of each line. YAML ends a line at a line feed, a carriage return, or both.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends =
        |at: usize| bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    std::iter::once(0).chain((0..bytes.len()).filter(|at| ends(*at)).map(|at| at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_and_all_line_ends_count() {
        let source = Source::new("f", "äö\r\nb: ü x\rc\n".to_owned());
        let at = source.text().find('x').expect("there");
        assert_eq!(source.place(&(at..at + 1)), Place { line: 2, column: 6, length: 1 });
        let at = source.text().find('c').expect("there");
        assert_eq!(source.place(&(at..at + 1)).line, 3);
        assert_eq!(source.offset(1, 5), source.text().find('x').expect("there"));
    }

    #[test]
    fn a_place_at_the_very_end_is_within_the_text() {
        let source = Source::new("f", "a\n".to_owned());
        assert_eq!(source.place(&(2..2)), Place { line: 2, column: 1, length: 1 });
        let empty = Source::new("f", String::new());
        assert_eq!(empty.place(&(0..0)), Place { line: 1, column: 1, length: 1 });
    }
}
