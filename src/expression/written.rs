//! An expression as text again, for a message about a part of it. Names of a macro's variables are written as they
//! were, and what a macro does with each element is left out.

use std::fmt::{self, Display, Formatter};

use super::tree::{Binary, Kind, Node, Quantifier};
use crate::model::Value;

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Literal(value) => literal(value, f),
            Kind::Name(name) => f.write_str(name),
            Kind::Local(_, name) => f.write_str(name),
            Kind::Select(operand, field) => write!(f, "{operand}.{field}"),
            Kind::Has(operand, field) => write!(f, "has({operand}.{field})"),
            Kind::OptionalSelect(operand, field) => write!(f, "{operand}.?{field}"),
            Kind::Index(parts) => write!(f, "{}[{}]", parts[0], parts[1]),
            Kind::OptionalIndex(parts) => write!(f, "{}[?{}]", parts[0], parts[1]),
            Kind::OrValue(parts) => write!(f, "{}.orValue({})", parts[0], parts[1]),
            Kind::HasValue(operand) => write!(f, "{operand}.hasValue()"),
            Kind::Not(operand) => write!(f, "!{}", Tight(operand)),
            Kind::Negate(operand) => write!(f, "-{}", Tight(operand)),
            Kind::Logical { decisive, operands } => {
                let operator = if *decisive { " || " } else { " && " };
                separated(operands.iter().map(Tight), operator, f)
            }
            Kind::Conditional(parts) => {
                let [condition, one, other] = parts.each_ref().map(Tight);
                write!(f, "{condition} ? {one} : {other}")
            }
            Kind::Binary(operator, parts) => {
                write!(f, "{} {} {}", Tight(&parts[0]), operator.sign(), Tight(&parts[1]))
            }
            Kind::Call(function, arguments) => match arguments.split_first() {
                Some((first, rest)) if function.is_method(rest.len()) => {
                    write!(f, "{}.{}(", Tight(first), function.name())?;
                    separated(rest.iter(), ", ", f)?;
                    f.write_str(")")
                }
                _ => {
                    write!(f, "{}(", function.name())?;
                    separated(arguments.iter(), ", ", f)?;
                    f.write_str(")")
                }
            },
            Kind::Matches(text, pattern) => {
                write!(f, "{}.matches({:?})", Tight(text), pattern.source())
            }
            Kind::InZone(time, zone) => write!(f, "{}.inZone({:?})", Tight(time), zone.name()),
            Kind::List(elements) => {
                f.write_str("[")?;
                separated(elements.iter(), ", ", f)?;
                f.write_str("]")
            }
            Kind::Map(_) => f.write_str("{…}"),
            Kind::Quantifier(quantifier, parts) => {
                let name = match quantifier {
                    Quantifier::All => "all",
                    Quantifier::Exists => "exists",
                    Quantifier::ExistsOne => "exists_one",
                };
                write!(f, "{}.{name}(…)", Tight(&parts[0]))
            }
            Kind::Collect(collect) => write!(f, "{}.map(…)", Tight(&collect.range)),
        }
    }
}

/// A node within another one: in brackets, where it could be read in another way.
struct Tight<'a>(&'a Node);

impl Display for Tight<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            Kind::Logical { .. } | Kind::Conditional(_) | Kind::Binary(..) => {
                write!(f, "({})", self.0)
            }
            _ => self.0.fmt(f),
        }
    }
}

fn separated<T: Display>(
    items: impl Iterator<Item = T>,
    separator: &str,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    for (at, item) in items.enumerate() {
        f.write_str(if at > 0 { separator } else { "" })?;
        item.fmt(f)?;
    }
    Ok(())
}

fn literal(value: &Value, f: &mut Formatter<'_>) -> fmt::Result {
    match value {
        Value::Text(text) => write!(f, "{text:?}"),
        Value::Null => f.write_str("null"),
        other => f.write_str(&other.to_text().unwrap_or_default()),
    }
}

impl Binary {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
        }
    }
}
