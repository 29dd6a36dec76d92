//! The encoded forms in which a reply can contain a key. Escapes are not among them; `view` undoes those.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::find::Needle;
use super::view::is_blank;
use crate::workbench::credential::Credential;

/// Shortest form that is searched for, in bytes: a shorter one occurs in any text by accident.
const LEAST: usize = 8;

/// All forms: the key as it is, in hex, in base64 as a part of something longer, and the Basic credentials
/// that were sent.
pub(super) fn forms(credential: &Credential) -> Vec<Needle> {
    let key = credential.key().expose();
    let without_blanks = |bytes: &[u8]| -> Vec<u8> {
        // A buffer that grows leaves copies of the key behind.
        let mut plain = Vec::with_capacity(bytes.len());
        plain.extend(bytes.iter().copied().filter(|byte| !is_blank(*byte)));
        plain
    };
    let plain = without_blanks(key);
    let any_case = plain.len() >= LEAST;
    let mut derived = vec![Needle::new(hex::encode(key).into_bytes(), true)];
    if key.len() * 2 < LEAST {
        derived.clear();
    }
    for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        let mut encoded: Vec<String> =
            (0..3).map(|before| within(&alphabet, key, before)).collect();
        if matches!(credential, Credential::Basic(_)) {
            encoded.push(basic(&alphabet, key));
        }
        encoded.retain(|text| text.len() >= LEAST);
        derived.extend(encoded.into_iter().map(|text| Needle::new(text.into_bytes(), false)));
    }
    derived.push(Needle::new(plain, any_case));
    derived
}

/// The credentials of Basic authentication in base64, as they were sent.
fn basic(alphabet: &GeneralPurpose, key: &[u8]) -> String {
    alphabet.encode(Zeroizing::new([key, b":"].concat()))
}

/// The part of the key's base64 that does not depend on the bytes before and after the key. `before` is the
/// number of bytes that precede the key in its first group of three.
fn within(alphabet: &GeneralPurpose, key: &[u8], before: usize) -> String {
    let bytes = Zeroizing::new([&[0; 2][..before], key].concat());
    let whole = bytes.len() * 8 / 6;
    let first = (before * 8).div_ceil(6);
    let encoded = Zeroizing::new(alphabet.encode(&*bytes));
    encoded.get(first..whole).unwrap_or_default().to_owned()
}
