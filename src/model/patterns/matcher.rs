//! Matches a text against the items of a pattern, in time that grows with the length of the text alone.
//!
//! The items between the literal start and the literal end are an automaton whose states are the bits of one
//! number: each character of the text costs a few operations, whatever pattern and text are.

use super::grammar::{Item, Set};

/// Largest number of items between the literal start and the literal end: one bit is the final state.
const ITEMS: usize = 127;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    start: Box<str>,
    end: Box<str>,
    /// What lies between. `None` for a literal, whose `end` is empty.
    between: Option<Box<Automaton>>,
}

/// State `i` is the bit `1 << i`: the items before the `i`th are matched.
#[derive(Clone, Debug, Default)]
struct Automaton {
    /// The number of items, and so the final state.
    items: u32,
    /// Items that are matched any number of times: a character leads back to them.
    repeated: u128,
    /// Items that may be left out.
    optional: u128,
    /// The first half of folders, which may be left out together with the second.
    folders: u128,
    /// The items that match each of these characters, in order of the character.
    literals: Box<[(char, u128)]>,
    /// The items that match each of these ranges.
    ranges: Box<[(char, char, u128)]>,
    /// The items that match all characters but `/`.
    not_slash: u128,
    /// The items that match every character.
    all: u128,
    /// Whether the rest of a text may be anything once the final state is reached.
    open_end: bool,
}

impl Matcher {
    /// Compiles the items of a pattern.
    ///
    /// # Errors
    /// What is wrong, with a hint behind `; `.
    pub(super) fn new(items: &[Item]) -> Result<Self, String> {
        let literal = |item: &Item| match item {
            Item::One(Set::Char(letter)) => Some(*letter),
            _ => None,
        };
        let start: String = items.iter().map_while(literal).collect();
        let rest = &items[start.chars().count()..];
        if rest.is_empty() {
            return Ok(Self { start: start.into(), end: "".into(), between: None });
        }
        let end: Vec<char> = rest.iter().rev().map_while(literal).collect();
        let between = Automaton::new(&rest[..rest.len() - end.len()])?;
        let end: String = end.into_iter().rev().collect();
        Ok(Self { start: start.into(), end: end.into(), between: Some(Box::new(between)) })
    }

    /// The only text that it matches, where it is a literal.
    pub(super) fn literal(&self) -> Option<&str> {
        self.between.is_none().then_some(&self.start)
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        match &self.between {
            None => *self.start == *text,
            Some(automaton) => text
                .strip_prefix(&*self.start)
                .and_then(|rest| rest.strip_suffix(&*self.end))
                .is_some_and(|between| automaton.fits(between)),
        }
    }
}

impl Automaton {
    fn new(items: &[Item]) -> Result<Self, String> {
        let mut made = Self::default();
        let mut literals: Vec<(char, u128)> = Vec::new();
        let mut ranges = Vec::new();
        for item in items {
            let width = if matches!(item, Item::Folders | Item::Many(_)) { 2 } else { 1 };
            if made.items as usize + width > ITEMS {
                let hint = "write several shorter ones";
                return Err(format!("it has more than {ITEMS} characters between its `*`; {hint}"));
            }
            let bit = 1u128 << made.items;
            made.items += u32::try_from(width).unwrap_or_default();
            let (set, bits) = match item {
                Item::One(set) => (set, bit),
                Item::Maybe(set) => {
                    made.optional |= bit;
                    (set, bit)
                }
                Item::Any(set) => {
                    made.optional |= bit;
                    made.repeated |= bit;
                    (set, bit)
                }
                // One, and then any number.
                Item::Many(set) => {
                    made.optional |= bit << 1;
                    made.repeated |= bit << 1;
                    (set, bit | (bit << 1))
                }
                Item::Folders => {
                    made.folders |= bit;
                    made.repeated |= bit << 1;
                    (&Set::All, bit | (bit << 1))
                }
            };
            match set {
                Set::All => made.all |= bits,
                Set::NotSlash => made.not_slash |= bits,
                Set::Class(of) => ranges.extend(of.iter().map(|(low, high)| (*low, *high, bits))),
                Set::Char(letter) => match literals.iter_mut().find(|(known, _)| known == letter) {
                    Some((_, known)) => *known |= bits,
                    None => literals.push((*letter, bits)),
                },
            }
        }
        literals.sort_unstable();
        made.literals = literals.into();
        made.ranges = ranges.into();
        made.open_end = items.last() == Some(&Item::Any(Set::All));
        Ok(made)
    }

    fn fits(&self, text: &str) -> bool {
        let done = 1u128 << self.items;
        let mut states = self.without_characters(1);
        for letter in text.chars() {
            if self.open_end && states & done != 0 {
                return true;
            }
            let matched = states & self.matching(letter);
            let mut next = (matched & self.repeated) | ((matched & !self.repeated) << 1);
            if letter == '/' {
                next |= (matched & (self.folders << 1)) << 1;
            }
            if next == 0 {
                return false;
            }
            states = self.without_characters(next);
        }
        states & done != 0
    }

    /// The items that match this character.
    fn matching(&self, letter: char) -> u128 {
        let mut bits = self.all;
        if letter != '/' {
            bits |= self.not_slash;
        }
        if let Ok(found) = self.literals.binary_search_by_key(&letter, |(known, _)| *known) {
            bits |= self.literals[found].1;
        }
        for (low, high, bit) in &self.ranges {
            if (*low..=*high).contains(&letter) {
                bits |= bit;
            }
        }
        bits
    }

    /// These states, and those that they lead to without a character. Folders stand at the start of a name,
    /// that is behind a `/` or at the start, so no other folders follow without a character.
    fn without_characters(&self, states: u128) -> u128 {
        let states = self.over_optional(states);
        self.over_optional(states | ((states & self.folders) << 2))
    }

    /// A run of optional items is a run of ones. Adding a state within it carries a one to its end, so that
    /// all bits from the state to the end of the run are changed, and no others.
    fn over_optional(&self, states: u128) -> u128 {
        states | (self.optional.wrapping_add(states & self.optional) ^ self.optional)
    }
}
