//! Providers for any sender: one for each way of signing. Everything else is configured.

pub(super) mod basic;
pub(super) mod configured;
pub(super) mod hmac;
pub(super) mod jwt;
mod presets;
pub(super) mod token;

pub use presets::Preset;
