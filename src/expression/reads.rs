//! Finds which fields below a path an expression reads. It looks only at the tree, so it needs no
//! payload.

use super::Expression;
use super::tree::{Collect, Kind, Node};
use crate::model::Value;

/// The fields of a map that an expression reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Whether it may read any field, because it uses the map as a whole, or a field whose name
    /// depends on the payload.
    pub any: bool,
    /// The fields without which it has no value, in the order of the expression.
    pub needed: Vec<Box<str>>,
    /// The fields that it does not need.
    pub optional: Vec<Box<str>>,
}

impl Expression {
    /// The fields that it reads of the map at this path.
    pub fn reads(&self, path: &[&str]) -> Reads {
        let mut reads = Reads::default();
        walk(&self.root, path, &mut reads);
        let Reads { needed, optional, .. } = &mut reads;
        needed.retain(|name| !optional.contains(name));
        reads
    }
}

/// A step from a value to one of its fields.
enum Step<'a> {
    Field(&'a str, bool),
    Unknown,
}

fn walk(node: &Node, path: &[&str], reads: &mut Reads) {
    match chain(node) {
        Some((root, steps)) => {
            follow(root, &steps, path, reads);
            inside(node, path, reads);
        }
        None => children(node, &mut |child| walk(child, path, reads)),
    }
}

/// Records what a chain reads of the map at `path`: nothing, the whole map, or one of its fields.
fn follow(root: &str, steps: &[Step<'_>], path: &[&str], reads: &mut Reads) {
    let Some((first, rest)) = path.split_first() else { return };
    if root != *first {
        return;
    }
    for (step, wanted) in steps.iter().zip(rest) {
        match step {
            Step::Field(name, _) if name == wanted => {}
            Step::Field(..) => return,
            Step::Unknown => break,
        }
    }
    let Some(Step::Field(name, optional)) = steps.get(rest.len()) else {
        reads.any = true;
        return;
    };
    if steps[..rest.len()].iter().any(|step| matches!(step, Step::Unknown)) {
        reads.any = true;
        return;
    }
    let spared = |step: &Step<'_>| matches!(step, Step::Field(_, true));
    let list = if *optional || steps[..rest.len()].iter().any(spared) {
        &mut reads.optional
    } else {
        &mut reads.needed
    };
    if !list.iter().any(|known| &**known == *name) {
        list.push((*name).into());
    }
}

/// The names from a top-level name to this node. None unless each of them is a literal name.
pub(super) fn path(node: &Node) -> Option<Vec<&str>> {
    let (root, steps) = chain(node)?;
    let fields = steps.into_iter().map(|step| match step {
        Step::Field(name, _) => Some(name),
        Step::Unknown => None,
    });
    std::iter::once(Some(root)).chain(fields).collect()
}

/// A top-level name and the steps after it.
fn chain(node: &Node) -> Option<(&'static str, Vec<Step<'_>>)> {
    let (operand, step) = match &node.kind {
        Kind::Name(name) => return Some((name, Vec::new())),
        Kind::Select(operand, field) => (&**operand, Step::Field(field, false)),
        Kind::Has(operand, field) | Kind::OptionalSelect(operand, field) => {
            (&**operand, Step::Field(field, true))
        }
        Kind::Index(parts) => (&parts[0], indexed(&parts[1], false)),
        Kind::OptionalIndex(parts) => (&parts[0], indexed(&parts[1], true)),
        _ => return None,
    };
    let (root, mut steps) = chain(operand)?;
    steps.push(step);
    Some((root, steps))
}

fn indexed(index: &Node, optional: bool) -> Step<'_> {
    match &index.kind {
        Kind::Literal(Value::Text(field)) => Step::Field(field, optional),
        _ => Step::Unknown,
    }
}

