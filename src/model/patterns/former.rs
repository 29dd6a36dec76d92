//! What a pattern meant until version 0.1.0, which read patterns as a shell does, where that differs from what
//! it means now. `check` tells it, for one version.

use super::grammar::{SPECIAL, alternatives};
use super::{Grammar, split};

/// One difference between what a pattern meant and what it means now, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it meant.
    pub before: String,
    /// What it means now.
    pub now: String,
    /// What to write for the former meaning, and for the present one.
    pub mend: String,
}

/// A part of a pattern whose meaning changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Stars,
    Folders,
    Question,
    Plus,
    Brackets,
    Braces,
    Name,
}

/// How the meaning of a pattern changed. Empty for one that means what it meant.
pub fn changes(grammar: Grammar, text: &str) -> Vec<Change> {
    let (excludes, text) = split(text);
    let letters: Vec<char> = text.chars().collect();
    let named = grammar.named(&letters);
    let mut parts = Vec::new();
    let mut note = |part| {
        if !parts.contains(&part) {
            parts.push(part);
        }
    };
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        let next = letters.get(at + 1);
        match letter {
            '*' => {
                let end = at + letters[at..].iter().take_while(|letter| **letter == '*').count();
                if end - at > 1 && !is_whole_name(&letters, at, end) {
                    note(Part::Stars);
                } else if end - at > 1 && letters[end..] == ['/'] {
                    note(Part::Folders);
                }
                at = end - 1;
            }
            '\\' if at >= named || next.is_some_and(|next| SPECIAL.contains(next)) => at += 1,
            '\\' | '?' | '[' | '{' if at < named => note(Part::Name),
            '?' => note(Part::Question),
            '+' if at >= named && at > 0 => note(Part::Plus),
            '{' => note(Part::Braces),
            '[' => {
                let inside = &letters[at + 1..];
                let end = inside.iter().position(|letter| *letter == ']').unwrap_or(inside.len());
                if has_other_meaning(&inside[..end]) {
                    note(Part::Brackets);
                }
                at += end + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.into_iter().map(|part| part.change(grammar, excludes, text)).collect()
}

/// Whether stars fill the whole name of a folder or file. Such stars always crossed `/`.
fn is_whole_name(letters: &[char], at: usize, end: usize) -> bool {
    let begins = at == 0 || letters[at - 1] == '/';
    let ends = letters.get(end).is_none_or(|letter| *letter == '/');
    begins && ends && end - at == 2
}

/// Brackets with `!` or `^` stood for all other characters, a `\` in them for itself, and `/` for nothing.
fn has_other_meaning(inside: &[char]) -> bool {
    let spans_slash =
        |range: &[char]| matches!(range, [low, '-', high] if *low <= '/' && '/' <= *high);
    matches!(inside, [] | ['!' | '^', ..])
        || inside.iter().any(|letter| matches!(letter, '\\' | '/'))
        || inside.windows(3).any(spans_slash)
}

impl Part {
    fn change(self, grammar: Grammar, excludes: bool, text: &str) -> Change {
        let mark = if excludes { "!" } else { "" };
        let (before, now, mend) = match self {
            Self::Stars => (
                "`**` within a name did not cross `/`",
                "it does, as on GitHub",
                format!("write `*` to stay within one folder: `{mark}{}`", single_stars(text)),
            ),
            Self::Folders => (
                "`**/` at the end stood for everything below",
                "it stands for names that end in `/`, which no file has",
                format!("leave the `/` out: `{mark}{}`", text.trim_end_matches('/')),
            ),
            Self::Question => (
                "`?` stood for any one character",
                "it makes the character in front of it optional, as on GitHub",
                "write `[0-9A-Za-z]` for one letter or digit, `*` for any text, `\\?` for a question mark"
                    .to_owned(),
            ),
            Self::Plus => (
                "`+` stood for itself",
                "it stands for one or more of the character in front of it, as on GitHub",
                format!("write `\\+` for a plus sign: `{mark}{}`", escaped_plus(text)),
            ),
            Self::Brackets => (
                "brackets that begin with `!` or `^` stood for all other characters, and a `\\` in them for itself",
                "they stand for the characters that they list, `!` and `^` too, and `\\` takes the next one as it is",
                "add a pattern that begins with `!` for what must not match".to_owned(),
            ),
            Self::Braces => (
                "`{a,b}` stood for either",
                "it still does, and will stand for itself in the next version, as on GitHub",
                match alternatives(grammar, text) {
                    Ok(list) if list.len() <= 8 => {
                        let list: Vec<_> = list.iter().map(|text| format!("\"{mark}{text}\"")).collect();
                        format!("write a list: `[{}]`", list.join(", "))
                    }
                    _ => "write a list of patterns".to_owned(),
                },
            ),
            Self::Name => (
                "`?`, brackets and braces in the name of an account stood for other characters",
                "such a name is taken as it is, but for `*`",
                "nothing is to do where that is the name; else write `*` for any text, or list the names"
                    .to_owned(),
            ),
        };
        Change { before: before.to_owned(), now: now.to_owned(), mend }
    }
}

/// The pattern with one star wherever there are several within a name.
fn single_stars(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut written = String::new();
    let mut at = 0;
    while at < letters.len() {
        let stars = letters[at..].iter().take_while(|letter| **letter == '*').count();
        let end = at + stars.max(1);
        let whole = stars > 1 && is_whole_name(&letters, at, end);
        written.extend(if stars > 1 && !whole { &letters[at..=at] } else { &letters[at..end] });
        at = end;
    }
    written
}

/// The pattern with each `+` as a character like others.
fn escaped_plus(text: &str) -> String {
    let mut written = String::new();
    let mut escapes = false;
    for letter in text.chars() {
        if letter == '+' && !escapes {
            written.push('\\');
        }
        escapes = letter == '\\' && !escapes;
        written.push(letter);
    }
    written
}
