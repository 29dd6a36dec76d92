//! Turns the library's syntax tree into our own: resolves names, recognizes macros, and refuses
//! what is not supported or could nest too deeply.
//!
//! All faults are collected. A part with a fault becomes a null, which causes no further faults.

use super::fault::ExpressionFault;
use super::parse::Parsed;
use super::tree::{Binary, Collect, Kind, Node};
use super::vocabulary::Vocabulary;
use crate::model::Value;
use shape::{Shape, shape};
mod calls;
mod headers;
mod names;
mod shape;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr,
    SelectExpr, operators,
};

/// The largest depth of a tree.
const MAX_DEPTH: usize = 64;
/// The largest number of macros inside one another.
const MAX_MACROS: usize = 2;

/// The checked tree, or every fault.
pub(super) fn lower(parsed: &Parsed<'_>, names: &Vocabulary) -> Result<Node, Vec<ExpressionFault>> {
    let mut lowering =
        Lowering { parsed, names, scope: Vec::new(), depth: 0, macros: 0, faults: Vec::new() };
    let root = lowering.value(&parsed.root);
    if lowering.faults.is_empty() {
        return Ok(root);
    }
    lowering.faults.sort_by_key(|fault| fault.offset);
    lowering.faults.dedup();
    Err(lowering.faults)
}

struct Lowering<'a> {
    parsed: &'a Parsed<'a>,
    names: &'a Vocabulary,
    scope: Vec<&'a str>,
    depth: usize,
    macros: usize,
    faults: Vec<ExpressionFault>,
}

impl<'a> Lowering<'a> {
    /// A part that must have a value.
    fn value(&mut self, expr: &'a IdedExpr) -> Node {
        let node = self.part(expr);
        if node.is_optional() {
            let hint = "end it with .orValue(…) or .hasValue()".to_owned();
            self.fault(self.parsed.place(expr.id), "`.?` may have no value", hint);
        }
        node
    }

    /// A part that may be optional.
    fn part(&mut self, expr: &'a IdedExpr) -> Node {
        self.depth += 1;
        let kind = if self.depth <= MAX_DEPTH {
            self.kind(expr)
        } else {
            let message = format!("the expression is nested more than {MAX_DEPTH} levels deep");
            if self.faults.iter().all(|fault| fault.message != message) {
                self.fault(self.parsed.place(expr.id), message, None);
            }
            NOTHING
        };
        self.depth -= 1;
        let (offset, _) = self.place(expr);
        Node { offset, kind }
    }

    fn kind(&mut self, expr: &'a IdedExpr) -> Kind {
        match &expr.expr {
            Expr::Literal(literal) => self.literal(expr.id, literal),
            Expr::Ident(name) => self.name(expr.id, name),
            Expr::Select(select) => self.select(expr.id, select),
            Expr::Call(call) => self.call(expr.id, call),
            Expr::Comprehension(comprehension) => self.macro_call(expr.id, comprehension),
            Expr::List(list) => self.list(expr.id, list),
            Expr::Map(map) => self.map(map),
            Expr::Struct(_) | Expr::Unspecified => self.unsupported(expr.id, "a message literal"),
        }
    }

    fn literal(&mut self, id: u64, literal: &LiteralValue) -> Kind {
        Kind::Literal(match literal {
            LiteralValue::Null => Value::Null,
            LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
            LiteralValue::Int(number) => Value::Int(*number.inner()),
            LiteralValue::UInt(number) => Value::from(*number.inner()),
            LiteralValue::Double(number) => Value::double(*number.inner()),
            LiteralValue::String(text) => Value::text(text.inner()),
            LiteralValue::Bytes(_) => return self.unsupported(id, "a bytes literal"),
        })
    }

    fn select(&mut self, id: u64, select: &'a SelectExpr) -> Kind {
        let operand = self.part(&select.operand);
        let place = self.parsed.place_of_field(id, select.operand.id, &select.field);
        self.check_field(&operand, &select.field, place);
        let field = headers::field(&operand, &select.field);
        match (select.test, operand.is_optional()) {
            (true, false) => Kind::Has(operand.into(), field),
            (true, true) => Kind::HasValue(
                Node { offset: operand.offset, kind: Kind::OptionalSelect(operand.into(), field) }
                    .into(),
            ),
            (false, true) => Kind::OptionalSelect(operand.into(), field),
            (false, false) => Kind::Select(operand.into(), field),
        }
    }