/// Visits the expressions in the brackets of a chain.
fn inside(node: &Node, path: &[&str], reads: &mut Reads) {
    match &node.kind {
        Kind::Select(operand, _) | Kind::Has(operand, _) | Kind::OptionalSelect(operand, _) => {
            inside(operand, path, reads);
        }
        Kind::Index(parts) | Kind::OptionalIndex(parts) => {
            inside(&parts[0], path, reads);
            walk(&parts[1], path, reads);
        }
        _ => {}
    }
}

/// Visits the nodes directly below a node.
pub(super) fn children<'a>(node: &'a Node, visit: &mut dyn FnMut(&'a Node)) {
    match &node.kind {
        Kind::Literal(_) | Kind::Name(_) | Kind::Local(..) => {}
        Kind::Select(operand, _)
        | Kind::Has(operand, _)
        | Kind::OptionalSelect(operand, _)
        | Kind::HasValue(operand)
        | Kind::Not(operand)
        | Kind::Negate(operand)
        | Kind::InZone(operand, _)
        | Kind::Matches(operand, _) => visit(operand),
        Kind::Index(parts)
        | Kind::OptionalIndex(parts)
        | Kind::OrValue(parts)
        | Kind::Binary(_, parts)
        | Kind::Quantifier(_, parts) => parts.iter().for_each(visit),
        Kind::Conditional(parts) => parts.iter().for_each(visit),
        Kind::Logical { operands: nodes, .. } | Kind::Call(_, nodes) | Kind::List(nodes) => {
            nodes.iter().for_each(visit);
        }
        Kind::Map(entries) => entries.iter().for_each(|(key, value)| {
            visit(key);
            visit(value);
        }),
        Kind::Collect(collect) => {
            let Collect { range, condition, element } = &**collect;
            [Some(range), condition.as_ref(), Some(element)].into_iter().flatten().for_each(visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Vocabulary;

    fn reads(source: &str) -> (bool, Vec<String>, Vec<String>) {
        let names = Vocabulary::new().open("command").open("body");
        let expression = Expression::compile(source, &names).expect(source);
        let Reads { any, needed, optional } = expression.reads(&["command", "args"]);
        let texts = |names: Vec<Box<str>>| names.iter().map(ToString::to_string).collect();
        (any, texts(needed), texts(optional))
    }

    #[test]
    fn a_field_is_found_wherever_it_stands() {
        for source in [
            "command.args.A",
            "command.args[\"A\"]",
            "command[\"args\"].A",
            "size(command.args.A) > 1",
            "body.x == 1 || !(command.args.A in [\"b\"])",
            "[1].exists(n, command.args.A == string(n))",
            "{\"k\": command.args.A}.k",
            "body[command.args.A].b",
            "command.args.A.matches(\"x\")",
            "true ? \"x\" : command.args.A",
        ] {
            assert_eq!(reads(source), (false, vec!["A".to_owned()], vec![]), "{source}");
        }
    }

    #[test]
    fn a_field_that_is_asked_after_is_optional() {
        for source in [
            "has(command.args.A)",
            "has(command.args.A) ? command.args.A : \"x\"",
            "command.args.?A.orValue(\"x\")",
            "command.?args.?A.orValue(\"x\")",
            "command.args[?\"A\"].orValue(\"x\")",
        ] {
            assert_eq!(reads(source), (false, vec![], vec!["A".to_owned()]), "{source}");
        }
    }

    #[test]
    fn the_whole_map_or_a_name_from_the_payload_is_any_field() {
        for source in [
            "command.args",
            "size(command.args) > 0",
            "\"A\" in command.args",
            "command.args.exists(k, k == \"A\")",
            "command.args[command.words[0]]",
            "command[body.x].A",
            "command",
            "[command].map(c, c.args.A)",
        ] {
            assert!(reads(source).0, "{source}");
        }
    }

    #[test]
    fn other_fields_are_none_of_it() {
        for source in ["command.user", "body.args.A", "body.command.args", "\"command.args.A\""] {
            assert_eq!(reads(source), (false, vec![], vec![]), "{source}");
        }
    }
}
