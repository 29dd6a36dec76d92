//! What every check needs: a file with its places, the names that are declared, and a sink for its
//! findings.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::changed;
use super::names::{Kind, Names};
use super::parsed::Parsed;
use super::sink::Sink;
use crate::config::report::{Effect, Fault};
use crate::config::secrets::SecretRef;
use crate::config::shape::SecretShape;
use crate::config::similar::{did_you_mean, list_of};
use crate::config::strength::{Use, WrittenUse};
use crate::config::yaml::{At, Id, Required, within};

#[derive(Clone, Copy, Debug)]
pub(super) struct Checker<'a> {
    pub(super) file: &'a Parsed,
    pub(super) sink: &'a Sink,
    pub(super) names: &'a Names,
    pub(super) directory: &'a Path,
}

impl Checker<'_> {
    /// Reports a fault of a value, or of the nearest place in the file if the value has none.
    pub(super) fn fault(
        &self,
        id: Option<Id>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        let range = id.map_or(0..0, |id| self.file.tree.spot(id));
        self.fault_at(range, message, hint);
    }

    /// Reports a fault of a key.
    pub(super) fn fault_of_key(
        &self,
        id: Id,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.fault_at(self.file.tree.key_range(id), message, hint);
    }

    /// Reports a fault of a part of a value.
    pub(super) fn fault_within(
        &self,
        id: Id,
        part: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        let Parsed { source, tree } = self.file;
        let range = within(tree, source.text(), id, part.start, part.len());
        self.fault_at(range, message, hint);
    }

    /// Reports a fault of a key that does not hold back the file.
    pub(super) fn fault_with(
        &self,
        id: Id,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
        effect: Effect,
        also: Vec<String>,
    ) {
        let range = self.file.tree.key_range(id);
        self.sink.fault(|| Fault::at(&self.file.source, range, message, hint).with(effect, also));
    }

    fn fault_at(
        &self,
        range: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.sink.fault(|| Fault::at(&self.file.source, range, message, hint));
    }

    /// Warns of a key.
    pub(super) fn warn(&self, id: Id, message: impl Into<String>, hint: impl Into<Option<String>>) {
        let range = self.file.tree.key_range(id);
        self.sink.warning(|| Fault::at(&self.file.source, range, message, hint));
    }

    /// Warns of a value, at the value itself.
    pub(super) fn warn_of_value(
        &self,
        id: Id,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        let range = self.file.tree.spot(id);
        self.sink.warning(|| Fault::at(&self.file.source, range, message, hint));
    }

    /// A field that must be present. A missing one is reported here; a broken one has been reported
    /// already.
    pub(super) fn need<T>(&self, map: Id, key: &str, field: Required<T>) -> Option<T> {
        let tree = &self.file.tree;
        // It was indented too little, and stands beside the section. That is reported already. There may be many
        // sections, so it is looked for only where the field is missing.
        let is_reported = || {
            let beside = tree.parent(map).and_then(|parent| tree.entry(parent, key));
            beside.is_some_and(|id| tree.is_damaged(id))
        };
        if field.0.is_none() && tree.entry(map, key).is_none() && !is_reported() {
            let name = tree.name(map).unwrap_or("the file");
            self.fault_of_key(
                map,
                format!("`{name}` lacks `{key}`"),
                format!("add `{key}:` to it"),
            );
        }
        field.0
    }

    /// Whether a name refers to something that is declared. If not, it is reported.
    pub(super) fn refers(&self, kind: Kind, id: Option<Id>, name: &str) -> bool {
        let Some(known) = self.names.of_kind(kind) else { return true };
        if known.iter().any(|known| known == name) {
            return true;
        }
        if let Some(job) = matches!(kind, Kind::Job).then(|| self.names.of_number(name)).flatten() {
            let message = format!("there is no job `{name}`; a route names a job, not its number");
            self.fault(id, message, format!("write `job: {job}`, which has that number"));
            return false;
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown(id, kind.word(), kind.section(), name, &known);
        false
    }

    /// Reports that a name refers to nothing.
    pub(super) fn unknown(
        &self,
        id: Option<Id>,
        word: &str,
        section: &str,
        name: &str,
        known: &[&str],
    ) {
        let hint = if known.is_empty() {
            format!("none is declared; add it under `{section}:`")
        } else {
            did_you_mean(name, known.iter().copied())
                .unwrap_or_else(|| format!("`{section}` has {}", list_of(known)))
        };
        self.fault(id, format!("there is no {word} `{name}`"), hint);
    }

    /// Checks that the name of a declared thing is valid.
    pub(super) fn name(&self, id: Id) {
        let name = self.file.tree.key(id).unwrap_or_default();
        let mut bytes = name.bytes();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let good = name.len() <= 64
            && bytes.next().is_some_and(plain)
            && bytes.all(|byte| plain(byte) || matches!(byte, b'-' | b'_'));
        if !good {
            self.fault_of_key(
                id,
                format!("`{name}` cannot be a name"),
                "a name has 1 to 64 of a-z, 0-9, `-` and `_`, and starts with a letter or digit"
                    .to_owned(),
            );
        }
    }

    /// A path as the process opens it.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.directory.join(text)
    }

    /// The directory that relative paths belong to.
    pub(super) fn directory(&self) -> &std::path::Path {
        self.directory
    }

    /// A reference to a secret. Its use and place are remembered for what is found about the secret later.
    pub(super) fn secret(
        &self,
        id: Id,
        shape: SecretShape,
        used: impl FnOnce(SecretRef) -> Use,
    ) -> SecretRef {
        let reference = match shape {
            SecretShape::Env(name) => SecretRef::Env(name),
            SecretShape::Command(program) => {
                changed::program(*self, id);
                SecretRef::Command(program)
            }
            SecretShape::File(path) => SecretRef::File(self.path(&path)),
        };
        let place = Fault::at(&self.file.source, self.file.tree.spot(id), "", None);
        let used = used(reference.clone());
        self.sink.secrets.borrow_mut().push(WrittenUse { used, place });
        reference
    }

    /// Whether faults were found within a value. Then no further conclusions may be drawn from what
    /// is left of it.
    pub(super) fn is_damaged(&self, id: Option<Id>) -> bool {
        id.is_some_and(|id| self.file.tree.is_damaged(id))
    }

    /// Reports a length of time or a number that is zero.
    pub(super) fn not_zero<T: PartialEq + From<u8>>(&self, at: &At<T>) {
        if at.value == T::from(0) {
            self.fault(at.id, "this must be more than zero", None);
        }
    }
}
