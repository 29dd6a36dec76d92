//! The functions that an expression may call: their names and their arguments.
//!
//! [`text`], [`convert`], [`encode`] and [`time`] implement them.

mod convert;
mod encode;
mod text;
mod time;

use std::borrow::Cow;

use super::fault::{EvaluationFault, EvaluationFaultKind};
use super::foreign;
use super::meter::Meter;
use super::vocabulary::closest;
use crate::model::Value;
pub(super) use time::{Zone, is_clock};

/// A known function that is called with a valid number of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    LowerAscii,
    UpperAscii,
    Trim,
    Replace,
    Split,
    Join,
    Substring,
    IndexOf,
    LastIndexOf,
    CharAt,
    Truncate,
    First,
    Last,
    Base64Decode,
    Base64Encode,
    PercentDecode,
    PercentEncode,
    Json,
    Between,
    Int,
    Uint,
    Double,
    Text,
    Bool,
}

/// The largest number of arguments of any function, including the value that a method is called on.
pub(super) const MAX_ARGUMENTS: usize = 4;

struct Signature {
    name: &'static str,
    function: Function,
    /// The numbers of arguments that it may have as a method.
    method: &'static [usize],
    /// The numbers of arguments that it may have as a plain function.
    plain: &'static [usize],
    example: &'static str,
}

const fn method(
    name: &'static str,
    function: Function,
    method: &'static [usize],
    example: &'static str,
) -> Signature {
    Signature { name, function, method, plain: &[], example }
}

const fn plain(name: &'static str, function: Function, example: &'static str) -> Signature {
    Signature { name, function, method: &[], plain: &[1], example }
}

/// A function of one value, which may also be called as a method of it.
const fn either(name: &'static str, function: Function, example: &'static str) -> Signature {
    Signature { name, function, method: &[0], plain: &[1], example }
}

const IN_ZONE: &str = "delivery.received_at.inZone(\"Europe/Berlin\")";
const BETWEEN: &str =
    "delivery.received_at.inZone(\"Europe/Berlin\").between(\"22:00\", \"06:00\")";

const SIGNATURES: &[Signature] = &[
    Signature {
        name: "size",
        function: Function::Size,
        method: &[0],
        plain: &[1],
        example: "size(list)",
    },
    method("contains", Function::Contains, &[1], "text.contains(part)"),
    method("startsWith", Function::StartsWith, &[1], "text.startsWith(start)"),
    method("endsWith", Function::EndsWith, &[1], "text.endsWith(end)"),
    method("lowerAscii", Function::LowerAscii, &[0], "text.lowerAscii()"),
    method("upperAscii", Function::UpperAscii, &[0], "text.upperAscii()"),
    method("trim", Function::Trim, &[0], "text.trim()"),
    method("replace", Function::Replace, &[2, 3], "text.replace(old, new)"),
    method("split", Function::Split, &[1, 2], "text.split(separator)"),
    method("join", Function::Join, &[0, 1], "list.join(separator)"),
    method("substring", Function::Substring, &[1, 2], "text.substring(start, end)"),
    method("indexOf", Function::IndexOf, &[1, 2], "text.indexOf(part)"),
    method("lastIndexOf", Function::LastIndexOf, &[1], "text.lastIndexOf(part)"),
    method("charAt", Function::CharAt, &[1], "text.charAt(index)"),
    method("truncate", Function::Truncate, &[1], "text.truncate(50)"),
    either("first", Function::First, "list.first()"),
    either("last", Function::Last, "list.last()"),
    either("base64Decode", Function::Base64Decode, "text.base64Decode()"),
    either("base64Encode", Function::Base64Encode, "text.base64Encode()"),
    either("percentDecode", Function::PercentDecode, "text.percentDecode()"),
    either("percentEncode", Function::PercentEncode, "text.percentEncode()"),
    either("json", Function::Json, "json(text)"),
    method("between", Function::Between, &[2], BETWEEN),
    plain("int", Function::Int, "int(value)"),
    plain("uint", Function::Uint, "uint(value)"),
    plain("double", Function::Double, "double(value)"),
    plain("string", Function::Text, "string(value)"),
    plain("bool", Function::Bool, "bool(value)"),
];

/// Calls that are not in the table: macros, and functions that are checked elsewhere.
const SPECIAL: &[(&str, &str)] = &[
    ("has", "has(body.field)"),
    ("exists", "list.exists(x, condition on x)"),
    ("exists_one", "list.exists_one(x, condition on x)"),
    ("all", "list.all(x, condition on x)"),
    ("map", "list.map(x, value made of x)"),
    ("filter", "list.filter(x, condition on x)"),
    ("matches", "text.matches(\"pattern\")"),
    ("inZone", IN_ZONE),
    ("orValue", "body.?field.orValue(other)"),
    ("hasValue", "body.?field.hasValue()"),
];

