//! Lays out tables: columns stand below each other, and where the terminal is too narrow, long cells are cut. Pure.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::screen::Tone;
use crate::model::printable;

/// Between two columns.
const GAP: usize = 2;
/// No column is made narrower than this, or than its longest cell where that is shorter.
const NARROWEST: usize = 7;

/// What stands in a row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    text: String,
    tone: Option<Tone>,
    /// It is of no use where a part of it is missing, such as an id.
    whole: bool,
}

impl Cell {
    /// A text that is never cut.
    pub(super) fn whole(text: impl Into<String>) -> Self {
        Self { whole: true, ..text.into().into() }
    }

    /// The same cell in the colour of this tone.
    pub(super) fn tone(self, tone: Tone) -> Self {
        Self { tone: Some(tone), ..self }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text: printable(&text).into_owned(), tone: None, whole: false }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A table, ready to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Laid {
    /// The line of headings.
    pub(super) headings: String,
    /// The rows: pieces of text, each with the tone it is written in.
    pub(super) rows: Vec<Vec<(String, Option<Tone>)>>,
    /// Whether a cell was cut.
    pub(super) is_cut: bool,
}

/// Lays the rows out, within this width where one is given.
pub(super) fn lay(headings: &[&str], rows: &[Vec<Cell>], width: Option<usize>) -> Laid {
    let widths = widths(headings, rows, width);
    let last = headings.len().saturating_sub(1);
    let mut is_cut = false;
    let rows = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).enumerate();
            cells
                .flat_map(|(at, (cell, width))| {
                    let text = fitted(&cell.text, *width);
                    is_cut |= text != cell.text;
                    let gap = if at == last { 0 } else { width.saturating_sub(text.width()) + GAP };
                    [(text, cell.tone), (" ".repeat(gap), None)]
                })
                .filter(|(text, _)| !text.is_empty())
                .collect()
        })
        .collect();
    let mut line = String::new();
    for (heading, width) in headings.iter().zip(&widths) {
        let text = fitted(heading, *width);
        let gap = width.saturating_sub(text.width()) + GAP;
        let _ = write!(line, "{text}{:gap$}", "");
    }
    Laid { headings: line.trim_end().to_owned(), rows, is_cut }
}

/// The width of each column: that of its widest cell, or less where the whole would be too wide. The widest columns
/// that may be cut become narrower first.
fn widths(headings: &[&str], rows: &[Vec<Cell>], within: Option<usize>) -> Vec<usize> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
    let mut least: Vec<usize> = widths.iter().map(|width| NARROWEST.min(*width)).collect();
    for row in rows {
        for ((width, least), cell) in widths.iter_mut().zip(&mut least).zip(row) {
            *width = (*width).max(cell.text.width());
            let needs =
                if cell.whole { cell.text.width() } else { NARROWEST.min(cell.text.width()) };
            *least = (*least).max(needs);
        }
    }
    let Some(within) = within else { return widths };
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > within {
        let cuttable = widths.iter_mut().zip(&least).filter(|(width, least)| **width > **least);
        let Some((width, _)) = cuttable.max_by_key(|(width, _)| **width) else { break };
        *width -= 1;
    }
    widths
}

/// The text, cut to this width with a mark where it is wider.
fn fitted(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        cut.push(letter);
    }
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(laid: &Laid) -> Vec<String> {
        let row = |row: &Vec<(String, Option<Tone>)>| row.iter().map(|(text, _)| &**text).collect();
        laid.rows.iter().map(row).collect()
    }

    #[test]
    fn columns_stand_below_each_other_after_wide_and_combining_characters() {
        let row = |first: &str| vec![Cell::from(first), Cell::from("x")];
        let laid = lay(&["A", "B"], &["日本", "e\u{301}", "abcd"].map(row), None);
        for line in lines(&laid) {
            let before = line.split('x').next().unwrap_or_default();
            assert_eq!(before.width(), 6, "{line:?}");
        }
    }

    #[test]
    fn a_table_fits_the_width_and_what_is_whole_stays_whole() {
        let id = "0193a6f2-2097-73fe";
        let long =
            "the workbench answered 503 and will be tried again in a minute or two".to_owned();
        let row = |name: &str| {
            vec![Cell::whole(id), name.into(), Cell::whole("superseded"), long.clone().into()]
        };
        let rows = [row("retrain"), row("a-route-with-a-very-long-name-日本語日本語")];
        for width in [80, 72, 60] {
            let laid = lay(&["RUN", "ROUTE", "STATE", "WHY"], &rows, Some(width));
            assert!(laid.is_cut);
            for line in lines(&laid).iter().chain([&laid.headings]) {
                assert!(line.width() <= width, "{width}: {line:?} has {}", line.width());
            }
            assert!(
                lines(&laid).iter().all(|line| line.contains(id) && line.contains("superseded"))
            );
        }
        let laid = lay(&["RUN", "ROUTE", "STATE", "WHY"], &rows, None);
        assert!(!laid.is_cut && lines(&laid)[1].ends_with(&long));
    }

    #[test]
    fn nothing_is_cut_that_fits() {
        let rows = [vec![Cell::from("a\nb"), Cell::from("c")]];
        let laid = lay(&["A", "B"], &rows, Some(80));
        assert_eq!(lines(&laid), ["a\\nb  c"], "a line end is no end of a row");
        assert!(!laid.is_cut);
    }
}
