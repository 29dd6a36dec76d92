//! Finds a source's own secrets in its requests. A sender may repeat a secret in a header, in the query string
//! or in the body; what is kept and shown must not contain it.
//!
//! One pass over a text looks for all secrets, in every form in which a request usually carries text: as it is,
//! escaped in JSON or for an address, in hex, and in base64 as a part of something longer. Secrets of fewer than
//! [`SHORTEST`] bytes are not looked for, since they occur in any text by accident.

use std::collections::BTreeSet;
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::grams::Grams;
use super::unescape::{Unescaped, unescaped};

use crate::model::Secret;

/// Length in bytes of the shortest secret, or form of one, that is looked for.
pub const SHORTEST: usize = 8;
/// Length in bytes of the shortest secret, or form of one, that is looked for in requests of sources to which it
/// does not belong. A shorter one may be a word that other senders use.
const SHORTEST_OF_OTHERS: usize = 16;
/// Stands in a kept text where a secret was. It is valid in JSON strings, forms and headers.
pub const REMOVED: &str = "[redacted]";

/// Looks for some secrets.
#[derive(Default)]
pub struct SecretFinder {
    /// None where no secret is long enough.
    forms: Option<AhoCorasick>,
    /// Of each form, the index of its secret and what replaces it.
    of_form: Vec<(usize, Vec<u8>)>,
    /// Tells of most texts that they have none of them; none where that is not asked.
    grams: Option<Grams>,
    /// Whether `grams` tells the same of the secrets of all others.
    tells_of_others: bool,
}

impl SecretFinder {
    /// A finder of these secrets, which it knows by their indexes.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        Self::of(secrets, SHORTEST, |_| None)
    }

    /// A finder of these secrets, which can tell of most texts in one pass that they have neither one of them nor
    /// one that `others` looks for.
    pub fn beside<'s>(others: &Self, secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let with = |forms: &[Vec<u8>]| {
            others.grams.as_ref()?.with(forms.iter().map(Vec::as_slice), SHORTEST_OF_OTHERS)
        };
        let finder = Self::of(secrets, SHORTEST, with);
        Self { tells_of_others: finder.grams.is_some(), ..finder }
    }

    /// A finder of these secrets, which may be many, in requests of sources to which they do not belong. It
    /// hardly costs anything where a text has none.
    pub fn of_others<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        Self::of(secrets, SHORTEST_OF_OTHERS, |forms| {
            Grams::of(forms.iter().map(Vec::as_slice), SHORTEST_OF_OTHERS)
        })
    }

    fn of<'s>(
        secrets: impl IntoIterator<Item = &'s Secret>,
        shortest: usize,
        grams: impl FnOnce(&[Vec<u8>]) -> Option<Grams>,
    ) -> Self {
        let (mut patterns, mut of_form) = (BTreeSet::new(), Vec::new());
        let mut ordered = Vec::new();
        for (index, secret) in secrets.into_iter().enumerate() {
            let bytes = secret.expose();
            if bytes.len() < shortest {
                continue;
            }
            for form in forms(bytes).into_iter().filter(|form| form.len() >= shortest) {
                if patterns.insert(form.clone()) {
                    of_form.push((index, replacement(&form)));
                    ordered.push(form);
                }
            }
        }
        let build =
            || AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&ordered).ok();
        let forms = (!ordered.is_empty()).then(build).flatten();
        Self { forms, of_form, grams: grams(&ordered), tells_of_others: false }
    }

    /// The text without the secrets; none where it has none. Adds the indexes of those that it has to `found`.
    ///
    /// Letters may be escaped that need not be, in JSON and in addresses. So a text with numeric escapes is
    /// searched once more, as it reads without them.
    pub fn without(&self, text: &[u8], found: &mut BTreeSet<usize>) -> Option<Vec<u8>> {
        if self.forms.is_none() || !self.may_be_in(text) {
            return None;
        }
        let clean = self.without_forms(text, found);
        let escaped = self.without_escaped(clean.as_deref().unwrap_or(text), found);
        escaped.or(clean)
    }

    /// Whether it is plain that the text has neither one of these secrets nor one of the others that this was
    /// made [beside](Self::beside).
    pub fn tells_of_none(&self, text: &[u8]) -> bool {
        self.tells_of_others && !self.may_be_in(text)
    }

    /// False where it is plain that the text has none of the secrets.
    fn may_be_in(&self, text: &[u8]) -> bool {
        self.grams.as_ref().is_none_or(|grams| {
            grams.may_be_in(text)
                || unescaped(text).is_some_and(|unescaped| grams.may_be_in(&unescaped.read))
        })
    }

    fn without_escaped(&self, text: &[u8], found: &mut BTreeSet<usize>) -> Option<Vec<u8>> {
        let forms = self.forms.as_ref()?;
        let Unescaped { read, starts } = unescaped(text)?;
        let mut matches = forms.find_iter(&read).peekable();
        matches.peek()?;
        let (mut clean, mut done) = (Vec::with_capacity(text.len()), 0);
        for place in matches {
            found.insert(self.of_form[place.pattern().as_usize()].0);
            clean.extend_from_slice(&text[done..starts[place.start()]]);
            clean.extend_from_slice(REMOVED.as_bytes());
            done = starts[place.end()];
        }
        clean.extend_from_slice(&text[done..]);
        Some(clean)
    }

    fn without_forms(&self, text: &[u8], found: &mut BTreeSet<usize>) -> Option<Vec<u8>> {
        let forms = self.forms.as_ref()?;
        let mut matches = forms.find_iter(text).peekable();
        matches.peek()?;
        let (mut clean, mut done) = (Vec::with_capacity(text.len()), 0);
        for place in matches {
            let (secret, replacement) = &self.of_form[place.pattern().as_usize()];
            found.insert(*secret);
            clean.extend_from_slice(&text[done..place.start()]);
            clean.extend_from_slice(replacement);
            done = place.end();
        }
        clean.extend_from_slice(&text[done..]);
        Some(clean)
    }
}

