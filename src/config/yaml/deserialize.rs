//! A serde deserializer over a tree. Its errors carry the node that they are about.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use saphyr_parser::ScalarStyle;
use serde::de::value::{StrDeserializer, UsizeDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::at::{AT, LENIENT};
use super::tree::{Id, Kind, Tree};

/// Why a node does not have the expected form.
#[derive(Debug)]
pub(super) struct ShapeError {
    /// The node, once it is known.
    pub(super) at: Option<Id>,
    pub(super) kind: ErrorKind,
}

#[derive(Debug)]
pub(super) enum ErrorKind {
    /// A key that is not allowed here.
    UnknownKey { known: &'static [&'static str] },
    /// A text that is not one of these words.
    UnknownWord { known: &'static [&'static str] },
    /// A value of another kind than expected.
    Type { expected: String },
    /// A value that its own type refused. A hint may follow on a second line.
    Refused(String),
}

impl ShapeError {
    fn new(kind: ErrorKind) -> Self {
        Self { at: None, kind }
    }

    fn at(mut self, id: Id) -> Self {
        self.at = self.at.or(Some(id));
        self
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for ShapeError {}

impl serde::de::Error for ShapeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(ErrorKind::Refused(message.to_string()))
    }

    // The message is built from the tree, which knows whether the value may be shown.
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(ErrorKind::Type { expected: expected.to_string() })
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(ErrorKind::Type { expected: expected.to_string() })
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(ErrorKind::UnknownKey { known })
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::new(ErrorKind::UnknownWord { known })
    }
}

/// What one pass over a tree found.
#[derive(Default)]
pub(super) struct Pass {
    pub(super) errors: RefCell<Vec<ShapeError>>,
    pub(super) cut: RefCell<HashSet<Id>>,
    pub(super) again: Cell<bool>,
}

/// A node that is about to be read.
#[derive(Clone, Copy)]
pub(super) struct NodeReader<'a> {
    pub(super) tree: &'a Tree,
    pub(super) id: Id,
    pub(super) pass: &'a Pass,
}

impl<'a> NodeReader<'a> {
    fn kind(&self) -> &'a Kind {
        &self.tree.node(self.id).kind
    }

    fn to(self, id: Id) -> Self {
        Self { id, ..self }
    }

    /// Runs a step, and attaches this node to its error.
    fn tied<T>(self, result: Result<T, ShapeError>) -> Result<T, ShapeError> {
        result.map_err(|error| error.at(self.id))
    }

    fn expected(self, what: &str) -> ShapeError {
        ShapeError::new(ErrorKind::Type { expected: what.to_owned() }).at(self.id)
    }

    fn children(self) -> std::iter::Filter<std::slice::Iter<'a, Id>, impl FnMut(&&'a Id) -> bool> {
        let tree = self.tree;
        tree.children(self.id).iter().filter(move |child| !tree.is_cut(**child))
    }

    fn plain_text(self) -> Option<&'a str> {
        match self.kind() {
            Kind::Scalar { text, style: ScalarStyle::Plain } => Some(text),
            _ => None,
        }
    }

    fn number(self, expected: &str) -> Result<u64, ShapeError> {
        self.plain_text().and_then(|text| text.parse().ok()).ok_or_else(|| self.expected(expected))
    }
}

struct Children<'a, I> {
    parent: NodeReader<'a>,
    left: I,
    value: Option<Id>,
}

impl<'de, I: Iterator<Item = &'de Id>> SeqAccess<'de> for Children<'de, I> {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ShapeError> {
        let Some(id) = self.left.next() else { return Ok(None) };
        let item = self.parent.to(*id);
        item.tied(seed.deserialize(item)).map(Some)
    }
}

impl<'de, I: Iterator<Item = &'de Id>> MapAccess<'de> for Children<'de, I> {
    type Error = ShapeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ShapeError> {
        let Some(id) = self.left.next() else { return Ok(None) };
        self.value = Some(*id);
        let entry = self.parent.to(*id);
        let key = entry.tree.key(*id).unwrap_or_default();
        let key: StrDeserializer<'_, ShapeError> = key.into_deserializer();
        entry.tied(seed.deserialize(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ShapeError> {
        let id = self.value.take().ok_or_else(|| ShapeError::custom("no value is left"))?;
        let value = self.parent.to(id);
        value.tied(seed.deserialize(value))
    }
}

/// A sequence of a node's id and its value. With `lenient`, it ends after the id if the value is
/// broken.
struct WithPlace<'a> {
    node: NodeReader<'a>,
    step: u8,
    lenient: bool,
}

impl<'de> SeqAccess<'de> for WithPlace<'de> {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ShapeError> {
        self.step += 1;
        if self.step == 1 {
            let id: UsizeDeserializer<ShapeError> = self.node.id.0.into_deserializer();
            return seed.deserialize(id).map(Some);
        }
        match self.node.tied(seed.deserialize(self.node)) {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.lenient => {
                let pass = self.node.pass;
                pass.cut.borrow_mut().extend(error.at);
                pass.errors.borrow_mut().push(error);
                pass.again.set(true);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
            let number = self.number("a whole number")?;
            self.tied(visitor.visit_u64(number))
        }
    )*};
}

impl<'de> Deserializer<'de> for NodeReader<'de> {
    type Error = ShapeError;

    /// For types that accept several forms: text, a list or a section.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let left = self.children();
        let children = Children { parent: self, left, value: None };
        self.tied(match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Scalar { text, .. } => visitor.visit_borrowed_str(text),
            Kind::List(_) => visitor.visit_seq(children),
            Kind::Map(_) => visitor.visit_map(children),
        })
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.plain_text() {
            Some("true") => self.tied(visitor.visit_bool(true)),
            Some("false") => self.tied(visitor.visit_bool(false)),
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    numbers! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.kind() {
            Kind::Scalar { text, .. } => self.tied(visitor.visit_borrowed_str(text)),
            _ => Err(self.expected("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        self.deserialize_str(visitor)
    }

    /// A key that is present must have a value. A key without one is a fault, not an absent field.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        self.tied(visitor.visit_some(self))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match name {
            AT => visitor.visit_seq(WithPlace { node: self, step: 0, lenient: false }),
            LENIENT => visitor.visit_seq(WithPlace { node: self, step: 0, lenient: true }),
            _ => self.tied(visitor.visit_newtype_struct(self)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.kind() {
            Kind::List(_) => self.deserialize_any(visitor),
            _ => Err(self.expected("a list")),
        }
    }

    /// A section whose entries are all commented out is read as an empty section.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.kind() {
            Kind::Map(_) => self.deserialize_any(visitor),
            Kind::Null => {
                let left = self.children();
                self.tied(visitor.visit_map(Children { parent: self, left, value: None }))
            }
            _ => Err(self.expected("a section of keys and values")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match self.kind() {
            Kind::Scalar { text, .. } => {
                let word: StrDeserializer<'_, ShapeError> = text.as_str().into_deserializer();
                self.tied(visitor.visit_enum(word))
            }
            _ => Err(self.expected(&format!("one of `{}`", words.join("`, `")))),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}
