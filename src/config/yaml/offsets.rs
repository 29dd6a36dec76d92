//! Places inside a scalar: maps a byte of its value to a byte of the file.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

use super::tree::{Id, Kind, Tree};

/// The range of the file in which a part of a scalar's value was written.
///
/// Folding and indentation change white space only. So the n-th visible character of the value is
/// the n-th visible character of the file's text, counting an escape as one character.
pub(in crate::config) fn within(
    tree: &Tree,
    text: &str,
    id: Id,
    offset: usize,
    length: usize,
) -> Range<usize> {
    let range = tree.range(id);
    let (Kind::Scalar { text: value, .. }, Some(style)) = (&tree.node(id).kind, tree.style(id))
    else {
        return tree.spot(id);
    };
    let Some(before) = value.get(..offset.min(value.len())) else { return range };
    let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let first = visible(before);
    let end = value.len().min(offset.saturating_add(length.max(1)));
    let count = value.get(before.len()..end).map_or(1, visible);
    let written = written(&text[range.clone()], style);
    let Some(start) = written.get(first) else { return range };
    let last = written.get((first + count.max(1)) - 1).unwrap_or(start);
    range.start + start.start..range.start + last.end
}

/// Where each visible character of the value was written, in order.
fn written(raw: &str, style: ScalarStyle) -> Vec<Range<usize>> {
    match style {
        ScalarStyle::SingleQuoted => single_quoted(raw),
        ScalarStyle::DoubleQuoted => double_quoted(raw),
        _ => plain(raw).collect(),
    }
}

fn plain(raw: &str) -> impl Iterator<Item = Range<usize>> {
    raw.char_indices().filter(|(_, c)| !c.is_whitespace()).map(|(at, c)| at..at + c.len_utf8())
}

fn single_quoted(raw: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut chars = plain(raw).skip(1).peekable();
    while let Some(place) = chars.next() {
        if &raw[place.clone()] != "'" {
            places.push(place);
            continue;
        }
        // Two quotes stand for one. A single quote ends the text.
        match chars.next_if(|next| next.start == place.end && &raw[next.clone()] == "'") {
            Some(second) => places.push(place.start..second.end),
            None => break,
        }
    }
    places
}

fn double_quoted(raw: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut at = 1;
    while let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        let start = at;
        at += c.len_utf8();
        match c {
            '"' => break,
            '\\' => {
                let Some(escaped) = raw[at..].chars().next() else { break };
                at += escaped.len_utf8();
                let digits = match escaped {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let code =
                    raw.get(at..at + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                at = (at + digits).min(raw.len());
                let space = match escaped {
                    'n' | 't' | 'r' | 'v' | 'f' | ' ' | '\t' | '\n' | '\r' | '_' | 'N' | 'L'
                    | 'P' => true,
                    'x' | 'u' | 'U' => {
                        code.and_then(char::from_u32).is_some_and(char::is_whitespace)
                    }
                    _ => false,
                };
                if !space {
                    places.push(start..at);
                }
            }
            c if c.is_whitespace() => {}
            _ => places.push(start..at),
        }
    }
    places
}
