//! A header with HMAC signatures: at most 32 are looked at, none of them is believed, and the true
//! one is.

use cdsw_gateway::authenticate::hmac::{Algorithm, Encoding, MOST_SIGNATURES, Scheme, verify};
use cdsw_gateway::model::Secret;
use http::header::AUTHORIZATION;

use super::text_line;

const SECRET: &str = "a secret of the fuzzer";

/// Three lines: a byte that chooses hash, encoding and separator, then prefix and header; and what
/// is signed.
pub fn run(data: &[u8]) {
    let (choice, data) = text_line(data);
    let (prefix, data) = text_line(data);
    let (value, body) = text_line(data);
    let choice = usize::from(choice.bytes().next().unwrap_or_default());
    let scheme = Scheme {
        algorithm: Algorithm::ALL[choice & 3],
        encoding: if choice & 4 == 0 { Encoding::Hex } else { Encoding::Base64 },
        prefix: &prefix,
        prefix_optional: choice & 8 != 0,
        separator: [None, Some(','), Some(' '), Some(';')][(choice >> 4) & 3],
    };
    let secrets = [Secret::new(SECRET)];
    let parts: [&[u8]; 2] = [b"v0:", body];
    assert!(scheme.verify(&AUTHORIZATION, &value, &secrets, &parts).is_err(), "a forged signature");
    if let Ok(given) = scheme.signatures(&AUTHORIZATION, &value) {
        assert!(!given.is_empty() && given.len() <= MOST_SIGNATURES);
        assert!(given.iter().all(|signature| signature.len() <= value.len()));
        assert!(verify(scheme.algorithm, secrets.iter().enumerate(), &parts, &given).is_err());
    }
    let signed = scheme.sign(&secrets[0], &parts);
    let splits = scheme.separator.is_some_and(|separator| prefix.contains(separator));
    // A prefix that holds the separator, or ends where entries are trimmed, cannot be configured.
    if !splits && prefix.trim() == prefix {
        let verdict = scheme.verify(&AUTHORIZATION, &signed, &secrets, &parts);
        assert!(verdict.is_ok(), "its own signature {signed:?}: {verdict:?}");
    }
}
