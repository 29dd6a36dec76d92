//! The types that more than one module uses: ids, runs, payload values, secrets. They do no I/O and read
//! neither a clock nor random bits.

mod attempt;
mod claims;
mod command;
mod content;
mod counted;
mod environment;
mod flow;
mod git;
mod id_prefix;
mod ids;
mod listen;
mod moment;
mod newly_reserved;
mod patterns;
mod printable;
mod reserved;
mod role;
pub mod run;
mod secret;
mod status;
mod target;
mod value;
mod wrapped;

pub use attempt::{AttemptResult, Outcome};
pub use claims::{ClaimMiss, Claims};
pub use command::{ChatCommand, CommandLine, InComment};
pub use content::ContentDigest;
pub use counted::counted;
pub use environment::Environment;
pub use flow::{Backlog, BreakerPolicy, Latest, expected_end, pace};
pub use git::{ChangedPaths, FileChange, Files, GitFacts, PullRequest, ReadFiles, is_fork};
pub use id_prefix::IdPrefix;
pub use ids::{DeliveryId, RunId};
pub use listen::{Group, Listen, NoListen, Passed, UnixSocket};
pub use moment::{length, to_the_second};
pub use newly_reserved::{Family, NEWLY_RESERVED, is_newly_reserved};
pub use patterns::{
    Change as PatternChange, Grammar, PatternFault, Patterns, changes as pattern_changes,
};
pub use printable::{is_hidden, printable, printable_json, printable_lines};
pub use reserved::{RESERVED, is_own, is_reserved};
pub use role::Role;
pub use run::RunState;
pub use secret::Secret;
pub use status::Status;
pub use target::Target;
pub use value::{Double, JsonFault, Object, Value};
pub use wrapped::wrapped;
