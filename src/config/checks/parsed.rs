//! Parses a file as far as possible.

use serde::Deserialize;

use super::sink::Sink;
use crate::config::files::FileText;
use crate::config::report::Source;
use crate::config::yaml::{Tree, read, recover};

/// A file's text and its tree.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) source: Source,
    pub(super) tree: Tree,
}

/// Reads a file into a type. For a file that is not YAML, both results are `None`.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(
    file: &FileText,
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
    let (tree, faults) = read(&mut source);
    sink.faults.borrow_mut().extend(faults);
    let Some(mut tree) = tree else { return (None, None) };
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
