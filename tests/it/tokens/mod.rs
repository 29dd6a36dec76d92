//! Tokens and those who forge them: pure, without a wire. That one changed bit of a token is refused is
//! tried on every provider in `every_provider.rs`.

mod algorithms;
mod forger;
pub mod issuer;
mod keys;
mod meaning;
mod others;
mod presets;
mod rules;
