//! Decides which words of a configuration a report may show. Whatever could be a secret is left out: a
//! secret may stand in any place by mistake, and a report may go to a log that others read.
//!
//! A text is looked at piece by piece (pieces are what white space, quotes and brackets separate). A piece
//! is shown if each of its words may be shown. Otherwise the whole piece is hidden, so that no part of a
//! secret is left.
//!
//! The rules know the words of the program, the names that are declared, and what is nearly one of these. Of the
//! rest they judge the shape, which cannot tell every secret from a name: `swordfish` may be either.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;

use super::HIDDEN;
use crate::config::similar::similar;
use crate::event::{
    COMMAND_FIELDS, DELIVERY_FIELDS, EVENT_FIELDS, GIT_FIELDS, PULL_REQUEST_FIELDS, VARIABLES,
};
use crate::model::{NEWLY_RESERVED, RESERVED};
use crate::providers;

/// The longest word that is taken for a plain one, in characters.
const LONGEST_WORD: usize = 16;
/// The longest name that is shown, in bytes.
const LONGEST_NAME: usize = 40;
/// The longest piece that is shown, in bytes. Addresses and patterns are shorter.
const LONGEST_PIECE: usize = 80;
/// The most digits that a piece may have: those of an IPv4 address and its prefix.
const MOST_DIGITS: usize = 14;
/// Punctuation that may stand in a piece together with words.
const WITHIN: &str = "./-_:*=<>&|!$+?";
/// Units that may follow a number.
const UNITS: [&str; 13] =
    ["ms", "s", "m", "h", "d", "b", "kib", "mib", "gib", "kb", "mb", "gb", "x"];

/// How much of a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Show {
    /// Words of the program, declared names, and small numbers.
    Known,
    /// Those, and short plain words, of the kind that a misspelt name is.
    Plain,
}

/// What may be shown of one file.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct Reveal {
    /// Declared names that look like names.
    names: BTreeSet<String>,
}

/// How texts begin that people give to keys of services. No misspelt name does, unless it is nearly a declared one.
const SOUNDS: [&str; 9] =
    ["apikey", "api", "key", "secret", "token", "password", "passwd", "pwd", "bearer"];
/// The least number of groups of characters of one length that look like a serial number, and their least length.
const SERIAL: (usize, usize) = (3, 4);

impl Reveal {
    /// Allows these names, as far as they look like names and not like keys.
    pub(in crate::config) fn know<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.names.extend(names.into_iter().filter(|name| is_name(name)).map(str::to_owned));
    }

    /// Allows these paths of files.
    pub(in crate::config) fn know_paths(&mut self, paths: Vec<String>) {
        self.names.extend(paths);
    }

    /// A message without what it must not show.
    pub(super) fn message(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for piece in pieces(text) {
            let part = &text[piece.range];
            let good = !piece.words || self.allows(part, Show::Plain);
            shown.push_str(if good { part } else { HIDDEN });
        }
        shown
    }

    /// Whether a piece may be shown.
    pub(super) fn allows(&self, piece: &str, show: Show) -> bool {
        let bare = piece.trim_start_matches(['!', '-', '$']).trim_end_matches([':', '.', '!', '…']);
        if self.names.contains(bare) || PIECES.contains(&bare) || is_of_a_reserved_family(bare) {
            return true;
        }
        let mut words = piece.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        if words.clone().next().is_none() {
            return piece.len() <= 6 && (piece == "---" || !piece.contains("---"));
        }
        let ordinary = |c: char| c.is_alphanumeric() || !c.is_ascii() || WITHIN.contains(c);
        let digits = piece.chars().filter(char::is_ascii_digit).count();
        piece.len() <= LONGEST_PIECE
            && piece.chars().all(ordinary)
            && !piece.contains("---")
            && digits <= MOST_DIGITS
            && (words.all(|word| self.names.contains(word) || may_show(word, show))
                || (show == Show::Plain && self.is_nearly_a_name(bare)))
            && (show == Show::Known || !resembles_a_key(bare))
    }

    /// Whether a text is a name of several words, or nearly a declared one.
    fn is_nearly_a_name(&self, text: &str) -> bool {
        let lawful =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        text.bytes().all(lawful)
            && is_name(text)
            && (text.contains(['-', '_'])
                || similar(text, self.names.iter().map(String::as_str)).is_some())
    }
}

