//! What a written configuration means since this version and did not mean in the version before. `check` tells it
//! for this version, where the configuration has what is touched: what it meant, what it means, and what to write.
//!
//! The table is data, and what a row touches is found by a function of what is written. It is pure. Patterns have a
//! table of their own, in [`crate::model::pattern_changes`].

mod block;
mod former;
mod routes;
mod rows;
mod sources;

pub(super) use block::Block;
pub(super) use rows::{OTHERS, ROWS, of_programs};
pub(super) use sources::Entry;

use super::yaml::{Id, Tree};
use crate::providers::wrapped;

/// One change of meaning.
#[derive(Debug)]
pub(super) struct Change {
    /// Its name, unique in the table.
    pub(super) name: &'static str,
    /// What is written in the configuration, as the subject of a sentence.
    pub(super) what: &'static str,
    /// What it meant up to version 0.1.
    pub(super) before: &'static str,
    /// What it means now.
    pub(super) now: &'static str,
    /// What to write: for the former meaning, and where there is a way, to confirm the present one.
    pub(super) mend: &'static str,
    /// Whether `check` and the log warn of it, until the configuration says what is meant.
    pub(super) is_warning: bool,
    /// Finds what the change touches.
    pub(super) touched: Touched,
}

/// Where the things stand that a change touches. Each function gives their places in the file.
#[derive(Debug)]
pub(super) enum Touched {
    /// In one block of a route's `on:`, and the expressions of that route.
    Block(fn(&Block<'_>) -> Vec<Id>),
    /// In a source.
    Source(fn(&Entry<'_>) -> Vec<Id>),
    /// Anywhere else in the file.
    File(fn(&Tree) -> Vec<Id>),
    /// In a reference to a secret, which is told where it is read.
    Secret,
}

/// The page of documentation on what means something else, written from the table of the program.
pub fn page() -> String {
    let mut page = PAGE.to_owned();
    let all = || ROWS.iter().chain(&OTHERS);
    let parts: [Part; 3] = [
        ("Routes", |touched| matches!(touched, Touched::Block(_))),
        ("Sources", |touched| matches!(touched, Touched::Source(_))),
        ("Jobs, server and secrets", |touched| {
            matches!(touched, Touched::File(_) | Touched::Secret)
        }),
    ];
    for (title, is_part) in parts {
        page.push_str(&format!("\n## {title}\n"));
        for change in all().filter(|change| is_part(&change.touched)) {
            let Change { what, before, now, mend, .. } = change;
            let mut letters = what.chars();
            let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
            let what = format!("{first}{}", letters.as_str());
            page.push_str(&format!(
                "\n**{what}**\n\n- Before: {before}.\n- Now: {now}.\n- To do: {mend}.\n"
            ));
        }
    }
    wrapped(&page)
}

/// A part of the page: its heading, and which changes stand in it.
type Part = (&'static str, fn(&Touched) -> bool);

/// What the page begins with.
const PAGE: &str = "\
# What means something else since version 0.1

This page lists what a configuration that was written for version 0.1 means now. `cdsw-gateway check` tells the entries
that your configuration has, each with its places, and `check --json` has them under `changes`. Patterns have a page of
their own: [patterns.md](patterns.md). The page is written from the table of the program.
";

impl Change {
    /// The sentence for people.
    pub(super) fn message(&self) -> String {
        let Self { what, before, now, .. } = self;
        format!("{what} means something else: up to version 0.1 {before}; now {now}")
    }
}
