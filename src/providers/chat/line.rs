//! A command line as people type it in chat: a name, plain words, and `NAME=value` pairs.
//!
//! Values with spaces are quoted. In quotes, a backslash escapes a quote or a backslash. Typographic
//! quotes, with which chat programs and phones replace plain ones, count as quotes. Anything ambiguous is
//! an error that is shown to the person who typed it: the gateway never starts a job on a guess.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::CommandLine;

/// Longest line, in bytes. No chat program sends more than some thousand characters.
const LONGEST: usize = 16 * 1024;
/// Most words and pairs of a line.
const MOST: usize = 64;
/// Longest name of a command or a value, in bytes.
const LONGEST_NAME: usize = 64;
/// Longest piece of the line that an error repeats, in characters.
const SHOWN: usize = 40;

/// Parses a line.
///
/// # Errors
/// What is wrong, for the person who typed it.
pub(in crate::providers) fn parse(text: &str) -> Result<CommandLine, String> {
    if text.len() > LONGEST {
        return Err(format!("the command is longer than {LONGEST} bytes"));
    }
    let mut tokens = tokens(text)?.into_iter();
    let Some(first) = tokens.next() else {
        return Ok(CommandLine::default());
    };
    let name = match first {
        Token::Word(name) if name.is_empty() => return Err("the command has no name".to_owned()),
        Token::Word(name) if name.len() > LONGEST_NAME => {
            return Err(format!("a command's name has at most {LONGEST_NAME} bytes"));
        }
        Token::Word(name) => name,
        Token::Pair(name, _) => {
            let name = shown(&name);
            return Err(format!("a command starts with its name, and this one with {name}=…"));
        }
    };
    let mut words = Vec::new();
    let mut args = BTreeMap::new();
    for token in tokens {
        match token {
            Token::Word(word) => words.push(word),
            Token::Pair(name, value) => add(&mut args, name, value)?,
        }
    }
    Ok(CommandLine { name: Some(name), words, args })
}

/// Adds a pair. A repeated name is an error, since it is not clear which of the values was meant.
pub(super) fn add(
    args: &mut BTreeMap<Arc<str>, Arc<str>>,
    name: Arc<str>,
    value: Arc<str>,
) -> Result<(), String> {
    if args.contains_key(&name) {
        return Err(format!("{} is given twice", shown(&name)));
    }
    if args.len() == MOST {
        return Err(format!("a command has at most {MOST} words and values"));
    }
    args.insert(name, value);
    Ok(())
}

#[derive(Debug)]
enum Token {
    Word(Arc<str>),
    Pair(Arc<str>, Arc<str>),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().filter(|letter| !is_invisible(*letter)).peekable();
    loop {
        while rest.next_if(|letter| letter.is_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return Ok(tokens);
        }
        if tokens.len() > MOST {
            return Err(format!("a command has at most {MOST} words and values"));
        }
        tokens.push(token(&mut rest)?);
    }
}

/// Reads one word or pair: quoted and unquoted pieces, up to the next space.
fn token(rest: &mut std::iter::Peekable<impl Iterator<Item = char>>) -> Result<Token, String> {
    let mut name = None;
    let mut piece = String::new();
    let mut had_quotes = false;
    while let Some(letter) = rest.next_if(|letter| !letter.is_whitespace()) {
        match quote(letter) {
            Some(kind) => {
                had_quotes = true;
                quoted(rest, kind, &mut piece)?;
            }
            None if letter == '=' && name.is_none() && !had_quotes => {
                name = Some(pair_name(&std::mem::take(&mut piece))?);
            }
            None => piece.push(letter),
        }
    }
    let piece = piece.into();
    Ok(match name {
        Some(name) => Token::Pair(name, piece),
        None => Token::Word(piece),
    })
}

/// Reads the rest of a quoted piece, with its closing quote.
fn quoted(
    rest: &mut impl Iterator<Item = char>,
    kind: Quote,
    piece: &mut String,
) -> Result<(), String> {
    let start = piece.len();
    while let Some(letter) = rest.next() {
        if quote(letter) == Some(kind) {
            return Ok(());
        }
        if letter != '\\' {
            piece.push(letter);
            continue;
        }
        match rest.next() {
            Some(escaped) if escaped == '\\' || quote(escaped).is_some() => piece.push(escaped),
            // Before anything else, a backslash is part of a path or a pattern.
            Some(other) => piece.extend(['\\', other]),
            None => break,
        }
    }
    let piece = shown(&piece[start..]);
    Err(format!("a quote is not closed; it stands before: {piece}"))
}

