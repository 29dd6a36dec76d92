//! A payload as a tree of values. Expressions read it, and variables are written from it.
//!
//! It is parsed once and then shared: a clone of any part copies a pointer. A part of a document becomes a
//! value when it is first read; everything else stays in its bytes. A number keeps the digits that it has in
//! the payload.

mod document;
mod groups;
mod json;
mod text;
mod texts;

use std::sync::Arc;

pub(crate) use groups::List;
pub use groups::Object;
pub use json::JsonFault;

/// One value of a payload, or one that an expression built.
#[derive(Clone, Default, PartialEq)]
pub enum Value {
    /// JSON's `null`.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number that fits in 64 signed bits.
    Int(i64),
    /// A whole number of 64 unsigned bits that is too large for [`Value::Int`].
    UInt(u64),
    /// Any other number, with its digits as written.
    Double(Arc<Double>),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(List),
    /// Named fields.
    Map(Object),
}

/// A number that is not a whole number of 64 bits, with its text.
#[derive(Clone, Debug)]
pub struct Double {
    value: f64,
    text: Box<str>,
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A list of these values.
    pub fn list(values: Vec<Value>) -> Self {
        Self::List(values.into())
    }

    /// A list whose values `make` returns. It is called once, when the list is first read.
    pub fn list_later(make: impl Fn() -> Vec<Value> + Send + Sync + 'static) -> Self {
        Self::List(List::later(make))
    }

    /// A map of these fields; where a name is given twice, the later value wins.
    pub fn map<Name: Into<Box<str>>>(fields: Vec<(Name, Value)>) -> Self {
        Self::Map(Object::new(
            fields.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        ))
    }

    /// A number that was computed. Its digits are the shortest that parse to the same number.
    pub fn double(value: f64) -> Self {
        Self::Double(Arc::new(Double { value, text: text::digits(value).into() }))
    }

    /// The field of this name, if this is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Map(object) => object.get(name),
            _ => None,
        }
    }

    /// How many elements the list in the field of this name has, without making values of them; none where
    /// the field is missing or not a list.
    pub fn count_in(&self, name: &str) -> Option<usize> {
        match self {
            Self::Map(object) => object.count_in(name),
            _ => None,
        }
    }

    /// For a list or map that is part of a document: an identity of that part, and how many elements or
    /// fields it has. They become values, or are sorted, when they are first read, which has a cost.
    pub fn written(&self) -> Option<((usize, u32), usize)> {
        let part = match self {
            Self::List(list) => list.part(),
            Self::Map(object) => object.part(),
            _ => None,
        };
        part.map(|part| (part.place(), part.count()))
    }

    /// The value at the end of this path of field names.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, segment| value.get(segment))
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        self.as_arc_str().map(|text| &**text)
    }

    /// The text as a shared pointer, if this is one.
    pub fn as_arc_str(&self) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if this is one and it fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The whole number, if this is one that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int(number) => u64::try_from(*number).ok(),
            Self::UInt(number) => Some(*number),
            _ => None,
        }
    }

    /// True or false, if this is one of them.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// The fields, sorted by name; none, if this is not a map.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        let object = match self {
            Self::Map(object) => Some(object),
            _ => None,
        };
        object.map(Object::entries).unwrap_or_default()
    }

    /// True for JSON's `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The kind of this value, as error messages name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::UInt(_) => "a whole number",
            Self::Double(_) => "a decimal number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Double {
    /// The nearest `f64`, which comparisons and arithmetic use.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Whether it was written with digits of which an `f64` can hold nothing, such as `1e999`. Its digits can
    /// be read and written; computing and comparing with it would be wrong.
    pub fn is_too_large(&self) -> bool {
        self.value.is_infinite() && self.text.bytes().any(|byte| byte.is_ascii_digit())
    }

    /// The digits as they were written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && (self.value.is_finite() || self.text == other.text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        Self::list(values)
    }
}

impl<Inner: Into<Value>> From<Option<Inner>> for Value {
    /// `None` becomes null.
    fn from(value: Option<Inner>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests;
