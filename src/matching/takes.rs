//! The arguments that a route takes from a chat command: those that its `env` or `if` reads. People
//! in chat cannot set anything else.

use std::fmt;

use crate::expression::{Expression, Template};

/// The path at which a command holds its arguments.
const ARGS: [&str; 2] = ["command", "args"];

/// The arguments that a route takes, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// Whether it takes every argument.
    pub any: bool,
    /// Arguments that a command must give to start the route, in the order of the configuration.
    pub needed: Vec<Box<str>>,
    /// Arguments that a command may leave out.
    pub optional: Vec<Box<str>>,
}

impl Takes {
    /// The arguments that a route takes, from its condition and its variables. Each variable comes
    /// with a flag: whether it may go without a value.
    pub fn of<'a>(
        condition: Option<&Expression>,
        variables: impl IntoIterator<Item = (&'a Template, bool)>,
    ) -> Self {
        let mut takes = Self::default();
        for (template, spared) in variables {
            for hole in template.holes() {
                takes.add(&hole.expression, spared);
            }
        }
        if let Some(condition) = condition {
            takes.add(condition, false);
        }
        let Self { needed, optional, .. } = &mut takes;
        optional.retain(|name| !needed.contains(name));
        takes
    }

    /// Whether a command may give this argument.
    pub fn takes(&self, name: &str) -> bool {
        self.any || self.names().any(|known| known == name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.needed.iter().chain(&self.optional).map(|name| &**name)
    }

    fn add(&mut self, expression: &Expression, spared: bool) {
        let reads = expression.reads(&ARGS);
        self.any |= reads.any;
        let needed = if spared { &mut self.optional } else { &mut self.needed };
        extend(needed, reads.needed);
        extend(&mut self.optional, reads.optional);
    }
}

fn extend(names: &mut Vec<Box<str>>, more: Vec<Box<str>>) {
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

impl fmt::Display for Takes {
    /// Writes the names as people say them: `A, B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any {
            return f.write_str("any name");
        }
        let names: Vec<&str> = self.names().collect();
        if names.is_empty() { f.write_str("no names") } else { f.write_str(&names.join(", ")) }
    }
}
