//! The operators: CEL's rules, applied to our own values and within a budget.

use std::cmp::Ordering;

use super::fault::{EvaluationFault, EvaluationFaultKind};
use super::meter::Meter;
use super::tree::Binary;
use crate::model::{Double, Value};

/// The steps that finding the digits of a double costs. It takes about as long.
const MAKE_DOUBLE: u64 = 8;

type Outcome = Result<Value, EvaluationFault>;

/// Applies an operator to two values.
pub(super) fn apply(operator: Binary, one: &Value, other: &Value, meter: &mut Meter) -> Outcome {
    match operator {
        Binary::Equal => equal(one, other, meter).map(Value::Bool),
        Binary::NotEqual => equal(one, other, meter).map(|same| Value::Bool(!same)),
        Binary::In => contains(other, one, meter).map(Value::Bool),
        Binary::Less => ordered(one, other, meter, Ordering::is_lt),
        Binary::LessOrEqual => ordered(one, other, meter, Ordering::is_le),
        Binary::Greater => ordered(one, other, meter, Ordering::is_gt),
        Binary::GreaterOrEqual => ordered(one, other, meter, Ordering::is_ge),
        Binary::Add => add(one, other, meter),
        Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder => {
            arithmetic(operator, one, other, meter)
        }
    }
}

/// `-operand`
pub(super) fn negate(operand: &Value) -> Outcome {
    match (operand, whole(operand)) {
        (Value::Double(double), _) => Ok(Value::double(-computable(double)?)),
        (_, Some(number)) => from_whole(-number, false),
        _ => Err(wrong_kind(format!("{} cannot be negated", operand.kind()))),
    }
}

