//! Recognizes macros: the parser expands each macro into a loop of a fixed form.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};

use crate::expression::tree::Quantifier;

/// What a macro computes for each element.
pub(super) enum Shape<'a> {
    Quantifier(Quantifier, &'a IdedExpr),
    Collect(Option<&'a IdedExpr>, &'a IdedExpr),
}

pub(super) fn shape(expanded: &ComprehensionExpr) -> Option<Shape<'_>> {
    if expanded.iter_var2.is_some() {
        return None;
    }
    let step = as_call(&expanded.loop_step)?;
    let counts = matches!(expanded.accu_init.expr, Expr::Literal(LiteralValue::Int(_)));
    match (step.func_name.as_str(), step.args.as_slice()) {
        (operators::LOGICAL_OR, [_, condition]) => {
            Some(Shape::Quantifier(Quantifier::Exists, condition))
        }
        (operators::LOGICAL_AND, [_, condition]) => {
            Some(Shape::Quantifier(Quantifier::All, condition))
        }
        (operators::CONDITIONAL, [condition, _, _]) if counts => {
            Some(Shape::Quantifier(Quantifier::ExistsOne, condition))
        }
        (operators::CONDITIONAL, [condition, append, _]) => {
            Some(Shape::Collect(Some(condition), appended(as_call(append)?)?))
        }
        (operators::ADD, _) => Some(Shape::Collect(None, appended(step)?)),
        _ => None,
    }
}

/// The `element` of `accumulator + [element]`.
fn appended(append: &CallExpr) -> Option<&IdedExpr> {
    match append.args.as_slice() {
        [_, IdedExpr { expr: Expr::List(list), .. }] => list.elements.first(),
        _ => None,
    }
}

fn as_call(expr: &IdedExpr) -> Option<&CallExpr> {
    match &expr.expr {
        Expr::Call(call) => Some(call),
        _ => None,
    }
}
