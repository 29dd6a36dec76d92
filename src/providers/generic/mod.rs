//! Providers for any sender: one for each way of signing. Everything else is configured.

pub(super) mod basic;
mod by_scheme;
pub(super) mod cloudevents;
mod cloudevents_read;
pub(super) mod configured;
pub(super) mod hmac;
pub(super) mod jwt;
mod presets;
mod scheme;
pub(super) mod token;

pub(super) use by_scheme::{ByScheme, Form};
pub use presets::Preset;
pub use scheme::Scheme;
