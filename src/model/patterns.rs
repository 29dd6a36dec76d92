//! Lists of literals and globs, with the rules of GitHub Actions' filters: the last entry that fits decides,
//! and an entry that begins with `!` excludes. `*` matches within a path segment, `**` across segments.

use std::fmt;
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

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
    text: String,
    excludes: bool,
    fits: Fits,
}

#[derive(Clone, Debug)]
enum Fits {
    Literal(String),
    Glob(Box<GlobMatcher>),
}

impl Patterns {
    /// Compiles a list.
    ///
    /// # Errors
    /// One fault for each entry that is empty or not a valid glob; else one, where the list can never match.
    pub fn parse(texts: &[String]) -> Result<Self, Vec<PatternFault>> {
        let mut faults = Vec::new();
        let mut entries = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match Entry::parse(text) {
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
            .map(|entry| match &entry.fits {
                Fits::Literal(text) => Some(text.as_str()),
                Fits::Glob(_) => None,
            })
            .collect()
    }
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
    fn parse(text: &str) -> Result<Self, String> {
        let (excludes, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if text.is_empty() {
            return Err("an empty pattern never matches; remove it".to_owned());
        }
        let fits = if text.contains(['*', '?', '[', '{', '\\']) {
            let glob = GlobBuilder::new(text)
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|error| format!("`{text}` is not a pattern: {}", error.kind()))?;
            Fits::Glob(Box::new(glob.compile_matcher()))
        } else {
            Fits::Literal(text.to_owned())
        };
        Ok(Self { text: text.to_owned(), excludes, fits })
    }

    fn fits(&self, text: &str) -> bool {
        match &self.fits {
            Fits::Literal(literal) => literal == text,
            Fits::Glob(glob) => glob.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Patterns {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Patterns::parse(&texts).expect("valid patterns")
    }

    #[test]
    fn a_star_stays_within_a_segment_and_two_do_not() {
        assert!(patterns(&["release/*"]).pass("release/1"));
        assert!(!patterns(&["release/*"]).pass("release/1/hotfix"));
        assert!(patterns(&["release/**"]).pass("release/1/hotfix"));
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let markdown = patterns(&["models/**", "!**/*.md", "models/KEEP.md"]);
        assert!(markdown.pass("models/a/b.py"));
        assert!(!markdown.pass("models/a/b.md"));
        assert!(markdown.pass("models/KEEP.md"));
        assert!(!markdown.pass("docs/a.py"));
    }

    #[test]
    fn a_thing_of_two_names_passes_by_either_unless_one_is_excluded() {
        let not_general = patterns(&["**", "!general"]);
        assert!(not_general.pass_any(["C1", "ml"]));
        assert!(!not_general.pass_any(["C1", "general"]));
        assert!(patterns(&["ml"]).pass_any(["C1", "ml"]));
        assert!(!patterns(&["ml"]).pass_any(["C1", "other"]));
        assert!(!patterns(&["**"]).pass_any([]));
    }

    #[test]
    fn a_list_that_can_never_pass_is_refused() {
        let only_not = Patterns::parse(&["!main".to_owned()]).expect_err("never matches");
        assert!(only_not[0].message.contains("**"), "{}", only_not[0].message);
        assert!(Patterns::parse(&[]).is_err());
        assert!(Patterns::parse(&[String::new()]).is_err());
        assert!(Patterns::parse(&["[".to_owned()]).is_err());
    }

    #[test]
    fn literals_are_known_only_when_no_glob_can_pass() {
        assert_eq!(patterns(&["a", "b", "!c*"]).literals(), Some(vec!["a", "b"]));
        assert_eq!(patterns(&["a", "b*"]).literals(), None);
    }
}
