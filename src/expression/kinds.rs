//! What can be said of an expression without a payload: the kind of value that it gives, whether it reads
//! anything, and what it compares with a fixed value.

use super::Expression;
use super::functions::Function;
use super::reads::path;
use super::tree::{Binary, Kind, Node};
use crate::model::Value;

/// The kind of value that an expression gives, as far as its text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// True or false.
    Truth,
    /// A value of another kind, in words such as `text`.
    Other(&'static str),
    /// The payload decides.
    Unknown,
}

/// A comparison of a field with a fixed value.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The field: a top-level name and the names of the fields below it.
    pub path: Vec<Box<str>>,
    /// The fixed value.
    pub with: Value,
    /// The place of the comparison in the source, in bytes.
    pub offset: usize,
}

impl Expression {
    /// The kind of value that it gives. `of` says which kind a field of the event has; it gets the top-level
    /// name and the names of the fields below it.
    pub fn gives(&self, of: &dyn Fn(&[&str]) -> Gives) -> Gives {
        gives(&self.root, of)
    }

    /// Whether it reads nothing of the event, so that its value is always the same.
    pub fn is_constant(&self) -> bool {
        is_constant(&self.root)
    }

    /// The comparisons with `==` and `!=` of a field with a text, a number or a truth value.
    pub fn comparisons(&self) -> Vec<Compared> {
        let mut found = Vec::new();
        compare(&self.root, &mut found);
        found
    }
}

fn gives(node: &Node, of: &dyn Fn(&[&str]) -> Gives) -> Gives {
    match &node.kind {
        Kind::Literal(Value::Bool(_))
        | Kind::Has(..)
        | Kind::HasValue(_)
        | Kind::Not(_)
        | Kind::Logical { .. }
        | Kind::Matches(..)
        | Kind::Quantifier(..) => Gives::Truth,
        Kind::Literal(value) => Gives::Other(value.kind()),
        Kind::Negate(_) => Gives::Other("a number"),
        Kind::List(_) | Kind::Collect(_) => Gives::Other("a list"),
        Kind::Map(_) | Kind::InZone(..) => Gives::Other("a map"),
        Kind::Binary(Binary::Add, parts) => match gives(&parts[0], of) {
            Gives::Other(kind) => Gives::Other(kind),
            _ => gives(&parts[1], of),
        },
        Kind::Binary(
            Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder,
            _,
        ) => Gives::Other("a number"),
        Kind::Binary(..) => Gives::Truth,
        Kind::Call(function, _) => of_function(*function),
        Kind::Conditional(parts) => match (gives(&parts[1], of), gives(&parts[2], of)) {
            (one, other) if one == other => one,
            _ => Gives::Unknown,
        },
        Kind::Name(_) | Kind::Select(..) | Kind::Index(_) => {
            path(node).map_or(Gives::Unknown, |path| of(&path))
        }
        Kind::Local(..) | Kind::OptionalSelect(..) | Kind::OptionalIndex(_) | Kind::OrValue(_) => {
            Gives::Unknown
        }
    }
}

fn of_function(function: Function) -> Gives {
    match function {
        Function::Contains
        | Function::StartsWith
        | Function::EndsWith
        | Function::Between
        | Function::Bool => Gives::Truth,
        Function::Size
        | Function::IndexOf
        | Function::LastIndexOf
        | Function::Int
        | Function::Uint
        | Function::Double => Gives::Other("a number"),
        Function::LowerAscii
        | Function::UpperAscii
        | Function::Trim
        | Function::Replace
        | Function::Join
        | Function::Substring
        | Function::CharAt
        | Function::Truncate
        | Function::Base64Decode
        | Function::Base64Encode
        | Function::PercentDecode
        | Function::PercentEncode
        | Function::Text => Gives::Other("text"),
        _ => Gives::Unknown,
    }
}

fn is_constant(node: &Node) -> bool {
    if let Kind::Name(_) = node.kind {
        return false;
    }
    let mut constant = true;
    super::reads::children(node, &mut |child| constant &= is_constant(child));
    constant
}

fn compare(node: &Node, found: &mut Vec<Compared>) {
    if let Kind::Binary(Binary::Equal | Binary::NotEqual, parts) = &node.kind {
        let [one, other] = &**parts;
        for (field, fixed) in [(one, other), (other, one)] {
            if let (Some(path), Kind::Literal(with)) = (path(field), &fixed.kind) {
                let path = path.into_iter().map(Into::into).collect();
                found.push(Compared { path, with: with.clone(), offset: node.offset });
            }
        }
    }
    super::reads::children(node, &mut |child| compare(child, found));
}