/// Whether a text of several words is shaped like the key of a service: it begins like one, or is a row of groups
/// of one length, and has a word that the program does not use.
fn resembles_a_key(piece: &str) -> bool {
    let words: Vec<&str> =
        piece.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let Some((first, rest)) = words.split_first() else { return false };
    // An address or a path has its own marks, and is judged by its words.
    if rest.is_empty() || piece.contains(['/', '.', '=', '*']) {
        return false;
    }
    let unknown = rest.iter().filter(|word| !is_known(word) && !is_number(word)).count();
    (SOUNDS.contains(&&*first.to_ascii_lowercase()) && unknown > 0) || is_serial(piece)
}

fn may_show(word: &str, show: Show) -> bool {
    let single = word.chars().nth(1).is_none();
    single || is_known(word) || is_number(word) || (show == Show::Plain && is_plain(word))
}

/// Whether a text is a word that the program itself uses: a key, a word of an enumeration, a provider, a
/// field, or a word of the documentation of keys.
pub(in crate::config) fn is_known(word: &str) -> bool {
    VOCABULARY.contains(&*word.to_ascii_lowercase())
}

/// A short number, or one with a unit.
fn is_number(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let unit = word[digits..].to_ascii_lowercase();
    (1..=5).contains(&digits) && (unit.is_empty() || UNITS.contains(&&*unit))
}

/// A short word that can be pronounced. A random text of letters mostly cannot.
fn is_plain(word: &str) -> bool {
    let count = word.chars().count();
    let lower = word.chars().filter(|c| c.is_lowercase()).count();
    let upper = word.chars().filter(|c| c.is_uppercase()).count();
    let first = word.chars().next().is_some_and(char::is_uppercase);
    let one_case = upper == 0 || lower == 0 || (first && upper == 1);
    let vowel = |c: &char| !c.is_ascii() || "aeiouyAEIOUY".contains(*c);
    let letters: Vec<char> = word.chars().collect();
    let spoken = letters.windows(6).all(|part| part.iter().any(vowel))
        && (count < 6 || letters.iter().any(vowel));
    count <= LONGEST_WORD && word.chars().all(char::is_alphabetic) && one_case && spoken
}

/// Whether a text looks like a name that a person gave, and not like a key: its words are plain, or short
/// numbers, or end in a short number.
pub(crate) fn is_name(text: &str) -> bool {
    let kinds: [fn(&u8) -> bool; 3] =
        [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
    let mixed = kinds.iter().all(|kind| text.bytes().any(|byte| kind(&byte)));
    // Short words with digits in them may stand in a name once, as in `us-east-1a`; a key may have many.
    let odd = |word: &&str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        word.len() > 1 && !is_known(word) && !is_number(word) && !is_plain(letters)
    };
    let of_a_name = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = word.len() - letters.len();
        let ends = if letters.is_empty() { digits <= 8 } else { digits <= 3 };
        word.len() <= 4 || is_known(word) || (ends && (letters.is_empty() || is_spoken(letters)))
    };
    !text.is_empty()
        && text.len() <= LONGEST_NAME
        && !mixed
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && text.split(['-', '_', '.']).all(of_a_name)
        && text.split(['-', '_', '.']).filter(|word| !word.is_empty()).filter(odd).count() <= 2
        && !is_serial(text)
}

/// Whether a text is a row of groups of one length, none of them a word of the program.
fn is_serial(text: &str) -> bool {
    let words: Vec<&str> = text.split(['-', '_', '.']).collect();
    let (groups, least) = SERIAL;
    words.len() >= groups
        && words[0].len() >= least
        && words.iter().all(|word| word.len() == words[0].len() && !is_known(word))
}

