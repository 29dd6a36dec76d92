//! What every store must do. Each case is written once, against the trait, and runs on each store.

#![allow(unreachable_pub, missing_docs, reason = "a test binary has no readers from outside")]

mod cases;
mod flow;
mod sqlite;
mod world;