/// The function of this name and form of call. The error says what is wrong and how to write it.
pub(super) fn find(
    name: &str,
    as_method: bool,
    arguments: usize,
) -> Result<Function, (String, Option<String>)> {
    let signature = SIGNATURES.iter().find(|signature| signature.name == name);
    if let Some(signature) = signature {
        let takes = if as_method { signature.method } else { signature.plain };
        if takes.contains(&arguments) {
            return Ok(signature.function);
        }
    }
    let special = SPECIAL.iter().find(|(known, _)| *known == name);
    let example = signature.map(|signature| signature.example).or(special.map(|known| known.1));
    Err(match example {
        Some(example) => {
            (format!("`{name}` is not called like this"), Some(format!("write {example}")))
        }
        None => (format!("unknown function `{name}`"), suggestion(name)),
    })
}

fn suggestion(name: &str) -> Option<String> {
    if matches!(name, "timestamp" | "duration" | "now") {
        return Some(format!("for the time of day, write {BETWEEN}"));
    }
    if matches!(name, "base64" | "base64decode" | "fromBase64" | "b64decode") {
        return Some("write text.base64Decode()".to_owned());
    }
    if let Some(known) = foreign::function(name) {
        return Some(format!("say `{known}`"));
    }
    let known = SIGNATURES.iter().map(|signature| signature.name);
    let special = SPECIAL.iter().map(|(name, _)| *name);
    closest(name, known.chain(special)).map(|name| format!("did you mean `{name}`"))
}

impl Function {
    /// Applies the function. For a method, the first argument is the value that it is called on.
    pub(super) fn apply(
        self,
        arguments: &[Cow<'_, Value>],
        meter: &mut Meter,
    ) -> Result<Value, EvaluationFault> {
        let mut call = Call { function: self, arguments, meter };
        match self {
            Self::Size => call.size(),
            Self::Contains => call.contains(),
            Self::StartsWith => call.starts_with(),
            Self::EndsWith => call.ends_with(),
            Self::LowerAscii => call.lower(),
            Self::UpperAscii => call.upper(),
            Self::Trim => call.trim(),
            Self::Replace => call.replace(),
            Self::Split => call.split(),
            Self::Join => call.join(),
            Self::Substring => call.substring(),
            Self::IndexOf => call.index_of(),
            Self::LastIndexOf => call.last_index_of(),
            Self::CharAt => call.char_at(),
            Self::Truncate => call.truncate(),
            Self::First => call.end_of_list(true),
            Self::Last => call.end_of_list(false),
            Self::Base64Decode => call.base64_decode(),
            Self::Base64Encode => call.base64_encode(),
            Self::PercentDecode => call.percent_decode(),
            Self::PercentEncode => call.percent_encode(),
            Self::Json => call.json(),
            Self::Between => call.between(),
            Self::Int => call.int(),
            Self::Uint => call.uint(),
            Self::Double => call.double(),
            Self::Text => call.text_form(),
            Self::Bool => call.bool(),
        }
    }

    /// Whether it is called as a method with this number of further arguments.
    pub(super) fn is_method(self, arguments: usize) -> bool {
        let found = SIGNATURES.iter().find(|signature| signature.function == self);
        found.is_some_and(|signature| {
            signature.method.contains(&arguments) && signature.plain.is_empty()
        })
    }

    pub(super) fn name(self) -> &'static str {
        let found = SIGNATURES.iter().find(|signature| signature.function == self);
        found.map_or("function", |signature| signature.name)
    }
}

/// One call of a function.
struct Call<'c> {
    function: Function,
    arguments: &'c [Cow<'c, Value>],
    meter: &'c mut Meter,
}

impl<'c> Call<'c> {
    fn argument(&self, index: usize) -> &'c Value {
        self.arguments.get(index).map_or(&Value::Null, |value| value)
    }

    /// An argument that must be text. It charges for reading the text once.
    fn text(&mut self, index: usize) -> Result<&'c str, EvaluationFault> {
        let value = self.argument(index);
        let text = value.as_str().ok_or_else(|| self.unfit(value, "text"))?;
        self.meter.scan(text.len())?;
        Ok(text)
    }

    /// An optional argument that must be a whole number.
    fn number(&self, index: usize) -> Result<Option<i64>, EvaluationFault> {
        let Some(value) = self.arguments.get(index) else {
            return Ok(None);
        };
        let number = value.as_i64();
        number.map(Some).ok_or_else(|| self.unfit(value, "a whole number"))
    }

    /// An argument that is text, without a charge, for a function that charges by itself.
    fn short_text(&self, index: usize) -> Result<&'c str, EvaluationFault> {
        let value = self.argument(index);
        value.as_str().ok_or_else(|| self.unfit(value, "text"))
    }

    fn unfit(&self, value: &Value, wanted: &str) -> EvaluationFault {
        let (name, kind) = (self.function.name(), value.kind());
        let message = format!("`{name}` needs {wanted} and got {kind}");
        EvaluationFault::new(EvaluationFaultKind::Type, message)
    }

    fn bad_value(&self, what: &str) -> EvaluationFault {
        let message = format!("`{}`: {what}", self.function.name());
        EvaluationFault::new(EvaluationFaultKind::Value, message)
    }
}
