//! Calls of functions: those with a part that is looked at when the expression is compiled, and all others.

use cel::common::ast::{Expr, IdedExpr, LiteralValue};

use super::{Lowering, NOTHING};
use crate::expression::functions::{self, Zone, is_clock};
use crate::expression::pattern::Pattern;
use crate::expression::tree::{Kind, Node};

impl<'a> Lowering<'a> {
    pub(super) fn function(
        &mut self,
        id: u64,
        name: &str,
        target: Option<&'a IdedExpr>,
        arguments: &'a [IdedExpr],
    ) -> Kind {
        match (name, target, arguments) {
            ("orValue", Some(target), [other]) => {
                let parts = [self.optional(target), self.value(other)];
                return Kind::OrValue(Box::new(parts));
            }
            ("hasValue", Some(target), []) => {
                return Kind::HasValue(self.optional(target).into());
            }
            ("matches", Some(text), [pattern]) | ("matches", None, [text, pattern]) => {
                return self.matches(text, pattern);
            }
            ("inZone", Some(time), [zone]) => return self.in_zone(time, zone),
            // The spelling of CEL's own extension for encoders.
            ("decode" | "encode", Some(target), [text]) if self.is_base64(target) => {
                let name = if name == "decode" { "base64Decode" } else { "base64Encode" };
                return self.function(id, name, None, std::slice::from_ref(text));
            }
            ("between", Some(_), times) => self.check_clocks(times),
            _ => {}
        }
        let resolved = functions::find(name, target.is_some(), arguments.len());
        let all = target.into_iter().chain(arguments);
        let nodes: Vec<Node> = all.map(|argument| self.value(argument)).collect();
        match resolved {
            Ok(function) => Kind::Call(function, nodes),
            Err((message, hint)) => {
                self.fault(self.parsed.place_of_call(id), message, hint);
                NOTHING
            }
        }
    }

    fn matches(&mut self, text: &'a IdedExpr, pattern: &'a IdedExpr) -> Kind {
        let text = self.value(text);
        let place = self.place(pattern);
        let Expr::Literal(LiteralValue::String(pattern)) = &pattern.expr else {
            let message = "the pattern of `matches` has to be a literal text";
            self.fault(place, message, None);
            return NOTHING;
        };
        match Pattern::compile(pattern.inner()) {
            Ok(pattern) => Kind::Matches(text.into(), pattern),
            Err(message) => {
                self.fault(place, message, None);
                NOTHING
            }
        }
    }

    fn in_zone(&mut self, time: &'a IdedExpr, zone: &'a IdedExpr) -> Kind {
        let time = self.value(time);
        let place = self.place(zone);
        let Expr::Literal(LiteralValue::String(name)) = &zone.expr else {
            self.fault(place, "the time zone of `inZone` has to be a literal text", None);
            return NOTHING;
        };
        match Zone::find(name.inner()) {
            Ok(zone) => Kind::InZone(time.into(), zone),
            Err((message, hint)) => {
                self.fault(place, message, hint);
                NOTHING
            }
        }
    }

    /// Whether this is the word `base64`, and no variable of that name.
    fn is_base64(&self, target: &IdedExpr) -> bool {
        let is_free = self.names.find("base64").is_none() && !self.scope.contains(&"base64");
        is_free && matches!(&target.expr, Expr::Ident(name) if name == "base64")
    }

    /// Times of day that are written in the expression must be such times.
    fn check_clocks(&mut self, times: &'a [IdedExpr]) {
        for time in times {
            if let Expr::Literal(LiteralValue::String(text)) = &time.expr
                && !is_clock(text.inner())
            {
                let hint = "write 02:30 or 02:30:00, from 00:00 to 24:00".to_owned();
                self.fault(self.place(time), "this is not a time of day", hint);
            }
        }
    }
}