/// Whether a text looks like the path of a file: it has several parts, each like a name.
pub(in crate::config) fn is_path(text: &str) -> bool {
    let mut parts = text.split('/').filter(|part| !part.is_empty());
    let plain = |part: &str| part == "." || part == ".." || is_name(part.trim_start_matches('.'));
    text.contains('/') && text.len() <= LONGEST_PIECE && parts.all(plain)
}

fn is_spoken(letters: &str) -> bool {
    is_plain(letters) || (letters.len() <= 6 && letters.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// A part of a text.
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    /// Whether it may hold words; otherwise it is white space, quotes and brackets.
    pub(super) words: bool,
}

/// Divides a text into pieces and what separates them.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let words = !separates(rest.chars().next()?);
        let length = rest.find(|c| separates(c) == words).unwrap_or(rest.len());
        let range = at..at + length;
        at += length;
        Some(Piece { range, words })
    })
}

fn separates(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "{}[](),;\"'`‹›".contains(c)
}

/// Pieces that hints of the program contain, and that are not made of known words.
const PIECES: [&str; 3] = [
    "postgres://gateway@db.example.com/gateway",
    "postgres://user@host/database",
    "postgres://user@host/db",
];

/// Words that messages use and the descriptions of keys do not.
const WORDS: &str = "http https yaml json utf rfc cdsw cdswgateway sqlite mib kib gib hidden oidc jwt jwks pem der \
    hs256 hs384 hs512 rs256 rs384 rs512 ps256 ps384 ps512 es256 es384 es512 eddsa ed25519 x509 hmac sha1 sha256 \
    sha384 sha512 md5 base64 base64url 1000000 size has matches contains startswith endswith exists map filter all \
    double string timestamp duration true false null src dst ctrl ghcr html xml csv sql lengths dangerously \
    unauthenticated ‹hidden›";

/// Every word that the program itself uses in a configuration, in lower case.
static VOCABULARY: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let mut words = HashSet::new();
    let mut add = |text: &str| {
        let each = text.split(|c: char| !c.is_alphanumeric());
        words.extend(each.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase));
    };
    each_text(&crate::config::schema(), &mut add);
    add(WORDS);
    each_reserved().for_each(&mut add);
    crate::config::checks::platform_words().for_each(&mut add);
    for name in providers::names() {
        add(name);
        add(providers::find(name).map_or("", |provider| provider.title()));
    }
    let fields = [
        &VARIABLES[..],
        &EVENT_FIELDS[..],
        &DELIVERY_FIELDS[..],
        &COMMAND_FIELDS[..],
        &GIT_FIELDS[..],
        &PULL_REQUEST_FIELDS[..],
    ];
    fields.into_iter().flatten().for_each(|field| add(field));
    words
});

/// What the reserved names of each family begin with.
static FAMILIES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| each_reserved().filter_map(|pattern| pattern.strip_suffix('*')).collect());

/// Whether a text is a name of a variable that a reserved pattern covers, and whose rest is plain: `PERL5LIB`.
fn is_of_a_reserved_family(text: &str) -> bool {
    let lawful = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    // A report judges each piece of a line, of which there may be many.
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(lawful)
        && FAMILIES.iter().filter_map(|family| text.strip_prefix(family)).any(|rest| {
            let mut words = rest.split('_').filter(|word| !word.is_empty());
            words.all(|word| may_show(word, Show::Plain))
        })
}

/// The names of variables that are reserved: reports quote them.
fn each_reserved() -> impl Iterator<Item = &'static str> {
    RESERVED.into_iter().chain(NEWLY_RESERVED.iter().flat_map(|family| family.names()))
}

