//! Several processes on one PostgreSQL: whatever becomes of any of them, or of the database, nothing
//! accepted is lost and no job is started twice behind anybody's back.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    reason = "a test binary has no readers from outside, and says what it counted"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/postgres.rs"]
mod postgres;

mod cluster;
mod database;
mod processes;
mod proof;
mod rights;
mod rolling;
