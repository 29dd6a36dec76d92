//! Every test that needs no process or build of its own, as one program: `tests/common` is compiled once, and
//! whatever a test needs is at hand. `tests/README.md` says where a new test goes.
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::print_stdout,
    reason = "a test program has no readers from outside, and says what it counted"
)]

#[path = "../common/mod.rs"]
mod common;

// One step of a delivery's path, pure: no socket, no store.
mod ci_senders;
mod countersigned;
mod every_provider;
mod facts;
mod git_facts;
mod observations;
mod people;
mod proven;
mod purity;
mod rules;
mod security_page;
mod signing;
mod strangers;
mod tokens;
mod understand;
mod vectors;

// What a store must do.
mod store;

// A gateway in this process: requests over sockets, a simulated workbench, a clock that a test moves.
mod bad_input;
mod cloudevents;
mod github_examples;
mod issuers;
mod outcomes;
mod receive;
mod stories;

// The real program, as a process.
mod attacks;
mod commands;
mod disk;
mod kill;
mod proxies;
mod reload;
mod replicas;
mod secrets;
mod service;
mod sockets;

// The bodies of the fuzz targets, without the fuzzer.
mod fuzz;
