//! YAML as configurations use it: one document of keys, lists and text, with the place of every
//! part kept. Anchors, aliases, merge keys and tags are refused: they make a file mean what it
//! does not show. `PROTOCOL.md` beside this file says how shapes and the deserializer talk to each
//! other, and why no YAML crate does this for us.

mod at;
mod deserialize;
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