/// Whether two trees are equal. Values of different kinds are unequal. Numbers are compared by
/// value, across their types.
pub(super) fn equal(
    one: &Value,
    other: &Value,
    meter: &mut Meter,
) -> Result<bool, EvaluationFault> {
    meter.work(1)?;
    Ok(match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Text(one), Value::Text(other)) => {
            if one.len() != other.len() {
                return Ok(false);
            }
            meter.scan(one.len())?;
            one == other
        }
        (Value::List(one), Value::List(other)) => {
            return Ok(one.len() == other.len() && all_equal(one, other, meter)?);
        }
        (Value::Map(one), Value::Map(other)) => {
            if one.len() != other.len() {
                return Ok(false);
            }
            for ((name, value), (other_name, other_value)) in one.entries().zip(other.entries()) {
                // Both maps were charged for when they were read.
                meter.scan(name.len().max(other_name.len()))?;
                if name != other_name || !equal(value, other_value, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => compare_numbers(one, other)? == Some(Some(Ordering::Equal)),
    })
}

fn all_equal(one: &[Value], other: &[Value], meter: &mut Meter) -> Result<bool, EvaluationFault> {
    for (one, other) in one.iter().zip(other) {
        if !equal(one, other, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn contains(whole: &Value, part: &Value, meter: &mut Meter) -> Result<bool, EvaluationFault> {
    match whole {
        Value::List(values) => {
            for value in values.iter() {
                if equal(value, part, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(object) => match part {
            Value::Text(name) => {
                meter.look_up(name, object.at_most())?;
                Ok(object.get(name).is_some())
            }
            _ => Ok(false),
        },
        Value::Text(_) => {
            Err(wrong_kind("`in` looks into a list or a map; for text, write text.contains(part)"))
        }
        _ => Err(wrong_kind(format!("`in` cannot look into {}", whole.kind()))),
    }
}

fn ordered(one: &Value, other: &Value, meter: &mut Meter, holds: fn(Ordering) -> bool) -> Outcome {
    let ordering = match (one, other) {
        (Value::Text(one), Value::Text(other)) => {
            meter.scan(one.len().min(other.len()))?;
            Some(one.cmp(other))
        }
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        _ => compare_numbers(one, other)?.ok_or_else(|| {
            let (one, other) = (one.kind(), other.kind());
            wrong_kind(format!("{one} and {other} have no order"))
        })?,
    };
    Ok(Value::Bool(ordering.is_some_and(holds)))
}

fn add(one: &Value, other: &Value, meter: &mut Meter) -> Outcome {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => {
            meter.build(one.len() + other.len())?;
            let mut text = String::with_capacity(one.len() + other.len());
            text.push_str(one);
            text.push_str(other);
            Ok(Value::from(text))
        }
        (Value::List(one), Value::List(other)) => {
            meter.build_list(one.len() + other.len())?;
            Ok(Value::list(one.iter().chain(other.iter()).cloned().collect()))
        }
        (Value::Text(_), _) | (_, Value::Text(_)) => Err(wrong_kind(format!(
            "{} and {} cannot be added; text can be made with string(…)",
            one.kind(),
            other.kind()
        ))),
        _ => arithmetic(Binary::Add, one, other, meter),
    }
}

fn arithmetic(operator: Binary, one: &Value, other: &Value, meter: &mut Meter) -> Outcome {
    if let (Value::Double(one), Value::Double(other)) = (one, other) {
        meter.work(MAKE_DOUBLE)?;
        return of_doubles(operator, computable(one)?, computable(other)?);
    }
    match (whole(one), whole(other)) {
        (Some(left), Some(right)) => {
            let unsigned = matches!(one, Value::UInt(_)) || matches!(other, Value::UInt(_));
            of_whole(operator, left, right, unsigned)
        }
        _ => Err(no_arithmetic(operator, one, other)),
    }
}

fn of_doubles(operator: Binary, one: f64, other: f64) -> Outcome {
    Ok(Value::double(match operator {
        Binary::Add => one + other,
        Binary::Subtract => one - other,
        Binary::Multiply => one * other,
        Binary::Divide => one / other,
        _ => return Err(wrong_kind("`%` is for whole numbers only")),
    }))
}

fn of_whole(operator: Binary, one: i128, other: i128, unsigned: bool) -> Outcome {
    if other == 0 && matches!(operator, Binary::Divide | Binary::Remainder) {
        return Err(bad_value("a number is divided by zero"));
    }
    // Both operands have 64 bits, so only a product can overflow 128 bits.
    let result = match operator {
        Binary::Add => one + other,
        Binary::Subtract => one - other,
        Binary::Multiply => one.saturating_mul(other),
        Binary::Divide => one / other,
        _ => one % other,
    };
    from_whole(result, unsigned)
}

/// A whole number as a value. It is above the largest signed number only if an operand was.
fn from_whole(number: i128, unsigned: bool) -> Outcome {
    if let Ok(number) = i64::try_from(number) {
        return Ok(Value::Int(number));
    }
    match u64::try_from(number) {
        Ok(number) if unsigned => Ok(Value::UInt(number)),
        _ => Err(bad_value("a whole number grows beyond 64 bits")),
    }
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::UInt(number) => Some(i128::from(*number)),
        _ => None,
    }
}

/// Compares two numbers. `None` if one is not a number value, and `Some(None)` if one is NaN. Fails if one is
/// too large for that.
fn compare_numbers(
    one: &Value,
    other: &Value,
) -> Result<Option<Option<Ordering>>, EvaluationFault> {
    Ok(match (one, other, whole(one), whole(other)) {
        (Value::Double(one), Value::Double(other), ..) => {
            Some(computable(one)?.partial_cmp(&computable(other)?))
        }
        (Value::Double(one), _, _, Some(other)) => {
            Some(compare_mixed(other, computable(one)?).map(Ordering::reverse))
        }
        (_, Value::Double(other), Some(one), _) => Some(compare_mixed(one, computable(other)?)),
        (_, _, Some(one), Some(other)) => Some(Some(one.cmp(&other))),
        _ => None,
    })
}

/// The number to compute with.
pub(super) fn computable(double: &Double) -> Result<f64, EvaluationFault> {
    if double.is_too_large() {
        return Err(bad_value("a number is too large to compute with; string(…) gives its digits"));
    }
    Ok(double.value())
}

/// Compares exactly, even if the double is too large to represent every whole number.
fn compare_mixed(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    let floor = double.floor();
    // The cast saturates, but only far outside of 64 bits.
    let ordering = whole.cmp(&(floor as i128));
    Some(if ordering.is_eq() && double > floor { Ordering::Less } else { ordering })
}

fn no_arithmetic(operator: Binary, one: &Value, other: &Value) -> EvaluationFault {
    let verb = match operator {
        Binary::Add => "added",
        Binary::Subtract => "subtracted",
        Binary::Multiply => "multiplied",
        _ => "divided",
    };
    let mixed = matches!(one, Value::Double(_)) && whole(other).is_some()
        || matches!(other, Value::Double(_)) && whole(one).is_some();
    let advice = if mixed { "; convert one with double(…) or int(…)" } else { "" };
    let (one, other) = (one.kind(), other.kind());
    wrong_kind(format!("{one} and {other} cannot be {verb}{advice}"))
}

fn wrong_kind(message: impl Into<String>) -> EvaluationFault {
    EvaluationFault::new(EvaluationFaultKind::Type, message)
}

fn bad_value(message: &str) -> EvaluationFault {
    EvaluationFault::new(EvaluationFaultKind::Value, message)
}