    fn call(&mut self, id: u64, call: &'a CallExpr) -> Kind {
        if let Some(operator) = binary(&call.func_name) {
            let mut parts = self.pair(&call.args);
            if operator == Binary::In {
                headers::lower_name_before(&mut parts);
            }
            return Kind::Binary(operator, parts);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, operands) => self.logical(false, operands),
            (operators::LOGICAL_OR, operands) => self.logical(true, operands),
            (operators::LOGICAL_NOT, [operand]) => Kind::Not(self.value(operand).into()),
            (operators::NEGATE, [operand]) => Kind::Negate(self.value(operand).into()),
            (operators::CONDITIONAL, [condition, one, other]) => Kind::Conditional(Box::new([
                self.value(condition),
                self.value(one),
                self.value(other),
            ])),
            (operators::INDEX, [operand, index]) => self.index(operand, index, false),
            (operators::OPT_INDEX, [operand, index]) => self.index(operand, index, true),
            (operators::OPT_SELECT, [operand, field]) => self.optional_select(operand, field),
            (name, arguments) => self.function(id, name, call.target.as_deref(), arguments),
        }
    }

    fn logical(&mut self, decisive: bool, operands: &'a [IdedExpr]) -> Kind {
        let operands = operands.iter().map(|operand| self.value(operand)).collect();
        Kind::Logical { decisive, operands }
    }

    fn pair(&mut self, args: &'a [IdedExpr]) -> Box<[Node; 2]> {
        match args {
            [one, other] => Box::new([self.value(one), self.value(other)]),
            _ => Box::new([Node { offset: 0, kind: NOTHING }, Node { offset: 0, kind: NOTHING }]),
        }
    }

    fn index(&mut self, operand: &'a IdedExpr, index: &'a IdedExpr, optional: bool) -> Kind {
        let operand = self.part(operand);
        if let Expr::Literal(LiteralValue::String(field)) = &index.expr {
            self.check_field(&operand, field.inner(), self.parsed.place(index.id));
        }
        let optional = optional || operand.is_optional();
        let mut parts = Box::new([operand, self.value(index)]);
        headers::lower_index(&mut parts);
        if optional { Kind::OptionalIndex(parts) } else { Kind::Index(parts) }
    }

    fn optional_select(&mut self, operand: &'a IdedExpr, field: &'a IdedExpr) -> Kind {
        let operand = self.part(operand);
        let Expr::Literal(LiteralValue::String(name)) = &field.expr else {
            return NOTHING;
        };
        self.check_field(&operand, name.inner(), self.parsed.place(field.id));
        let field = headers::field(&operand, name.inner());
        Kind::OptionalSelect(operand.into(), field)
    }

    fn optional(&mut self, target: &'a IdedExpr) -> Node {
        let node = self.part(target);
        if !node.is_optional() && !is_nothing(&node) {
            let hint = "write `.?field` before it".to_owned();
            let message = "orValue and hasValue follow an optional field";
            self.fault(self.place(target), message, hint);
        }
        node
    }

    fn list(&mut self, id: u64, list: &'a ListExpr) -> Kind {
        if !list.optional_indices.is_empty() {
            return self.unsupported(id, "an optional element");
        }
        let elements = list.elements.iter();
        Kind::List(elements.map(|element| self.value(element)).collect())
    }

    fn map(&mut self, map: &'a MapExpr) -> Kind {
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            match &entry.expr {
                EntryExpr::MapEntry(pair) if !pair.optional => {
                    entries.push((self.value(&pair.key), self.value(&pair.value)));
                }
                _ => return self.unsupported(entry.id, "an optional entry"),
            }
        }
        Kind::Map(entries)
    }

    /// The parser expands each macro into a loop of a fixed form. The macro is recognized by that
    /// form.
    fn macro_call(&mut self, id: u64, expanded: &'a ComprehensionExpr) -> Kind {
        let range = self.value(&expanded.iter_range);
        let Some(shape) = shape(expanded) else {
            return self.unsupported(id, "this macro");
        };
        if self.macros == MAX_MACROS {
            let message = format!(
                "more than {MAX_MACROS} of exists, all, map and filter are inside one another"
            );
            self.fault(self.parsed.place_of_call(id), message, None);
            return NOTHING;
        }
        self.macros += 1;
        self.scope.push(&expanded.iter_var);
        let kind = match shape {
            Shape::Quantifier(quantifier, condition) => {
                Kind::Quantifier(quantifier, Box::new([range, self.value(condition)]))
            }
            Shape::Collect(condition, element) => Kind::Collect(Box::new(Collect {
                range,
                condition: condition.map(|condition| self.value(condition)),
                element: self.value(element),
            })),
        };
        self.scope.pop();
        self.macros -= 1;
        kind
    }

    fn unsupported(&mut self, id: u64, what: &str) -> Kind {
        self.fault(self.parsed.place(id), format!("{what} is not supported here"), None);
        NOTHING
    }

    fn place(&self, expr: &IdedExpr) -> (usize, usize) {
        match &expr.expr {
            Expr::Select(select) => {
                (self.parsed).place_of_field(expr.id, select.operand.id, &select.field)
            }
            Expr::Call(_) | Expr::Comprehension(_) => self.parsed.place_of_call(expr.id),
            _ => self.parsed.place(expr.id),
        }
    }

    fn fault(
        &mut self,
        (offset, length): (usize, usize),
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        let fault = ExpressionFault::new(offset, length, message);
        self.faults.push(fault.hint(hint));
    }
}

/// Takes the place of a part with a fault.
const NOTHING: Kind = Kind::Literal(Value::Null);

fn is_nothing(node: &Node) -> bool {
    matches!(node.kind, Kind::Literal(Value::Null))
}

fn binary(name: &str) -> Option<Binary> {
    Some(match name {
        operators::ADD => Binary::Add,
        operators::SUBSTRACT => Binary::Subtract,
        operators::MULTIPLY => Binary::Multiply,
        operators::DIVIDE => Binary::Divide,
        operators::MODULO => Binary::Remainder,
        operators::EQUALS => Binary::Equal,
        operators::NOT_EQUALS => Binary::NotEqual,
        operators::LESS => Binary::Less,
        operators::LESS_EQUALS => Binary::LessOrEqual,
        operators::GREATER => Binary::Greater,
        operators::GREATER_EQUALS => Binary::GreaterOrEqual,
        operators::IN => Binary::In,
        _ => return None,
    })
}
