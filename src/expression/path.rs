//! The path of a field in the form that people write: `body.commits[3].author.name`.

use std::fmt::Write;

use super::tree::{Kind, Node};
use crate::model::Value;

/// Tells which element a macro's variable stands for at the moment.
pub(super) trait Places {
    /// The range of the macro that owns the variable, and the index of the current element. The
    /// keys of a map have no index.
    fn place(&self, slot: usize) -> Option<(&Node, Option<usize>)>;
}

/// The path of a node, with the current elements of macros. It never contains text of the payload.
/// `None` for a node without a path, such as the result of a function.
pub(super) fn path(node: &Node, places: &dyn Places) -> Option<String> {
    match &node.kind {
        Kind::Name(name) => Some((*name).to_owned()),
        Kind::Local(slot, name) => Some(element(*slot, places).unwrap_or_else(|| name.to_string())),
        Kind::Select(operand, field)
        | Kind::Has(operand, field)
        | Kind::OptionalSelect(operand, field) => Some(path(operand, places)? + &step(field)),
        Kind::Index(parts) | Kind::OptionalIndex(parts) => {
            let step = match &parts[1].kind {
                Kind::Literal(Value::Int(index)) => format!("[{index}]"),
                Kind::Literal(Value::Text(field)) => step(field),
                _ => "[…]".to_owned(),
            };
            Some(path(&parts[0], places)? + &step)
        }
        _ => None,
    }
}

fn element(slot: usize, places: &dyn Places) -> Option<String> {
    let (range, index) = places.place(slot)?;
    let mut path = path(range, places)?;
    match index {
        Some(index) => write!(path, "[{index}]").ok()?,
        None => path.push_str("[…]"),
    }
    Some(path)
}

fn step(field: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if field.chars().all(plain) { format!(".{field}") } else { format!("[\"{field}\"]") }
}
