//! Lists of literals and patterns, as GitHub Actions reads the filters of its workflows: the last entry that
//! matches decides, and an entry that begins with `!` excludes.
//!
//! `*` stands for any text without `/`, `**` for any text, `?` for none or one of what stands in front of it,
//! `+` for one or more of that, `[abc0-9]` for one of these characters, and `\` takes the next character as it
//! is. Source: "Filter pattern cheat sheet" in GitHub's workflow syntax; its examples are in
//! `tests/patterns/github.txt`. An account's name is read by [`Grammar::Name`], in which only `*` is special.

mod former;
mod grammar;
mod matcher;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use super::printable::is_hidden;
pub use former::{Change, changes};
pub use grammar::Grammar;
use matcher::Matcher;

/// A compiled list of patterns. A clone shares it.
#[derive(Clone, Debug)]
pub struct Patterns {
    entries: Arc<[Entry]>,
}

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternFault {
    /// Its index in the list, counted from 0.
    pub index: usize,
    /// What is wrong and how to correct it.
    pub message: String,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The pattern as it is written, without the `!` of an exclusion.
    text: String,
    excludes: bool,
    /// One matcher, or one for each alternative.
    matchers: Box<[Matcher]>,
}

impl Patterns {
    /// Compiles a list of filters.
    ///
    /// # Errors
    /// One fault for each entry that is empty or not a valid pattern; else one, where the list can never match.
    pub fn parse(texts: &[String]) -> Result<Self, Vec<PatternFault>> {
        Self::parse_as(Grammar::Filter, texts)
    }

    /// Compiles a list of patterns of this grammar.
    ///
    /// # Errors
    /// As for [`Patterns::parse`].
    pub fn parse_as(grammar: Grammar, texts: &[String]) -> Result<Self, Vec<PatternFault>> {
        let mut faults = Vec::new();
        let mut entries = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match Entry::parse(grammar, text) {
                Ok(entry) => entries.push(entry),
                Err(message) => faults.push(PatternFault { index, message }),
            }
        }
        if faults.is_empty() && entries.iter().all(|entry| entry.excludes) {
            let message = if entries.is_empty() {
                "an empty list can never match; leave the key out to accept anything".to_owned()
            } else {
                "a list with only exclusions can never match; put \"**\" in front".to_owned()
            };
            faults.push(PatternFault { index: 0, message });
        }
        if faults.is_empty() { Ok(Self { entries: entries.into() }) } else { Err(faults) }
    }

    /// Whether the text passes: the last entry that fits it decides.
    pub fn pass(&self, text: &str) -> bool {
        self.verdict(text) == Some(true)
    }

    /// Whether the text passes or is excluded; `None` where no entry fits it.
    pub fn verdict(&self, text: &str) -> Option<bool> {
        self.entries.iter().rev().find(|entry| entry.fits(text)).map(|entry| !entry.excludes)
    }

    /// Whether a branch or tag passes. An entry that begins with `refs/` is held against the full ref, which
    /// begins with `prefix`, such as `refs/heads/`; any other against the name.
    pub fn pass_ref(&self, prefix: &str, name: &str) -> bool {
        let fits = |entry: &&Entry| match entry.text.starts_with("refs/") {
            true => entry.fits(&format!("{prefix}{name}")),
            false => entry.fits(name),
        };
        self.entries.iter().rev().find(fits).is_some_and(|entry| !entry.excludes)
    }

    /// Whether something with several names passes: one of its names passes, and none is excluded.
    pub fn pass_any<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        let verdicts: Vec<bool> = names.into_iter().filter_map(|name| self.verdict(name)).collect();
        !verdicts.is_empty() && verdicts.iter().all(|passes| *passes)
    }

    /// The patterns that accept, as they are written.
    pub fn accepted(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| !entry.excludes).map(|entry| entry.text.as_str())
    }

    /// The only texts that can pass, where every entry that does not exclude is a literal; else `None`.
    pub fn literals(&self) -> Option<Vec<&str>> {
        self.entries
            .iter()
            .filter(|entry| !entry.excludes)
            .flat_map(|entry| entry.matchers.iter().map(Matcher::literal))
            .collect()
    }

    /// The text itself as a pattern, where an entry is written just like it and yet does not match it. A
    /// message that only repeats the two would say that what is wanted is there.
    pub fn escaped_twin(&self, text: &str) -> Option<String> {
        let twin = self.entries.iter().any(|entry| !entry.excludes && entry.text == text);
        twin.then(|| grammar::escaped(text))
    }

    /// Whether an entry and this text differ only in white space at their ends and in hidden characters.
    pub fn reads_like(&self, text: &str) -> bool {
        self.entries.iter().any(|entry| !entry.excludes && seen(&entry.text).eq(seen(text)))
    }
}

/// A text as a reader sees it at a glance.
fn seen(text: &str) -> impl Iterator<Item = char> + '_ {
    text.trim().chars().filter(|letter| !is_hidden(*letter))
}

impl PartialEq for Patterns {
    /// Two lists are equal when their texts are.
    fn eq(&self, other: &Self) -> bool {
        let texts = |patterns: &Self| {
            let entries = patterns.entries.iter();
            entries.map(|entry| (entry.excludes, entry.text.clone())).collect::<Vec<_>>()
        };
        texts(self) == texts(other)
    }
}

impl fmt::Display for Patterns {
    /// In plain words, such as `main or release/**, but not *.md`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |excludes: bool| {
            self.entries
                .iter()
                .filter(|entry| entry.excludes == excludes)
                .map(|entry| entry.text.as_str())
                .collect::<Vec<_>>()
                .join(" or ")
        };
        f.write_str(&list(false))?;
        let excluded = list(true);
        if !excluded.is_empty() {
            write!(f, ", but not {excluded}")?;
        }
        Ok(())
    }
}

impl Entry {
    fn parse(grammar: Grammar, text: &str) -> Result<Self, String> {
        let (excludes, text) = split(text);
        if text.is_empty() {
            return Err("an empty pattern never matches; remove it".to_owned());
        }
        let said = |fault: &str| format!("`{text}` is not a pattern: {fault}");
        let alternatives = grammar::alternatives(grammar, text).map_err(|fault| said(&fault))?;
        let matchers = alternatives.iter().map(|text| {
            let items = grammar::items(grammar, text)?;
            Matcher::new(&items)
        });
        let matchers: Result<_, String> = matchers.collect();
        Ok(Self {
            text: text.to_owned(),
            excludes,
            matchers: matchers.map_err(|fault| said(&fault))?,
        })
    }

    fn fits(&self, text: &str) -> bool {
        self.matchers.iter().any(|matcher| matcher.fits(text))
    }
}

/// Whether an entry excludes, and the pattern behind the `!`.
fn split(text: &str) -> (bool, &str) {
    match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}
