//! Fields and elements: selecting them, testing whether they exist, and optional ones.

use std::borrow::Cow;

use super::{Evaluator, Got, owned, wrong_kind};
use crate::expression::fault::EvaluationFault;
use crate::expression::tree::{Kind, Node};
use crate::model::Value;

impl<'a> Evaluator<'a> {
    pub(super) fn select(&mut self, node: &Node, operand: &'a Node, field: &str) -> Got<'a> {
        let value = self.evaluate(operand)?;
        self.expect_map(operand, &value, field)?;
        match self.field(node, value, field)? {
            Some(found) => Ok(found),
            None => Err(self.is_missing(node)),
        }
    }

    pub(super) fn index(&mut self, node: &Node, parts: &'a [Node; 2]) -> Got<'a> {
        let value = self.evaluate(&parts[0])?;
        let index = self.evaluate(&parts[1])?;
        match self.element(node, parts, value, &index)? {
            Some(found) => Ok(found),
            None => Err(self.is_missing(node)),
        }
    }

    pub(super) fn has(&mut self, operand: &'a Node, field: &str) -> Got<'a> {
        let value = self.evaluate(operand)?;
        self.expect_map(operand, &value, field)?;
        Ok(owned(self.field(operand, value, field)?.is_some()))
    }

    /// The value of an optional part, if it has one. Null has no fields, so a field of null has no
    /// value either.
    pub(super) fn optional(
        &mut self,
        node: &'a Node,
    ) -> Result<Option<Cow<'a, Value>>, EvaluationFault> {
        match &node.kind {
            Kind::OptionalSelect(operand, field) => {
                let Some(value) = self.optional(operand)?.filter(|value| !value.is_null()) else {
                    return Ok(None);
                };
                self.expect_map(operand, &value, field)?;
                self.field(node, value, field)
            }
            Kind::OptionalIndex(parts) => {
                let Some(value) = self.optional(&parts[0])?.filter(|value| !value.is_null()) else {
                    return Ok(None);
                };
                let index = self.evaluate(&parts[1])?;
                self.element(node, parts, value, &index)
            }
            _ => self.evaluate(node).map(Some),
        }
    }

    fn expect_map(
        &mut self,
        operand: &Node,
        value: &Value,
        field: &str,
    ) -> Result<(), EvaluationFault> {
        match value {
            Value::Map(_) => Ok(()),
            Value::Null => Err(self.is_null(operand)),
            other => {
                let what = self.describe(operand);
                let message = format!("{what} is {}, so it has no field `{field}`", other.kind());
                Err(self.worded(wrong_kind(message).at(operand.offset)))
            }
        }
    }

    fn field(
        &mut self,
        node: &Node,
        value: Cow<'a, Value>,
        field: &str,
    ) -> Result<Option<Cow<'a, Value>>, EvaluationFault> {
        let fields = if let Value::Map(object) = &*value { object.at_most() } else { 0 };
        let charged = self.meter.look_up(field, fields);
        charged.map_err(|fault| fault.at(node.offset))?;
        Ok(match value {
            Cow::Borrowed(value) => value.get(field).map(Cow::Borrowed),
            Cow::Owned(value) => value.get(field).cloned().map(Cow::Owned),
        })
    }

    fn element(
        &mut self,
        node: &Node,
        parts: &[Node; 2],
        value: Cow<'a, Value>,
        index: &Value,
    ) -> Result<Option<Cow<'a, Value>>, EvaluationFault> {
        match (&*value, index) {
            (Value::Map(_), Value::Text(field)) => self.field(node, value, field),
            (Value::List(_), Value::Int(index)) => {
                let Ok(index) = usize::try_from(*index) else {
                    return Ok(None);
                };
                Ok(nth(value, index))
            }
            (Value::Null, _) => Err(self.is_null(&parts[0])),
            (_, Value::Null) => Err(self.is_null(&parts[1])),
            (other, index) => {
                let what = self.describe(&parts[0]);
                let (kind, index) = (other.kind(), index.kind());
                let message = format!("{what} is {kind}, which has no element by {index}");
                Err(self.worded(wrong_kind(message).at(node.offset)))
            }
        }
    }
}

fn nth(list: Cow<'_, Value>, index: usize) -> Option<Cow<'_, Value>> {
    match list {
        Cow::Borrowed(list) => list.as_list()?.get(index).map(Cow::Borrowed),
        Cow::Owned(list) => list.as_list()?.get(index).cloned().map(Cow::Owned),
    }
}
