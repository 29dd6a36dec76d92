//! YAML as configurations use it: one document of sections, lists and text, with the place of every
//! part. Anchors, aliases and merge keys are written out when a file is read; tags are refused,
//! because with them a file means something that it does not show. `PROTOCOL.md` beside this file describes the protocol between
//! the types and the deserializer, and why no YAML crate replaces it.

mod anchors;
mod at;
mod deserialize;
mod foreign;
mod hide;
mod offsets;
mod read;
mod recover;
mod syntax;
mod tree;

pub(super) use at::{At, Lenient, Required};
pub(super) use offsets::within;
pub(super) use read::read;
pub(super) use recover::recover;
pub(super) use tree::{Id, Tree};
