//! The names that are declared, including those of broken entries. A reference to a broken entry is
//! not a second fault.

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
pub(super) struct Names([Option<Vec<String>>; 3]);

impl Names {
    pub(super) fn of(main: Option<&Parsed>) -> Self {
        Self([Kind::Workbench, Kind::Job, Kind::Source].map(|kind| declared(main?, kind)))
    }

    pub(super) fn of_kind(&self, kind: Kind) -> Option<&[String]> {
        self.0[kind as usize].as_deref()
    }
}

fn declared(main: &Parsed, kind: Kind) -> Option<Vec<String>> {
    let Some(root) = main.tree.root() else { return Some(Vec::new()) };
    let Some(section) = main.tree.entry(root, kind.section()) else { return Some(Vec::new()) };
    let names: Vec<String> = main.tree.keys(section).map(str::to_owned).collect();
    let unreadable = names.is_empty() && main.tree.is_damaged(section);
    (!unreadable).then_some(names)
}