fn each_text(value: &Value, add: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, add)),
        Value::Object(entries) => entries.iter().for_each(|(key, inner)| {
            add(key);
            each_text(inner, add);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts that could be secrets, of several senders and services.
    const KEYS: [&str; 16] = [
        "q83v+EjRVnmJmrze8BI0VniavN7wEjRWeJq83vAS=",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "APIKEY-4F2A9C7731D8",
        "hunter2-Xy",
        "hunter2",
        "Tr0ub4dor&3",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "mfrggzdfmztwq2lk",
        "xkcdqwrtzpsdfghj",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
        "p@ss!w0rd",
    ];

    #[test]
    fn what_could_be_a_key_is_hidden_wherever_it_stands_in_a_text() {
        let reveal = Reveal::default();
        for key in KEYS {
            for text in [key.to_owned(), format!("there is no job `{key}`"), format!("x {key}: y")]
            {
                let shown = reveal.message(&text);
                assert!(!shown.contains(key) && shown.contains(HIDDEN), "{shown}");
            }
            assert!(!is_name(key) || key == "hunter2", "{key}");
        }
    }

    #[test]
    fn keys_names_patterns_and_addresses_are_shown() {
        let mut reveal = Reveal::default();
        reveal.know(["retrain-v2", "s3-export"]);
        for text in [
            "there is no job `retrian` (did you mean `retrain-v2`?)",
            "unknown variable `boddy`",
            "`10.1.2.3/8` has bits set beyond its prefix",
            "write `release/**`, or 30s, 64KiB and 60/m",
            "https://cdsw.example.com/alice/risk-analysis/jobs/208",
            "write { env: NAME }, { file: /path } or { command: [program, argument] }",
            "`日本語` and `rétrain` cannot be names",
        ] {
            assert_eq!(reveal.message(text), text);
        }
    }

    #[test]
    fn what_is_shaped_like_the_key_of_a_service_is_hidden_also_where_each_word_is_plain() {
        let reveal = Reveal::default();
        for key in [
            "APIKEY-HARBOUR-SEVEN",
            "apikey-alice-swordfish",
            "SECRET-ALPHA-SEVEN",
            "ABCD-EFGH-IJOL-MNOP",
            "4f2a-9c77-31d8-b0e5",
            "ABCD-EFGH-IJOL-MNOP:",
        ] {
            assert!(!reveal.allows(key, Show::Plain), "{key}");
            assert!(!reveal.allows(key, Show::Known), "{key}");
        }
    }

    #[test]
    fn names_that_are_not_declared_are_shown_where_they_are_shaped_like_names() {
        let mut reveal = Reveal::default();
        reveal.know(["retrain", "refresh-token"]);
        for text in [
            "there is no job `retrain-v2x` (did you mean `retrain`?)",
            "there is no job `retrain2`",
            "there is no job `refresh-tokn`",
            "there is no job `us-east-1a`",
            "there is no job `nightly-scoring-2026`",
            "`PERL5LIB` is reserved (as `PERL5*`)",
            "add `required_claims: { oidc.circleci.com/org-id: x }`",
            "source `a` believes everyone on token.actions.githubusercontent.com: its tokens",
            "claims that name an owner: terraform_organization_name, https://pulumi.com/org_id, sub",
        ] {
            assert_eq!(reveal.message(text), text);
        }
        assert!(!reveal.allows("hunter2", Show::Plain));
    }

    #[test]
    fn outside_of_what_is_meant_only_known_words_are_shown() {
        let reveal = Reveal::default();
        assert!(reveal.allows("workbench:", Show::Known) && reveal.allows("208", Show::Known));
        assert!(
            !reveal.allows("swordfish", Show::Known) && reveal.allows("swordfish", Show::Plain)
        );
    }

    #[test]
    fn a_name_is_short_and_of_words() {
        for name in ["retrain", "risk-2026", "s3-export", "GITHUB_WEBHOOK_SECRET", "a", "key.pem"] {
            assert!(is_name(name), "{name}");
        }
        for key in ["", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "a b", "zz".repeat(30).as_str()]
        {
            assert!(!is_name(key), "{key}");
        }
    }
}
