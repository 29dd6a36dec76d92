//! What a reload did, in words for the log and the audit log.

use std::fmt;

use crate::config::report::Report;
use crate::config::secrets::SecretFault;

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Version of the plan that was in force.
    pub from: String,
    /// Version of the plan that is in force now. Equal to `from` if nothing changed.
    pub to: String,
    /// Files of `routes.d/` whose newest version has faults and is therefore not in force.
    pub held_back: Vec<String>,
    /// Names of routes that several files claim. None of these routes is in force.
    pub routes_held_back: Vec<String>,
    /// Whether a setting of `server` or `store` changed that takes effect only after a restart.
    pub needs_restart: bool,
    /// Faults of the programs that print secrets. Their earlier output stays in use.
    pub secrets: Vec<SecretFault>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "configuration {} unchanged", self.to)?;
        } else {
            write!(f, "configuration {} replaced by {}", self.from, self.to)?;
        }
        if !self.held_back.is_empty() {
            write!(f, "; held back: {}", self.held_back.join(", "))?;
        }
        if !self.routes_held_back.is_empty() {
            let names = self.routes_held_back.join(", ");
            write!(f, "; routes that several files claim, held back: {names}")?;
        }
        if self.needs_restart {
            f.write_str("; `server` or `store` changed, which takes a restart")?;
        }
        Ok(())
    }
}

/// The result of a reload in a few words, for the audit log.
pub fn came_to(reloaded: &Result<Change, Report>) -> String {
    let change = match reloaded {
        Ok(change) => change,
        Err(report) => return format!("refused: {}", count(report.faults.len(), "fault")),
    };
    let mut words = if change.from == change.to {
        "nothing changed".to_owned()
    } else {
        format!("{}..{}", change.from, change.to)
    };
    if !change.held_back.is_empty() {
        words.push_str(&format!("; {} held back", count(change.held_back.len(), "file")));
    }
    let routes = change.routes_held_back.len();
    if routes > 0 {
        words.push_str(&format!("; {} held back", count(routes, "route")));
    }
    if !change.secrets.is_empty() {
        words.push_str(&format!("; {} could not be read", count(change.secrets.len(), "secret")));
    }
    words
}

fn count(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
