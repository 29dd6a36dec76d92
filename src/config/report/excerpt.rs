//! The offending line in a form that may be shown: secrets are masked, control characters replaced,
//! and long lines cut around the offending text.

use std::ops::Range;

use serde::Serialize;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::reveal::{Show, pieces};
use super::{HIDDEN, Source};
use crate::model::is_hidden;

/// Terminal cells that are shown before the offending text.
const BEFORE: usize = 60;
const AFTER: usize = 60;
/// Terminal cells of the offending text that are shown.
const SPAN: usize = 80;
/// Bytes that are read on either side; more than the cells above can need.
const FARTHEST: usize = 1024;

/// A line and its underlined part. Positions are in terminal cells, not in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// The line.
    pub text: String,
    /// Cells before the underlined part.
    pub start: usize,
    /// Cells of the underlined part.
    pub width: usize,
}

impl Excerpt {
    /// The line of a range. Within the range, plain words are shown or not; around it, only known ones.
    pub(super) fn of(source: &Source, range: Range<usize>, show: Show) -> Self {
        let line = source.line_range(source.line_of(range.start));
        let start = range.start.clamp(line.start, line.end);
        let end = range.end.clamp(start, line.end);
        // A line may be as long as the file, so only what could be shown is read.
        let text = source.text();
        let from = boundary(text, start.saturating_sub(FARTHEST)).max(line.start);
        let to = boundary(text, end.min(start + FARTHEST) + FARTHEST).clamp(start, line.end);
        // A piece that is cut at either end cannot be judged, so it is hidden.
        let cut = Cut { start: from > line.start, end: to < line.end };
        let to = if cut.end { to } else { end + before_comment(&text[from..to], end - from) };
        let line = from..to;
        let mut pieces = Pieces { source, start, end, show, parts: Default::default() };
        let mut at = line.start;
        for hidden in source.hidden_within(&line) {
            pieces.judged(at..hidden.start, cut.start && at == line.start, false);
            pieces.masked(&hidden);
            at = hidden.end;
        }
        pieces.judged(at..line.end, cut.start && at == line.start, cut.end);
        let [before, meant, after] = pieces.parts;
        let after = if cut.end { after } else { after.trim_end().to_owned() };
        let before = keep_end(&before, BEFORE);
        let meant = keep_start(&meant, SPAN);
        let after = keep_start(&after, AFTER);
        Self {
            start: before.width(),
            width: meant.width().max(1),
            text: format!("{before}{meant}{after}"),
        }
    }
}

impl Excerpt {
    /// The line, and the start and width of its underlined part, within this many cells: cut at its end, and also at
    /// its beginning where the part would be out of sight.
    pub(super) fn within(&self, room: Option<usize>) -> (String, usize, usize) {
        let room = room.unwrap_or(usize::MAX).max(8);
        if self.text.width() <= room {
            return (self.text.clone(), self.start, self.width);
        }
        // Two cells are for the marks of what is cut.
        let end = (self.start + self.width).min(self.start + room - 2);
        let skipped = (end + 2).saturating_sub(room);
        let mut at = 0;
        let mut written = String::new();
        let mut front = 0;
        for letter in self.text.chars() {
            let cells = cells_of(letter);
            if at < skipped + usize::from(skipped > 0) {
                front = at + cells;
            } else if at + cells - front + usize::from(skipped > 0) < room {
                written.push(letter);
            } else {
                break;
            }
            at += cells;
        }
        let mark = if skipped > 0 { "…" } else { "" };
        let start = (self.start + mark.width()).saturating_sub(front);
        let width = self.width.min(room - 1 - start.min(room - 2));
        (format!("{mark}{written}…"), start, width)
    }
}

/// Whether the line has more text before or after what was read of it.
struct Cut {
    start: bool,
    end: bool,
}

/// The length of what stands between `from` and a comment. A comment is not shown at all.
fn before_comment(line: &str, from: usize) -> usize {
    let mut quote = None;
    let mut blank = true;
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '#' && blank && at >= from => return at - from,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        blank = c.is_whitespace();
    }
    line.len() - from
}

/// A line in three parts: before the offending text, the offending text, and after it.
struct Pieces<'a> {
    source: &'a Source,
    start: usize,
    end: usize,
    show: Show,
    parts: [String; 3],
}

