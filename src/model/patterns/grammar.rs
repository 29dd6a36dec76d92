//! Reads the text of a pattern into its items.

/// How the text of a pattern is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grammar {
    /// As GitHub Actions reads its filters of branches, tags and paths.
    #[default]
    Filter,
    /// The name of an account or a channel: a literal, in which only `*` and `**` are special, since names such
    /// as `dependabot[bot]` are made of what is special elsewhere.
    Name,
    /// The full name of a repository: its owner, up to the last `/`, is a name, and the rest a filter.
    Repository,
}

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// One character of the set.
    One(Set),
    /// None or one character of the set.
    Maybe(Set),
    /// One character of the set or more.
    Many(Set),
    /// Any number of characters of the set.
    Any(Set),
    /// Any number of whole folders, each with its `/`: what `**/` at the start of a name stands for.
    Folders,
}

/// The characters that an item matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// This one.
    Char(char),
    /// Those of these ranges, both ends included.
    Class(Box<[(char, char)]>),
    /// All but `/`.
    NotSlash,
    /// All.
    All,
}

/// What is special in a filter, and so what a name may have a `\` in front of.
pub(super) const SPECIAL: [char; 9] = ['*', '?', '+', '[', ']', '{', '}', '!', '\\'];

/// Largest number of characters and ranges within one pair of brackets.
const RANGES: usize = 128;

/// Largest number of alternatives that `{a,b}` may stand for.
const ALTERNATIVES: usize = 64;

/// The text as a pattern that matches only itself.
pub(super) fn escaped(text: &str) -> String {
    let special = |(at, letter): (usize, char)| match letter {
        '!' => at == 0,
        letter => matches!(letter, '*' | '?' | '+' | '[' | ']' | '{' | '}' | '\\'),
    };
    let mut written = String::new();
    for (at, letter) in text.char_indices() {
        if special((at, letter)) {
            written.push('\\');
        }
        written.push(letter);
    }
    written
}

impl Grammar {
    /// The number of characters at the start of a pattern in which only `*` is special.
    pub(super) fn named(self, letters: &[char]) -> usize {
        match self {
            Self::Filter => 0,
            Self::Name => letters.len(),
            Self::Repository => {
                letters.iter().rposition(|letter| *letter == '/').map_or(0, |at| at + 1)
            }
        }
    }
}

/// Reads a pattern without its `!`.
///
/// # Errors
/// What is wrong, with a hint behind `; `.
pub(super) fn items(grammar: Grammar, text: &str) -> Result<Vec<Item>, String> {
    let letters: Vec<char> = text.chars().collect();
    let named = grammar.named(&letters);
    let mut reader = Reader { letters: &letters, at: 0, items: Vec::new() };
    while let Some(letter) = reader.next() {
        let is_name = reader.at <= named;
        match letter {
            '*' => reader.stars(is_name),
            '\\' => {
                let literal = reader.escaped(is_name)?;
                reader.literal(literal);
            }
            '?' | '+' if !is_name => reader.repeat(letter),
            '[' if !is_name => {
                let set = reader.class()?;
                reader.items.push(Item::One(set));
            }
            letter => reader.literal(letter),
        }
    }
    Ok(reader.items)
}

