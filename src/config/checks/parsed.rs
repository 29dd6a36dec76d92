//! Parses a file as far as possible, unless it is not a configuration at all.

use serde::Deserialize;

use super::sink::Sink;
use crate::config::files::FileText;
use crate::config::report::{Fault, Source};
use crate::config::similar::list_of;
use crate::config::yaml::{Id, Tree, read, recover};

/// A file's text and its tree.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) source: Source,
    pub(super) tree: Tree,
}

/// What a file of the configuration may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form<'a> {
    /// The keys that may be on top.
    pub(super) keys: &'static [&'static str],
    /// The main file, if it is known. Reports on other files may show the names that it declares.
    pub(super) main: Option<&'a Parsed>,
}

impl Form<'_> {
    pub(super) const MAIN: Form<'static> = Form {
        keys: &[
            "server",
            "store",
            "postgres",
            "retention",
            "workbenches",
            "jobs",
            "sources",
            "routes",
        ],
        main: None,
    };

    /// A file of `routes.d/`.
    pub(super) fn routes(main: Option<&Parsed>) -> Form<'_> {
        Form { keys: &["routes"], main }
    }

    /// Whether a file that was read may be a configuration: its top is empty, or has one of the keys.
    fn fits(self, tree: &Tree) -> bool {
        let Some(root) = tree.root() else { return true };
        tree.is_empty(root) || self.keys.iter().any(|key| tree.entry(root, key).is_some())
    }

    /// Whether a text that is not YAML may be meant as a configuration: what is not indented are keys, and
    /// the first of them may be on top.
    fn resembles(self, text: &str) -> bool {
        let mut tops = text.lines().filter(|line| {
            !line.starts_with([' ', '\t', '#', '-', '}', ']']) && !line.trim().is_empty()
        });
        tops.next().is_some_and(|line| self.is_key(line)) && tops.all(|line| self.is_key(line))
    }

    fn is_key(self, line: &str) -> bool {
        self.keys.iter().any(|key| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
    }
}

/// Reads a file into a type. Both results are `None` for a file that is not YAML, and for one that is not a
/// configuration: that may be a file of secrets, so no part of it is reported.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(
    file: &FileText,
    form: Form<'_>,
    sink: &Sink,
) -> (Option<Parsed>, Option<T>) {
    let text = match &file.text {
        Ok(text) => text.clone(),
        Err(fault) => {
            sink.faults.borrow_mut().push((**fault).clone());
            return (None, None);
        }
    };
    let mut source = Source::new(&file.name, text);
    source.know(form.main.into_iter().flat_map(|main| main.tree.declared()));
    let resembles = form.resembles(source.text());
    let (tree, faults) = read(&mut source, resembles);
    let Some(mut tree) = tree else {
        sink.faults.borrow_mut().extend(faults);
        return (None, None);
    };
    if !form.fits(&tree) {
        sink.faults.borrow_mut().push(not_a_configuration(&source, &tree, form));
        return (None, None);
    }
    sink.faults.borrow_mut().extend(faults);
    // An empty file is read as an empty section.
    let (shape, faults) = if tree.root().is_none() {
        let empty: Result<T, serde::de::value::Error> = T::deserialize(
            serde::de::value::MapDeserializer::new(std::iter::empty::<(&str, &str)>()),
        );
        (empty.ok(), Vec::new())
    } else {
        recover(&mut tree, &source)
    };
    sink.faults.borrow_mut().extend(faults);
    (Some(Parsed { source, tree }), shape)
}

/// What to do where routes stand in a file without the key above them.
fn bare_routes(tree: &Tree) -> Option<String> {
    let entries = tree.items(tree.root()?);
    let is_route = |id: &Id| tree.entry(*id, "on").is_some() && tree.entry(*id, "job").is_some();
    let all = !entries.is_empty() && entries.iter().all(is_route);
    all.then(|| "these are routes: put `routes:` above them, and indent them below it".to_owned())
}

/// The one fault of such a file. It has a place, and shows nothing of the file.
fn not_a_configuration(source: &Source, tree: &Tree, form: Form<'_>) -> Fault {
    let what = match tree.root() {
        Some(root) if tree.is_list(root) => {
            "the file must be a section of keys and values, not a list"
        }
        Some(root) if tree.keys(root).next().is_none() => {
            "the file must be a section of keys and values, not text"
        }
        _ => "the file is not a configuration: it has none of the keys that belong on top",
    };
    let range = tree.root().map_or(0..0, |root| tree.range(root));
    let hint =
        bare_routes(tree).unwrap_or_else(|| format!("the keys here are {}", list_of(form.keys)));
    let mut fault = Fault::misplaced(source, range, what, hint);
    fault.excerpt = None;
    fault.length = 1;
    fault
}