fn pair_name(name: &str) -> Result<Arc<str>, String> {
    let first = name.bytes().next();
    let is_name = first.is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && name.len() <= LONGEST_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name {
        return Ok(name.into());
    }
    Err(format!(
        "{}=… is not a name and a value: names are letters, digits and _; a word with = in it \
         stands in quotes",
        shown(name)
    ))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quote {
    Single,
    Double,
}

fn quote(letter: char) -> Option<Quote> {
    match letter {
        '\'' | '\u{2018}'..='\u{201b}' => Some(Quote::Single),
        '"' | '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{ff02}' => Some(Quote::Double),
        _ => None,
    }
}

/// Characters without width, which people paste without seeing them.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (String, Vec<String>, Vec<(String, String)>) {
        let line = parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        let args = line.args.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let words = line.words.iter().map(ToString::to_string).collect();
        (line.name.as_deref().unwrap_or_default().to_owned(), words, args.collect())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_line_is_a_name_and_words_and_pairs_in_any_order() {
        let (name, words, args) =
            read("retrain START_DATE=2017-01-01 fast END_DATE=\"2017 01 31\"\u{a0} twice ");
        assert_eq!((name.as_str(), words), ("retrain", vec!["fast".into(), "twice".into()]));
        assert_eq!(args, [pair("END_DATE", "2017 01 31"), pair("START_DATE", "2017-01-01")]);
    }

    #[test]
    fn values_are_read_as_people_mean_them() {
        for (text, value) in [
            ("A=", ""),
            ("A=''", ""),
            ("A=b=c", "b=c"),
            ("A=1\\2", "1\\2"),
            (r#"A="a \"b\" \\ c""#, r#"a "b" \ c"#),
            (r#"A="C:\data""#, r"C:\data"),
            (r"A='it\'s'", "it's"),
            ("A=\"it's\"", "it's"),
            ("A=\u{201c}two words\u{201d}", "two words"),
            ("A=\u{201e}two words\u{201c}", "two words"),
            ("A=\u{2018}two words\u{2019}", "two words"),
            ("A=\"it\u{2019}s\"", "it\u{2019}s"),
            ("A=x\"y z\"'!'", "xy z!"),
            ("A=\u{200b}b\u{feff}", "b"),
        ] {
            assert_eq!(read(&format!("go {text}")).2, [pair("A", value)], "{text}");
        }
        assert_eq!(read("go \"A=b\" 'c d'").1, ["A=b", "c d"]);
    }

    #[test]
    fn nothing_typed_is_no_command_and_no_fault() {
        for text in ["", " ", "\u{a0}\n\u{200b}"] {
            assert_eq!(parse(text), Ok(CommandLine::default()), "{text:?}");
        }
    }

    #[test]
    fn what_is_unclear_is_a_fault_that_says_what() {
        let many = format!("go {}", "a ".repeat(MOST + 1));
        for (text, fault) in [
            ("go A=1 A=2", "A is given twice"),
            ("A=1", "starts with its name, and this one with A=…"),
            ("go A=\"b", "a quote is not closed; it stands before: b"),
            ("go don't", "a quote is not closed; it stands before: t"),
            ("go A='\\", "a quote is not closed"),
            ("go =1", "=… is not a name and a value"),
            ("go START-DATE=1", "START-DATE=… is not a name and a value"),
            ("go 1A=1", "1A=… is not a name"),
            ("''", "the command has no name"),
            (&"x".repeat(65), "at most 64 bytes"),
            (&format!("go {}=1", "x".repeat(65)), "is not a name"),
            (&many, "at most 64 words"),
            (&"x ".repeat(LONGEST), "longer than 16384 bytes"),
        ] {
            let said = parse(text).expect_err(text);
            assert!(said.contains(fault), "{said}");
            assert!(said.len() < 300, "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_odd(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn whatever_is_quoted_comes_back_as_it_was(
            values in proptest::collection::btree_map("[A-Z_][A-Z0-9_]{0,8}", "[^\u{200b}\u{2060}\u{feff}\u{2018}-\u{201f}\u{ab}\u{bb}\u{ff02}]{0,40}", 0..6)
        ) {
            let escape = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"");
            let pairs: Vec<_> =
                values.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
            let line = parse(&format!("go {}", pairs.join(" "))).expect("it reads");
            let read: BTreeMap<String, String> =
                line.args.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            prop_assert_eq!(read, values);
        }
    }
}
