//! Forms and query strings: a field that is taken out is gone, however its name was written, and
//! taking it out twice is no different from once.

use cdsw_gateway::providers::{query_value, without_fields};

const SECRET: [&str; 2] = ["token", "p\u{e4}ss"];

/// A query string.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let all = query_value(&text);
    let is_secret = |name: &[u8]| SECRET.iter().any(|secret| secret.as_bytes() == name);
    let without = without_fields(&text, is_secret);
    assert!(without.len() <= text.len());
    assert_eq!(without_fields(&without, is_secret), without);
    let left = query_value(&without);
    for name in SECRET {
        assert!(left.get(name).is_none(), "{name} is still there");
    }
    for (name, value) in all.entries().filter(|(name, _)| !SECRET.contains(name)) {
        assert_eq!(left.get(name), Some(value), "{name} is gone too");
    }
}