impl Pieces<'_> {
    /// Adds a part of the line piece by piece, each shown or hidden as a whole.
    fn judged(&mut self, range: Range<usize>, cut_before: bool, cut_after: bool) {
        let text = &self.source.text()[range.clone()];
        for piece in pieces(text) {
            let cut = (cut_before && piece.range.start == 0)
                || (cut_after && piece.range.end == text.len());
            let place = range.start + piece.range.start..range.start + piece.range.end;
            let meant = place.start < self.end && self.start < place.end;
            let show = if meant { self.show } else { Show::Known };
            let good = !piece.words || (!cut && self.source.allows(&text[piece.range], show));
            if good { self.plain(place) } else { self.masked(&place) }
        }
    }

    fn plain(&mut self, range: Range<usize>) {
        for (at, c) in self.source.text()[range.clone()].char_indices() {
            let part = self.part(range.start + at);
            push(&mut self.parts[part], c);
        }
    }

    /// Adds a mask. It goes to the part where the hidden text starts, or to the offending text if
    /// the two overlap.
    fn masked(&mut self, range: &Range<usize>) {
        let overlaps = range.start < self.end && self.start < range.end;
        let part = if overlaps { 1 } else { self.part(range.start) };
        // Hidden words that follow each other are shown as one.
        let before = self.parts[part].trim_end();
        if before.ends_with(HIDDEN) {
            let length = before.len();
            self.parts[part].truncate(length);
        } else {
            self.parts[part].push_str(HIDDEN);
        }
    }

    fn part(&self, at: usize) -> usize {
        usize::from(at >= self.start) + usize::from(at >= self.end)
    }
}

/// The nearest character boundary at or before this byte.
fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn push(text: &mut String, c: char) {
    match c {
        '\t' => text.push_str("    "),
        // Direction marks and what cannot be seen could make one line look like another.
        c if is_hidden(c) => text.push('\u{FFFD}'),
        c => text.push(c),
    }
}

/// The terminal cells of a character. Control characters have been replaced before.
fn cells_of(c: char) -> usize {
    c.width().unwrap_or(1)
}

fn keep_start(text: &str, most: usize) -> String {
    let mut cells = 0;
    let end = text.char_indices().find_map(|(at, c)| {
        cells += cells_of(c);
        (cells > most).then_some(at)
    });
    end.map_or_else(|| text.to_owned(), |end| format!("{}…", &text[..end]))
}

fn keep_end(text: &str, most: usize) -> String {
    let mut cells = 0;
    let start = text.char_indices().rev().find_map(|(at, c)| {
        cells += cells_of(c);
        (cells > most).then(|| at + c.len_utf8())
    });
    start.map_or_else(|| text.to_owned(), |start| format!("…{}", &text[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_part_is_underlined_but_not_shown() {
        let mut source = Source::new("f", "a: hunter2 # x".to_owned());
        source.hide(std::iter::once(3..10).collect());
        let excerpt = Excerpt::of(&source, 3..10, Show::Plain);
        assert_eq!(excerpt.text, format!("a: {HIDDEN}"));
        assert_eq!((excerpt.start, excerpt.width), (3, HIDDEN.width()));
        let elsewhere = Excerpt::of(&source, 0..1, Show::Plain);
        assert!(!elsewhere.text.contains("hunter2"));
        let inside = Excerpt::of(&source, 5..6, Show::Plain);
        assert!(!inside.text.contains("unter"));
    }

    #[test]
    fn an_underline_stands_below_its_text_after_wide_combining_and_control_characters() {
        for (before, cells) in
            [("key", 3), ("日", 2), ("e\u{301}", 1), ("ü", 1), ("🦀", 2), ("\t", 4), ("\u{7}", 1)]
        {
            let source = Source::new("f", format!("{before}\"x"));
            let at = before.len() + 1;
            let excerpt = Excerpt::of(&source, at..at + 1, Show::Plain);
            assert_eq!((excerpt.start, excerpt.width), (cells + 1, 1), "{before:?}");
        }
    }

    #[test]
    fn an_excerpt_fits_its_room_and_the_underline_stays_below_its_text() {
        let text = "  key: { a: 1, b: 2, c: 3, d: 4, WRONG: 5, e: 6, f: 7, g: 8, h: 9 }";
        let start = text.find("WRONG").expect("there");
        let excerpt = Excerpt { text: text.to_owned(), start, width: 5 };
        for room in 8..80 {
            let (line, start, width) = excerpt.within(Some(room));
            assert!(line.width() <= room, "{room}: {line}");
            let marked: String = line.chars().skip(start).take(width).collect();
            assert!("WRONG".starts_with(&marked) && !marked.is_empty(), "{room}: {line} {marked}");
        }
        assert_eq!(excerpt.within(None), (text.to_owned(), start, 5));
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_meant() {
        let text = format!("{}X{}", "a ".repeat(2500), " b".repeat(2500));
        let source = Source::new("f", text);
        let excerpt = Excerpt::of(&source, 5000..5001, Show::Plain);
        assert!(excerpt.text.chars().count() < 130, "{}", excerpt.text);
        assert_eq!(excerpt.text.chars().nth(excerpt.start), Some('X'));
    }
}
