//! The bodies of the fuzz targets: each takes any bytes and panics when a promise of the pure core
//! does not hold for them. They know nothing of the fuzzer, so that a test can drive them too.
//!
//! What each one promises stands in its file. All of them promise no panic; time and memory are
//! bounded by whoever runs them.

pub mod authenticate;
pub mod client_address;
pub mod commands;
pub mod configuration;
pub mod credentials;
pub mod expressions;
pub mod forgery;
pub mod forms;
pub mod hmac_header;
pub mod json;
pub mod keys;
pub mod patterns;
mod request;
pub mod saved_requests;
pub mod seeds;
pub mod signing_templates;
mod site;
pub mod standard_webhooks;
pub mod templates;
pub mod timestamps;
pub mod tokens;
pub mod understand;

/// A target's body.
pub type Body = fn(&[u8]);

/// Every target, sorted by name. `fuzz_targets/` has a file for each, and so has `Cargo.toml`.
pub const TARGETS: &[(&str, Body)] = &[
    ("authenticate", authenticate::run),
    ("client_address", client_address::run),
    ("commands", commands::run),
    ("configuration", configuration::run),
    ("credentials", credentials::run),
    ("expressions", expressions::run),
    ("forgery", forgery::run),
    ("forms", forms::run),
    ("hmac_header", hmac_header::run),
    ("json", json::run),
    ("keys", keys::run),
    ("patterns", patterns::run),
    ("saved_requests", saved_requests::run),
    ("signing_templates", signing_templates::run),
    ("standard_webhooks", standard_webhooks::run),
    ("templates", templates::run),
    ("timestamps", timestamps::run),
    ("tokens", tokens::run),
    ("understand", understand::run),
];

/// The first line, and what follows it. A target's small inputs come first, a line each, so that a
/// corpus can be read and written by people.
pub(crate) fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// The first line as text, whatever it holds.
pub(crate) fn text_line(data: &[u8]) -> (String, &[u8]) {
    let (line, rest) = line(data);
    (String::from_utf8_lossy(line).into_owned(), rest)
}
