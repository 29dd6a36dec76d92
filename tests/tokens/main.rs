//! Tokens and those who forge them: pure, without a wire. That one changed bit of a token is refused is
//! tried on every provider in `every_provider.rs`.
#![allow(missing_docs, unreachable_pub, reason = "a test binary has no readers from outside")]

mod forger;
mod issuer;
mod keys;
mod meaning;
mod others;
mod presets;
mod rules;
