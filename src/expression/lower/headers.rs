//! Names of headers have no case (RFC 9110, 5.1), and `headers` holds them in lower case. So a name that an
//! expression writes in capitals is read in lower case.

use crate::expression::functions::Function;
use crate::expression::tree::{Kind, Node};
use crate::model::Value;

/// The variable that holds the headers.
const HEADERS: &str = "headers";

fn is_headers(node: &Node) -> bool {
    matches!(node.kind, Kind::Name(HEADERS))
}

/// The name of a field, in lower case for a header.
pub(super) fn field(operand: &Node, name: &str) -> Box<str> {
    if is_headers(operand) { name.to_ascii_lowercase().into() } else { name.into() }
}

/// `headers[name]`
pub(super) fn lower_index(parts: &mut [Node; 2]) {
    if is_headers(&parts[0]) {
        lower(&mut parts[1]);
    }
}

/// `name in headers`
pub(super) fn lower_name_before(parts: &mut [Node; 2]) {
    if is_headers(&parts[1]) {
        lower(&mut parts[0]);
    }
}

fn lower(name: &mut Node) {
    match &mut name.kind {
        Kind::Literal(Value::Text(text)) => {
            *name = Node {
                offset: name.offset,
                kind: Kind::Literal(Value::from(text.to_ascii_lowercase())),
            };
        }
        Kind::Literal(_) => {}
        _ => {
            let offset = name.offset;
            let inner = std::mem::replace(&mut name.kind, Kind::Literal(Value::Null));
            name.kind = Kind::Call(Function::LowerAscii, vec![Node { offset, kind: inner }]);
        }
    }
}