struct Reader<'a> {
    letters: &'a [char],
    at: usize,
    items: Vec<Item>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(letter)
    }

    fn literal(&mut self, letter: char) {
        self.items.push(Item::One(Set::Char(letter)));
    }

    /// Stars, of which the first was read. Two that begin a name and are followed by `/` stand for folders: so
    /// `**/a` matches `a`. In GitHub's examples `**/README.md` matches `README.md`.
    fn stars(&mut self, is_name: bool) {
        let first = self.at == 1 || self.letters[self.at - 2] == '/';
        let begin = self.at - 1;
        while self.peek() == Some('*') {
            self.at += 1;
        }
        let count = self.at - begin;
        if count == 1 {
            return self.any(Set::NotSlash);
        }
        let repeated = !is_name && matches!(self.letters.get(self.at + 1), Some('?' | '+'));
        if first && self.peek() == Some('/') && !repeated {
            self.at += 1;
            if self.items.last() != Some(&Item::Folders) {
                self.items.push(Item::Folders);
            }
        } else {
            self.any(Set::All);
        }
    }

    /// Stars side by side are one star, the larger of them.
    fn any(&mut self, set: Set) {
        match self.items.last_mut() {
            Some(Item::Any(last)) if *last == Set::All => {}
            Some(Item::Any(last))
                if *last == Set::NotSlash && matches!(set, Set::All | Set::NotSlash) =>
            {
                *last = set;
            }
            _ => self.items.push(Item::Any(set)),
        }
    }

    /// `?` or `+` behind an item. With nothing in front it is a character like others.
    fn repeat(&mut self, letter: char) {
        let Some(last) = self.items.pop() else { return self.literal(letter) };
        let repeated = match (last, letter) {
            (Item::One(set), '?') => Item::Maybe(set),
            (Item::One(set), _) => Item::Many(set),
            (Item::Maybe(set), '+') | (Item::Many(set), '?') => Item::Any(set),
            (other, _) => other,
        };
        self.items.push(repeated);
    }

    fn escaped(&mut self, is_name: bool) -> Result<char, String> {
        match self.peek() {
            // In a name, such as `CORP\ada`, a backslash escapes only what could be special.
            next if is_name && next.is_none_or(|next| !SPECIAL.contains(&next)) => Ok('\\'),
            Some(next) => {
                self.at += 1;
                Ok(next)
            }
            None => {
                Err("a `\\` at the end has nothing to escape; write `\\\\` for a backslash"
                    .to_owned())
            }
        }
    }

    /// The inside of brackets, of which the first was read.
    fn class(&mut self) -> Result<Set, String> {
        let mut ranges: Vec<(char, char)> = Vec::new();
        loop {
            if ranges.len() > RANGES {
                return Err(format!("brackets hold at most {RANGES} characters and ranges"));
            }
            let low = match self.next() {
                Some(']') if ranges.is_empty() => {
                    let hint = "write `\\[\\]` for brackets themselves";
                    return Err(format!("`[]` has no character; {hint}"));
                }
                Some(']') => return Ok(Set::Class(ranges.into())),
                Some('\\') => self.escaped(false)?,
                Some(letter) => letter,
                None => {
                    let hint = "close it, or write `\\[` for a bracket itself";
                    return Err(format!("a `[` is not closed; {hint}"));
                }
            };
            let high = match (self.peek(), self.letters.get(self.at + 1)) {
                (Some('-'), Some(high)) if *high != ']' => {
                    self.at += 2;
                    if *high == '\\' { self.escaped(false)? } else { *high }
                }
                _ => low,
            };
            if high < low {
                return Err(format!(
                    "the range `{low}-{high}` runs backwards; write `{high}-{low}`"
                ));
            }
            ranges.push((low, high));
        }
    }
}

/// The patterns that a filter with `{a,b}` stands for. Braces are no part of GitHub's patterns: they are still
/// read as before, until the version after this one.
pub(super) fn alternatives(grammar: Grammar, text: &str) -> Result<Vec<String>, String> {
    let letters: Vec<char> = text.chars().collect();
    let named = grammar.named(&letters);
    let mut ready = Vec::new();
    let mut open = vec![letters];
    while let Some(letters) = open.pop() {
        match group(&letters, named) {
            None => ready.push(letters.into_iter().collect()),
            Some(group) => open.extend(group.written_out(&letters).into_iter().rev()),
        }
        if ready.len() + open.len() > ALTERNATIVES {
            let hint = "write a list of patterns";
            return Err(format!("`{{…}}` has more than {ALTERNATIVES} alternatives; {hint}"));
        }
    }
    Ok(ready)
}

/// The place of a pair of braces without braces inside, and of the commas between them.
struct Group {
    open: usize,
    commas: Vec<usize>,
    close: usize,
}

impl Group {
    fn written_out(&self, letters: &[char]) -> Vec<Vec<char>> {
        let mut starts = vec![self.open + 1];
        starts.extend(self.commas.iter().map(|comma| comma + 1));
        let mut ends = self.commas.clone();
        ends.push(self.close);
        let parts = starts.into_iter().zip(ends);
        parts
            .map(|(start, end)| {
                [&letters[..self.open], &letters[start..end], &letters[self.close + 1..]].concat()
            })
            .collect()
    }
}

fn group(letters: &[char], named: usize) -> Option<Group> {
    let mut found: Option<Group> = None;
    let mut in_class = false;
    let mut at = named;
    while let Some(letter) = letters.get(at) {
        match letter {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '{' => found = Some(Group { open: at, commas: Vec::new(), close: at }),
            ',' => found.iter_mut().for_each(|group| group.commas.push(at)),
            '}' => {
                if let Some(group) = found.take() {
                    return Some(Group { close: at, ..group });
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}
