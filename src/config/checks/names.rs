//! The names that are declared, including those of broken entries. A reference to a broken entry is
//! not a second fault.

use std::collections::BTreeMap;

use super::parsed::Parsed;

/// The kinds of things that other parts of the configuration refer to by name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Workbench,
    Job,
    Source,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Workbench => "workbench",
            Self::Job => "job",
            Self::Source => "source",
        }
    }

    pub(super) fn section(self) -> &'static str {
        match self {
            Self::Workbench => "workbenches",
            Self::Job => "jobs",
            Self::Source => "sources",
        }
    }
}

/// The declared names of each kind. `None` if they cannot be known.
#[derive(Debug)]
pub(super) struct Names {
    of_kind: [Option<Vec<String>>; 3],
    /// The names of jobs by their numbers on the workbench.
    of_number: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn of(main: Option<&Parsed>) -> Self {
        let of_kind = [Kind::Workbench, Kind::Job, Kind::Source].map(|kind| declared(main?, kind));
        Self { of_kind, of_number: main.map(numbers).unwrap_or_default() }
    }

    pub(super) fn of_kind(&self, kind: Kind) -> Option<&[String]> {
        self.of_kind[kind as usize].as_deref()
    }

    /// The job that has this number on its workbench.
    pub(super) fn of_number(&self, number: &str) -> Option<&str> {
        self.of_number.get(number).map(String::as_str)
    }
}

/// Jobs by the number that they have, or that stands at the end of the address of their page.
fn numbers(main: &Parsed) -> BTreeMap<String, String> {
    let tree = &main.tree;
    let jobs = tree.root().and_then(|root| tree.entry(root, Kind::Job.section()));
    let number = |job| {
        let of_page = |page| tree.text(page)?.trim_end_matches('/').rsplit('/').next();
        let written = tree.entry(job, "job").and_then(|id| tree.text(id));
        written.or_else(|| tree.entry(job, "page").and_then(of_page))
    };
    let jobs = jobs.map(|jobs| tree.items(jobs)).unwrap_or_default();
    let named = jobs
        .into_iter()
        .filter_map(|job| Some((number(job)?.to_owned(), tree.key(job)?.to_owned())));
    named.collect()
}

fn declared(main: &Parsed, kind: Kind) -> Option<Vec<String>> {
    let Some(root) = main.tree.root() else { return Some(Vec::new()) };
    let Some(section) = main.tree.entry(root, kind.section()) else { return Some(Vec::new()) };
    let names: Vec<String> = main.tree.keys(section).map(str::to_owned).collect();
    let unreadable = names.is_empty() && main.tree.is_damaged(section);
    (!unreadable).then_some(names)
}
