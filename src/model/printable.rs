//! Text that is safe to show: characters that cannot be seen are written as escapes. Such characters can move
//! the cursor, rewrite what is on the screen, reverse the text after them, or hide a part of a name.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Ranges of characters that cannot be seen: format characters (Cf), separators of lines and paragraphs (Zl,
/// Zp), those that Unicode calls default-ignorable, and noncharacters of the basic plane. Controls come in
/// addition. Sorted.
const HIDDEN: [(char, char); 34] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{2fffe}', '\u{2ffff}'),
    ('\u{3fffe}', '\u{3ffff}'),
    ('\u{dfffe}', '\u{dffff}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{efffe}', '\u{effff}'),
    ('\u{ffffe}', '\u{fffff}'),
    ('\u{10fffe}', '\u{10ffff}'),
];

/// Whether a character is a control or cannot be seen. Line ends and tabs are controls.
pub fn is_hidden(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    let after = HIDDEN.partition_point(|(_, last)| *last < letter);
    letter.is_control() || HIDDEN.get(after).is_some_and(|(first, _)| *first <= letter)
}

/// The text with each hidden character written as an escape: line ends and tabs as `\n`, `\r`, `\t`, others as `\u{…}`.
/// It has no line end.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(
        text,
        |_| false,
        |out, letter| match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a string cannot fail.
            _ => _ = write!(out, "\\u{{{:x}}}", u32::from(letter)),
        },
    )
}

/// The text as [`printable`], but line ends and tabs stay.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, is_layout, |out, letter| {
        let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
    })
}

/// JSON in which each hidden character is written as `\uXXXX`. It is read as the same value. The hidden
/// characters of valid JSON are in its strings, except the line ends and tabs of its layout, which stay.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    escaped(json, is_layout, |out, letter| {
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn is_layout(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\t')
}

fn escaped(
    text: &str,
    stays: impl Fn(char) -> bool,
    escape: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    let must_change = |letter: char| is_hidden(letter) && !stays(letter);
    let Some(first) = text.find(must_change) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    let (before, rest) = text.split_at(first);
    out.push_str(before);
    for letter in rest.chars() {
        if must_change(letter) { escape(&mut out, letter) } else { out.push(letter) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ranges_are_sorted_and_apart() {
        assert!(HIDDEN.iter().all(|(first, last)| first <= last));
        assert!(HIDDEN.is_sorted_by(|one, next| one.1 < next.0));
    }

    #[test]
    fn controls_and_overrides_and_what_has_no_width_are_hidden_and_letters_are_not() {
        for letter in
            "\0\n\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{61c}\u{200b}\u{200e}\u{2028}\u{202e}\u{2066}\
                       \u{2069}\u{2060}\u{feff}\u{fdd0}\u{fffe}\u{fe0f}\u{e0041}\u{e0001}"
                .chars()
        {
            assert!(is_hidden(letter), "{letter:?}");
        }
        for letter in "aZ0 ~äß日本語e\u{301}\u{1f600}\u{fffd}עברית\u{a0}€\u{e000}".chars()
        {
            assert!(!is_hidden(letter), "{letter:?}");
        }
    }

    #[test]
    fn what_is_hidden_is_shown_by_its_number() {
        assert_eq!(printable("a\u{1b}[2J\u{202e}b\n"), "a\\u{1b}[2J\\u{202e}b\\n");
        assert_eq!(printable_lines("a\n\tb\u{9b}"), "a\n\tb\\u{9b}");
        assert!(matches!(printable("plain"), Cow::Borrowed("plain")));
    }

    proptest! {
        #[test]
        fn json_reads_back_as_the_same_and_shows_nothing_hidden(
            text in any::<String>(),
            pick in "[\u{80}-\u{9f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{e0000}-\u{e007f}\u{fdd0}-\u{fdd3}]{0,8}",
        ) {
            let value = serde_json::json!({ "a": text, pick.clone(): [pick] });
            let json = serde_json::to_string_pretty(&value).expect("JSON");
            let shown = printable_json(&json);
            prop_assert!(!shown.chars().any(|letter| is_hidden(letter) && letter != '\n'));
            let back: serde_json::Value = serde_json::from_str(&shown).expect("still JSON");
            prop_assert_eq!(back, value);
        }
    }
}