impl fmt::Debug for SecretFinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretFinder([redacted])")
    }
}

/// What replaces a form. A number stays a number, since JSON may hold one without quotes.
fn replacement(form: &[u8]) -> Vec<u8> {
    if !form.iter().all(u8::is_ascii_digit) {
        return REMOVED.into();
    }
    let digit = if form.iter().all(|digit| *digit == b'9') { b'8' } else { b'9' };
    vec![digit; form.len()]
}

fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec(), hex::encode(secret).into_bytes()];
    if let Ok(text) = str::from_utf8(secret) {
        forms.extend(in_json(text).map(String::into_bytes));
    }
    for (space, upper) in [("%20", true), ("%20", false), ("+", true), ("+", false)] {
        forms.push(in_address(secret, space, upper));
    }
    for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|before| in_base64(&alphabet, secret, before)));
    }
    forms
}

/// As JSON strings carry it: with the least escapes; with slashes escaped too; with what HTML gives a meaning,
/// and letters outside of ASCII, as numbers.
fn in_json(text: &str) -> [String; 3] {
    let quoted = serde_json::Value::from(text).to_string();
    let plain = quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
    let slashes = plain.replace('/', "\\/");
    let mut numbers = String::new();
    for letter in plain.chars() {
        if letter.is_ascii() && !matches!(letter, '<' | '>' | '&') {
            numbers.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                numbers.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    [plain, slashes, numbers]
}

fn in_address(secret: &[u8], space: &str, upper: bool) -> Vec<u8> {
    let mut text = String::with_capacity(secret.len());
    for byte in secret {
        match byte {
            b' ' => text.push_str(space),
            _ if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => {
                text.push(char::from(*byte));
            }
            _ if upper => text.push_str(&format!("%{byte:02X}")),
            _ => text.push_str(&format!("%{byte:02x}")),
        }
    }
    text.into_bytes()
}

/// The part of the secret's base64 that does not depend on the bytes before and after it. `before` is the
/// number of bytes that precede it in its first group of three.
fn in_base64(alphabet: &GeneralPurpose, secret: &[u8], before: usize) -> Vec<u8> {
    let bytes = [&[0; 2][..before], secret].concat();
    let whole = bytes.len() * 8 / 6;
    let first = (before * 8).div_ceil(6);
    let encoded = alphabet.encode(bytes);
    encoded.get(first..whole).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn clean(secrets: &[&str], text: &str) -> (String, Vec<usize>) {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        let mut found = BTreeSet::new();
        let clean = SecretFinder::new(&secrets).without(text.as_bytes(), &mut found);
        let clean =
            clean.map_or_else(|| text.to_owned(), |clean| String::from_utf8(clean).expect("text"));
        (clean, found.into_iter().collect())
    }

    #[test]
    fn a_secret_is_removed_in_every_form_and_the_rest_stays() {
        let secret = "c\"anary/with <&> ümlaut";
        let quoted = serde_json::to_string(secret).expect("JSON");
        let quoted = quoted.trim_matches('"').to_owned();
        for form in [
            secret.to_owned(),
            quoted.replace('/', "\\/"),
            quoted
                .replace('<', "\\u003c")
                .replace('&', "\\u0026")
                .replace('>', "\\u003e")
                .replace('ü', "\\u00fc"),
            "c%22anary%2Fwith%20%3C%26%3E%20%C3%BCmlaut".to_owned(),
            "c%22anary%2fwith+%3c%26%3e+%c3%bcmlaut".to_owned(),
            hex::encode(secret),
            quoted,
        ] {
            let (kept, found) = clean(&["another secret", secret], &format!("before {form} after"));
            assert_eq!(kept, "before [redacted] after", "{form}");
            assert_eq!(found, [1]);
        }
        for before in ["", "x", "xy"] {
            let whole = BASE64_STANDARD.encode(format!("{before}{secret}yz"));
            let (kept, _) = clean(&[secret], &whole);
            assert!(kept.len() < 20, "{kept}");
        }
    }

    #[test]
    fn a_secret_of_digits_leaves_a_number_behind() {
        let (kept, _) = clean(&["1234567890"], r#"{"id": 1234567890}"#);
        assert_eq!(kept, r#"{"id": 9999999999}"#);
    }

    #[test]
    fn short_secrets_are_not_looked_for() {
        assert_eq!(
            clean(&["push", "1234567"], "a push of 1234567"),
            ("a push of 1234567".to_owned(), vec![])
        );
    }

    #[test]
    fn of_two_secrets_that_begin_alike_the_longer_is_removed() {
        let (kept, found) =
            clean(&["correct-horse", "correct-horse-battery"], "a correct-horse-battery b");
        assert_eq!((kept.as_str(), found), ("a [redacted] b", vec![1]));
    }

    #[test]
    fn a_secret_whose_letters_are_escaped_though_they_need_not_be_is_removed() {
        let secret = "gh+secret/0123=XYZü";
        let numbers: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        let percents: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for form in [
            secret.replace('+', "\\u002B"),
            secret.replace('=', "\\u003d").replace('/', "\\/"),
            secret.replace('s', "%73"),
            numbers,
            percents,
        ] {
            let (kept, found) = clean(&[secret], &format!("\\u00e4 {form} after %zz \\"));
            assert_eq!(kept, "\\u00e4 [redacted] after %zz \\", "{form}");
            assert_eq!(found, [0]);
        }
    }

    #[test]
    fn where_one_pass_tells_of_own_and_other_secrets_none_of_them_is_missed() {
        let secrets = |texts: &[&'static str]| -> Vec<Secret> {
            texts.iter().map(|text| Secret::new(*text)).collect()
        };
        let (own, other) = ("own+secret/0123456", "another secret of 27 bytes.");
        let others = SecretFinder::of_others(&secrets(&[other]));
        let finder = SecretFinder::beside(&others, &secrets(&[own]));
        assert!(finder.tells_of_none(b"a text of some length, with neither of the two in it"));
        for secret in [own, other] {
            for form in forms(secret.as_bytes()) {
                let text = [b"before ", &form[..], b" after"].concat();
                assert!(!finder.tells_of_none(&text), "{}", String::from_utf8_lossy(&text));
            }
            let escaped: String = secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
            assert!(!finder.tells_of_none(escaped.as_bytes()), "{escaped}");
        }
        // A short one is looked for by itself.
        let short = SecretFinder::beside(&others, &secrets(&["8 bytes."]));
        assert!(!short.tells_of_none(b"neither"));
    }

    proptest! {
        /// A secret of which any letters are escaped is removed, and JSON stays JSON.
        #[test]
        fn json_with_a_secret_escaped_anyhow_stays_json_without_it(
            secret in "[A-Za-z0-9+/=_.:-]{8,30}",
            escaped in prop::collection::vec(any::<bool>(), 30),
        ) {
            let form: String = secret
                .chars()
                .zip(escaped)
                .map(|(letter, is_escaped)| match is_escaped {
                    true => format!("\\u{:04x}", u32::from(letter)),
                    false => letter.to_string(),
                })
                .collect();
            let body = format!(r#"{{"a":"\n\u00e4 {form} \\"}}"#);
            let (kept, found) = clean(&[&secret], &body);
            prop_assert_eq!(found, vec![0]);
            let back: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
            prop_assert!(!back["a"].as_str().expect("text").contains(&secret));
        }

        #[test]
        fn json_with_a_secret_anywhere_stays_json_without_it(
            secret in "[ -~ä€]{8,30}",
            before in "\\PC{0,10}",
            after in "\\PC{0,10}",
        ) {
            let body = serde_json::json!({ "a": [format!("{before}{secret}{after}"), 1] }).to_string();
            let (kept, found) = clean(&[&secret], &body);
            prop_assert_eq!(found, vec![0]);
            let back: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
            prop_assert!(!back["a"][0].as_str().expect("text").contains(&secret));
        }
    }
}
