//! cdsw-gateway receives signed webhooks and starts Cloudera Data Science Workbench jobs with a key
//! that only it holds.
//!
//! The path of one delivery, and the modules in the order in which it meets them:
//!
//! 1. [`receive`] reads raw bytes within their limits;
//! 2. [`authenticate`] and [`providers`] turn an unverified request into a verified one, with keys
//!    that [`issuers`] has fetched where senders publish them;
//! 3. [`event`] says what it means, the same for every forge;
//! 4. [`matching`] holds routes against it, and says why not;
//! 5. [`mapping`] writes the variables, from [`expression`]s ([`judge`] strings 4 and 5 together);
//! 6. [`store`] keeps delivery and runs, and only then the sender hears 2xx;
//! 7. [`dispatch`] takes due runs, asks the [`workbench`], records one of four outcomes.
//!
//! [`model`] has the nouns, [`config`] the plan, [`gateway`] puts the parts together, [`admin`] and
//! [`observe`] are for people, [`simulator`] stands in for a workbench, [`cli`] is the command line.

pub mod admin;
pub mod authenticate;
pub mod cli;
pub mod clock;
pub mod config;
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
pub mod providers;
pub mod random;
pub mod receive;
pub mod replay;
pub mod serving;
pub mod simulator;
pub mod store;
pub mod workbench;
