//! Resolves names, and suggests the name that was probably meant by an unknown one.

use super::{Lowering, NOTHING};
use crate::expression::foreign;
use crate::expression::tree::{Kind, Node};
use crate::expression::vocabulary::closest;
use crate::model::Value;

impl Lowering<'_> {
    pub(super) fn name(&mut self, id: u64, name: &str) -> Kind {
        if let Some(slot) = self.scope.iter().rposition(|local| *local == name) {
            return Kind::Local(slot, name.into());
        }
        let name = name.strip_prefix('.').unwrap_or(name);
        if let Some(known) = self.names.find(name) {
            return Kind::Name(known);
        }
        let known = self.names.names().map(|known| -> &str { known });
        let candidates = self.scope.iter().copied().chain(known);
        let (start, length) = self.parsed.place(id);
        if let ("github", Some(hint)) = (name, foreign::github(self.parsed.after(start + length))) {
            let message = "unknown variable `github`: this is not GitHub Actions".to_owned();
            self.fault((start, length), message, hint);
            return NOTHING;
        }
        let hint = match self.names.owner_of(name) {
            Some(path) => did_you_mean(&path),
            None => closest(name, candidates).map(did_you_mean).unwrap_or_else(|| {
                format!("known are {}; text is written in quotes", self.known())
            }),
        };
        self.fault(self.parsed.place(id), format!("unknown variable `{name}`"), hint);
        NOTHING
    }

    fn known(&self) -> String {
        self.names.names().collect::<Vec<_>>().join(", ")
    }

    /// Reports a misspelt field, if all fields of the operand are known.
    pub(super) fn check_field(&mut self, operand: &Node, field: &str, place: (usize, usize)) {
        let Some(path) = static_path(operand) else {
            return;
        };
        let Some(fields) = self.names.fields_below(&path) else {
            return;
        };
        if fields.contains(&field) {
            return;
        }
        let hint = closest(field, fields.iter().copied())
            .map(did_you_mean)
            .unwrap_or_else(|| format!("it has {}", fields.join(", ")));
        let message = format!("`{}` has no field `{field}`", path.join("."));
        self.fault(place, message, hint);
    }
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`")
}

/// The names from a top-level name to this node. `None` unless each of them is a literal name.
fn static_path(node: &Node) -> Option<Vec<&str>> {
    match &node.kind {
        Kind::Name(name) => Some(vec![*name]),
        Kind::Select(operand, field) | Kind::OptionalSelect(operand, field) => {
            let mut path = static_path(operand)?;
            path.push(field);
            Some(path)
        }
        Kind::Index(parts) | Kind::OptionalIndex(parts) => {
            let Kind::Literal(Value::Text(field)) = &parts[1].kind else {
                return None;
            };
            let mut path = static_path(&parts[0])?;
            path.push(field);
            Some(path)
        }
        _ => None,
    }
}
