//! Evaluates a checked tree over the values of one event.
//!
//! Values of the payload are borrowed, and only values that an expression builds are owned. Every
//! node is charged to the meter. A budget that is used up ends the evaluation: unlike other faults,
//! `||`, `&&` and the macros do not absorb it.

mod fields;
mod macros;

use std::borrow::Cow;
use std::collections::HashSet;

use super::context::Context;
use super::fault::{EvaluationFault, EvaluationFaultKind};
use super::functions::{Function, MAX_ARGUMENTS, Zone};
use super::meter::Meter;
use super::operators;
use super::path;
use super::pattern::Pattern;
use super::tree::{Binary, Kind, Node};
use crate::model::{Object, Value};
use macros::Local;

/// A value of the payload, or a value that was built.
type Got<'a> = Result<Cow<'a, Value>, EvaluationFault>;

/// The number of values made from a payload that cost one step.
const MADE: usize = 16;
/// The steps that the message of a fault costs. Writing it takes about as long.
const WORD_A_FAULT: u64 = 8;

/// A static null, so that evaluations can borrow it.
static NULL: Value = Value::Null;

/// One or several evaluations that share a budget.
pub(super) struct Evaluator<'a> {
    context: &'a Context<'a>,
    locals: Vec<Local<'a>>,
    /// Large lists and maps of the payload that are charged already.
    looked: HashSet<(usize, u32)>,
    meter: Meter,
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        self.context.spend(self.meter.spent());
    }
}

