//! Wrappers for the fields of a configuration type. [`At`] records where a value is in the file,
//! [`Lenient`] lets a value be broken while the section around it is still read, and [`Required`]
//! reports a missing field later.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::tree::Id;

/// The names under which the wrappers ask our deserializer for the place of a value.
pub(super) const AT: &str = "$at";
pub(super) const LENIENT: &str = "$lenient";

/// A value and the node that it was read from. A default value has no node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::config) struct At<T> {
    pub(in crate::config) id: Option<Id>,
    pub(in crate::config) value: T,
}

impl<T> At<T> {
    /// A default value, which no file contains.
    pub(in crate::config) fn default_of(value: T) -> Self {
        Self { id: None, value }
    }
}

/// A value in a list or section. If it is broken, only this value is left out.
#[derive(Clone, Debug)]
pub(in crate::config) struct Lenient<T> {
    pub(in crate::config) id: Id,
    pub(in crate::config) value: Option<T>,
}

/// A field that must be present. A missing field is read as `None` and is no error, so that the
/// fields beside it are still checked. The checks then report that it is missing.
#[derive(Clone, Debug)]
pub(in crate::config) struct Required<T>(pub(in crate::config) Option<T>);

impl<T> Default for Required<T> {
    fn default() -> Self {
        Self(None)
    }
}

struct Placed<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Placed<T> {
    type Value = (usize, Option<T>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let id = parts.next_element()?.ok_or_else(|| A::Error::custom("no place"))?;
        Ok((id, parts.next_element()?))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (id, value) = deserializer.deserialize_newtype_struct(AT, Placed(PhantomData))?;
        let value = value.ok_or_else(|| D::Error::custom("no value"))?;
        Ok(Self { id: Some(Id(id)), value })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (id, value) = deserializer.deserialize_newtype_struct(LENIENT, Placed(PhantomData))?;
        Ok(Self { id: Id(id), value })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Required<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Serde reads a missing field as an absent option. Our own deserializer reads every field
        // that is present as a present option.
        Option::<T>::deserialize(deserializer).map(Self)
    }
}

impl<T: Serialize> Serialize for At<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

macro_rules! schema_of_inner {
    ($wrapper:ident) => {
        impl<T: JsonSchema> JsonSchema for $wrapper<T> {
            fn inline_schema() -> bool {
                T::inline_schema()
            }
            fn schema_name() -> Cow<'static, str> {
                T::schema_name()
            }
            fn schema_id() -> Cow<'static, str> {
                T::schema_id()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    };
}

schema_of_inner!(At);
schema_of_inner!(Lenient);
schema_of_inner!(Required);
