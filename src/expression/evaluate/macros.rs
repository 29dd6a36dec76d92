//! The macros over a list, or over the keys of a map: `exists`, `all`, `map` and similar ones.

use std::borrow::Cow;

use super::{Evaluator, Got, NULL, absorb, owned, settle, wrong_kind};
use crate::expression::fault::EvaluationFault;
use crate::expression::path::Places;
use crate::expression::tree::{Collect, Node, Quantifier};
use crate::model::Value;

/// The variable of a macro.
pub(super) struct Local<'a> {
    pub(super) value: Cow<'a, Value>,
    index: Option<usize>,
    range: &'a Node,
}

impl<'a> Evaluator<'a> {
    pub(super) fn quantifier(&mut self, quantifier: Quantifier, parts: &'a [Node; 2]) -> Got<'a> {
        match quantifier {
            Quantifier::Exists => self.any(&parts[0], &parts[1], true),
            Quantifier::All => self.any(&parts[0], &parts[1], false),
            Quantifier::ExistsOne => self.exactly_one(&parts[0], &parts[1]),
        }
    }

    /// `exists` is an `||` over the elements, and `all` is an `&&`.
    fn any(&mut self, range: &'a Node, condition: &'a Node, decisive: bool) -> Got<'a> {
        let mut failed = None;
        let mut decided = false;
        self.for_each(range, |this| {
            match this.condition(condition) {
                Ok(value) => decided = value == decisive,
                Err(fault) => absorb(&mut failed, fault)?,
            }
            Ok(!decided)
        })?;
        if decided {
            return Ok(owned(decisive));
        }
        settle(failed, !decisive)
    }

    fn exactly_one(&mut self, range: &'a Node, condition: &'a Node) -> Got<'a> {
        let mut found = 0usize;
        self.for_each(range, |this| {
            found += usize::from(this.condition(condition)?);
            Ok(true)
        })?;
        Ok(owned(found == 1))
    }

    pub(super) fn collect(&mut self, collect: &'a Collect) -> Got<'a> {
        let mut values = Vec::new();
        self.for_each(&collect.range, |this| {
            if let Some(condition) = &collect.condition
                && !this.condition(condition)?
            {
                return Ok(true);
            }
            let charged = this.meter.build_list(1);
            charged.map_err(|fault| fault.at(collect.range.offset))?;
            values.push(this.evaluate(&collect.element)?.into_owned());
            Ok(true)
        })?;
        Ok(Cow::Owned(Value::list(values)))
    }

    /// Visits the elements of a list, or the keys of a map, until the visitor returns `false`.
    fn for_each(
        &mut self,
        range: &'a Node,
        mut visit: impl FnMut(&mut Self) -> Result<bool, EvaluationFault>,
    ) -> Result<(), EvaluationFault> {
        let whole = self.evaluate(range)?;
        let count = match &*whole {
            Value::List(values) => values.len(),
            Value::Map(object) => object.len(),
            Value::Null => return Err(self.is_null(range)),
            other => {
                let what = self.describe(range);
                let message = format!("{what} is {}, not a list or a map", other.kind());
                return Err(self.worded(wrong_kind(message).at(range.offset)));
            }
        };
        for at in 0..count {
            let local = self.local_at(range, &whole, at)?;
            self.locals.push(local);
            let go_on = visit(self);
            self.locals.pop();
            if !go_on? {
                break;
            }
        }
        Ok(())
    }

    fn local_at(
        &mut self,
        range: &'a Node,
        whole: &Cow<'a, Value>,
        at: usize,
    ) -> Result<Local<'a>, EvaluationFault> {
        self.meter.work(1).map_err(|fault| fault.at(range.offset))?;
        if let Value::Map(object) = &**whole {
            let name = object.name_at(at).unwrap_or_default();
            let charged = self.meter.build(name.len());
            charged.map_err(|fault| fault.at(range.offset))?;
            let value = Cow::Owned(Value::text(name));
            return Ok(Local { value, index: None, range });
        }
        let value = match whole {
            Cow::Borrowed(list) => list.as_list().and_then(|list| list.get(at)).map(Cow::Borrowed),
            Cow::Owned(list) => {
                let element = list.as_list().and_then(|list| list.get(at));
                element.cloned().map(Cow::Owned)
            }
        };
        let value = value.unwrap_or(Cow::Borrowed(&NULL));
        Ok(Local { value, index: Some(at), range })
    }
}

impl Places for Evaluator<'_> {
    fn place(&self, slot: usize) -> Option<(&Node, Option<usize>)> {
        let local = self.locals.get(slot)?;
        Some((local.range, local.index))
    }
}