impl<'a> Evaluator<'a> {
    /// An evaluator with a whole budget.
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        let meter = Meter::new(context.allowance());
        Self { context, locals: Vec::new(), looked: HashSet::new(), meter }
    }

    /// Evaluates a whole expression.
    pub(super) fn run(&mut self, root: &'a Node) -> Result<Value, EvaluationFault> {
        self.evaluate(root).map(Cow::into_owned)
    }

    /// Evaluates a whole expression. Null counts as missing.
    pub(super) fn run_to_value(&mut self, root: &'a Node) -> Result<Value, EvaluationFault> {
        let value = self.run(root)?;
        if value.is_null() {
            return Err(self.is_null(root));
        }
        Ok(value)
    }

    /// Values of a payload are made when they are first read. Each evaluation pays for that once,
    /// even if an earlier evaluation has made them already, so that its result does not depend on
    /// earlier ones.
    pub(super) fn evaluate(&mut self, node: &'a Node) -> Got<'a> {
        self.meter.work(1).map_err(|fault| fault.at(node.offset))?;
        let value = self.value(node)?;
        if let Some((place, count)) = value.written()
            && count >= MADE
            && self.looked.insert(place)
        {
            self.meter.work((count / MADE) as u64).map_err(|fault| fault.at(node.offset))?;
        }
        Ok(value)
    }

    fn value(&mut self, node: &'a Node) -> Got<'a> {
        match &node.kind {
            Kind::Literal(value) => Ok(Cow::Borrowed(value)),
            Kind::Name(name) => self.name(node, name),
            Kind::Local(slot, name) => self.local(*slot, name),
            Kind::Select(operand, field) => self.select(node, operand, field),
            Kind::Index(parts) => self.index(node, parts),
            Kind::Has(operand, field) => self.has(operand, field),
            Kind::OptionalSelect(..) | Kind::OptionalIndex(..) => {
                Ok(self.optional(node)?.unwrap_or(Cow::Borrowed(&NULL)))
            }
            Kind::OrValue(parts) => match self.optional(&parts[0])? {
                Some(value) => Ok(value),
                None => self.evaluate(&parts[1]),
            },
            Kind::HasValue(operand) => Ok(owned(self.optional(operand)?.is_some())),
            Kind::Not(operand) => Ok(owned(!self.condition(operand)?)),
            Kind::Negate(operand) => self.negate(operand),
            Kind::Logical { decisive, operands } => self.logical(*decisive, operands),
            Kind::Conditional(parts) => {
                let branch = if self.condition(&parts[0])? { &parts[1] } else { &parts[2] };
                self.evaluate(branch)
            }
            Kind::Binary(operator, parts) => self.binary(node, *operator, parts),
            Kind::Call(function, arguments) => self.call(node, *function, arguments),
            Kind::Matches(text, pattern) => self.matches(node, text, pattern),
            Kind::InZone(time, zone) => self.in_zone(node, time, zone),
            Kind::List(elements) => self.list(node, elements),
            Kind::Map(entries) => self.map(node, entries),
            Kind::Quantifier(quantifier, parts) => self.quantifier(*quantifier, parts),
            Kind::Collect(collect) => self.collect(collect),
        }
    }

    fn name(&mut self, node: &Node, name: &str) -> Got<'a> {
        let value = self.context.get(name).map(Cow::Borrowed);
        value.ok_or_else(|| missing(format!("`{name}` is not set")).at(node.offset))
    }

    fn local(&mut self, slot: usize, name: &str) -> Got<'a> {
        let local = self.locals.get(slot).map(|local| local.value.clone());
        local.ok_or_else(|| missing(format!("`{name}` is not set")))
    }

    /// Evaluates a part that must be true or false.
    fn condition(&mut self, node: &'a Node) -> Result<bool, EvaluationFault> {
        let value = self.evaluate(node)?;
        match &*value {
            Value::Bool(value) => Ok(*value),
            Value::Null => Err(self.is_null(node)),
            other => {
                let what = self.describe(node);
                let message = format!("{what} is {}, not true or false", other.kind());
                Err(self.worded(wrong_kind(message).at(node.offset)))
            }
        }
    }

    /// The first operand that equals `decisive` is the result, even if an operand before it failed.
    fn logical(&mut self, decisive: bool, operands: &'a [Node]) -> Got<'a> {
        let mut failed = None;
        for operand in operands {
            match self.condition(operand) {
                Ok(value) if value == decisive => return Ok(owned(decisive)),
                Ok(_) => {}
                Err(fault) => absorb(&mut failed, fault)?,
            }
        }
        settle(failed, !decisive)
    }

    fn negate(&mut self, operand: &'a Node) -> Got<'a> {
        let value = self.evaluate(operand)?;
        let result = operators::negate(&value);
        self.finish(operand, result, &[(operand, &value)])
    }

    fn binary(&mut self, node: &Node, operator: Binary, parts: &'a [Node; 2]) -> Got<'a> {
        let one = self.evaluate(&parts[0])?;
        let other = self.evaluate(&parts[1])?;
        let result = operators::apply(operator, &one, &other, &mut self.meter);
        self.finish(node, result, &[(&parts[0], &one), (&parts[1], &other)])
    }

    fn call(&mut self, node: &Node, function: Function, arguments: &'a [Node]) -> Got<'a> {
        let mut values = [const { Cow::Borrowed(&NULL) }; MAX_ARGUMENTS];
        for (value, argument) in values.iter_mut().zip(arguments) {
            *value = self.evaluate(argument)?;
        }
        let values = &values[..arguments.len().min(MAX_ARGUMENTS)];
        match function.apply(values, &mut self.meter) {
            Ok(result) => Ok(Cow::Owned(result)),
            Err(fault) => {
                let parts: Vec<_> = arguments.iter().zip(values.iter().map(|v| &**v)).collect();
                self.finish(node, Err(fault), &parts)
            }
        }
    }

    fn matches(&mut self, node: &Node, text: &'a Node, pattern: &Pattern) -> Got<'a> {
        let value = self.evaluate(text)?;
        let result = match &*value {
            Value::Text(text) => pattern.is_match(text, &mut self.meter).map(Value::Bool),
            other => Err(wrong_kind(format!("`matches` needs text and got {}", other.kind()))),
        };
        self.finish(node, result, &[(text, &value)])
    }

    fn in_zone(&mut self, node: &Node, time: &'a Node, zone: &Zone) -> Got<'a> {
        let value = self.evaluate(time)?;
        let result = zone.parts(&value, &mut self.meter);
        self.finish(node, result, &[(time, &value)])
    }

    /// Adds the place to a fault. If an operand is null, the fault says so.
    fn finish(
        &mut self,
        node: &Node,
        result: Result<Value, EvaluationFault>,
        operands: &[(&Node, &Value)],
    ) -> Got<'a> {
        let fault = match result {
            Ok(value) => return Ok(Cow::Owned(value)),
            Err(fault) => fault.at(node.offset),
        };
        let null = operands.iter().find(|(_, value)| value.is_null());
        match null {
            Some((operand, _)) if fault.kind == EvaluationFaultKind::Type => {
                Err(self.is_null(operand))
            }
            _ => Err(self.worded(fault)),
        }
    }

    fn list(&mut self, node: &Node, elements: &'a [Node]) -> Got<'a> {
        let charged = self.meter.build_list(elements.len());
        charged.map_err(|fault| fault.at(node.offset))?;
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            values.push(self.evaluate(element)?.into_owned());
        }
        Ok(Cow::Owned(Value::list(values)))
    }

    fn map(&mut self, node: &Node, entries: &'a [(Node, Node)]) -> Got<'a> {
        let mut fields: Vec<(Box<str>, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = self.evaluate(key)?;
            let Some(name) = name.as_str() else {
                let message = format!("the names in a map have to be text, not {}", name.kind());
                return Err(self.worded(wrong_kind(message).at(key.offset)));
            };
            let charged = self.meter.build(name.len() + 2 * size_of::<Value>());
            charged.map_err(|fault| fault.at(node.offset))?;
            let name = name.into();
            fields.push((name, self.evaluate(value)?.into_owned()));
        }
        Ok(Cow::Owned(Value::Map(Object::new(fields))))
    }

    fn is_missing(&mut self, node: &Node) -> EvaluationFault {
        let what = self.describe(node);
        let place = if what.starts_with("`body") { "in the payload" } else { "set" };
        self.worded(missing(format!("{what} is not {place}")).at(node.offset))
    }

    fn is_null(&mut self, node: &Node) -> EvaluationFault {
        let what = self.describe(node);
        self.worded(missing(format!("{what} is null")).at(node.offset))
    }

    fn describe(&self, node: &Node) -> String {
        match (path::path(node, self), &node.kind) {
            (Some(path), _) => format!("`{path}`"),
            (None, Kind::Select(_, field)) => format!("the field `{field}`"),
            (None, _) => "a part of the expression".to_owned(),
        }
    }

    /// Charges for the message of a fault, since `||` and the macros may absorb one for each of
    /// many elements.
    fn worded(&mut self, fault: EvaluationFault) -> EvaluationFault {
        match self.meter.work(WORD_A_FAULT) {
            Ok(()) => fault,
            Err(over) => over.at(fault.offset),
        }
    }
}

fn owned<'a>(value: bool) -> Cow<'a, Value> {
    Cow::Owned(Value::Bool(value))
}

/// Remembers the first fault, in case no operand decides. A used-up budget is returned at once.
fn absorb(
    failed: &mut Option<EvaluationFault>,
    fault: EvaluationFault,
) -> Result<(), EvaluationFault> {
    if fault.is_budget() {
        return Err(fault);
    }
    failed.get_or_insert(fault);
    Ok(())
}

fn settle<'a>(failed: Option<EvaluationFault>, otherwise: bool) -> Got<'a> {
    match failed {
        Some(fault) => Err(fault),
        None => Ok(owned(otherwise)),
    }
}

fn missing(message: String) -> EvaluationFault {
    EvaluationFault::new(EvaluationFaultKind::Missing, message)
}

fn wrong_kind(message: String) -> EvaluationFault {
    EvaluationFault::new(EvaluationFaultKind::Type, message)
}
