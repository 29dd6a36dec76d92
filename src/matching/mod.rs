//! Matches the routes against an event: which of them match, and for each other one the first test
//! that failed.
//!
//! It is pure. It reads an [`Event`](crate::event::Event) and a route's conditions, and gives a
//! [`Verdict`]. A condition that it cannot decide never counts as a match.

mod blocks;
mod commands;
mod explanation;
mod fork;
mod guard;
mod index;
mod nearness;
mod on;
mod takes;
mod test;
mod unknown;
mod words;

pub use crate::model::{PatternFault, Patterns};
pub use commands::may_command;
pub use explanation::{Compared, Explanation, RouteExplanation};
pub use fork::Forks;
pub use guard::{SKIP_MARK, guard, unlisted};
pub use index::{Candidates, Index, Indexed};
pub use nearness::nearness;
pub use on::{On, PullRequestOn, UnknownPaths};
pub use takes::Takes;
pub use test::{ARGS_TEST, CONDITION_TEST, Miss, Verdict, evaluate};
pub use words::{Shown, Words};
