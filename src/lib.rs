//! cdsw-gateway receives signed webhooks and starts Cloudera Data Science Workbench jobs, with an API key
//! that the senders never see.
//!
//! A delivery passes through the modules in this order:
//!
//! 1. [`receive`] reads the raw request within its limits;
//! 2. [`authenticate`] and [`providers`] verify the request, with keys that [`issuers`] has fetched where
//!    senders publish them;
//! 3. [`event`] describes what the delivery means, in terms that are the same for every provider;
//! 4. [`matching`] tests the event against each route, and explains why a route did not match;
//! 5. [`mapping`] computes the variables from [`expression`]s ([`judge`] runs steps 4 and 5);
//! 6. [`store`] commits the delivery and its runs; only then is the sender answered with 2xx;
//! 7. [`dispatch`] takes due runs, sends the start request to the [`workbench`], and records one of four
//!    outcomes.
//!
//! [`model`] defines the nouns and [`config`] the configuration. [`gateway`] wires the parts together.
//! [`admin`] and [`observe`] serve the operators. [`simulator`] replaces a workbench in tests and demos.
//! [`cli`] is the command line.

pub mod admin;
pub mod authenticate;
mod authorities;
pub mod checkup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod content;
pub mod dispatch;
mod error_chain;
pub mod event;
pub mod expression;
pub mod failpoint;
pub mod gateway;
pub mod issuers;
pub mod judge;
pub mod mapping;
pub mod matching;
pub mod model;
pub mod observe;
pub mod process;
pub mod providers;
pub mod random;
pub mod receive;
mod regular_file;
pub mod replay;
pub mod serving;
pub mod simulator;
pub mod store;
pub mod workbench;
