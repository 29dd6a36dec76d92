//! Values that are one text or number, or a list of them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::config::yaml::{At, Id};

/// One text or a list of texts.
#[derive(Clone, Debug)]
pub(in crate::config) enum Texts {
    One(String),
    Many(Vec<At<String>>),
}

impl At<Texts> {
    /// Every text, with the node of the file that holds it.
    pub(in crate::config) fn each(&self) -> Vec<(Option<Id>, &str)> {
        match &self.value {
            Texts::One(text) => vec![(self.id, text)],
            Texts::Many(texts) => texts.iter().map(|text| (text.id, text.value.as_str())).collect(),
        }
    }
}

/// One whole number or a list of them.
#[derive(Clone, Debug)]
pub(in crate::config) struct Numbers(pub(in crate::config) Vec<u64>);

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a list of texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        Ok(Texts::Many(texts))
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct NumbersVisitor;

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = Numbers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Numbers, E> {
        let number =
            text.parse().map_err(|_| E::invalid_type(serde::de::Unexpected::Str(text), &self))?;
        Ok(Numbers(vec![number]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Numbers, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = items.next_element()? {
            numbers.push(number);
        }
        Ok(Numbers(numbers))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumbersVisitor)
    }
}

impl JsonSchema for Texts {
    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text or a list of texts.",
            "anyOf": [
                { "type": ["string", "number"], "minLength": 1 },
                { "type": "array", "minItems": 1, "items": { "type": ["string", "number"], "minLength": 1 } }
            ]
        })
    }
}

impl JsonSchema for Numbers {
    fn schema_name() -> Cow<'static, str> {
        "Numbers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A whole number or a list of them.",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "array", "minItems": 1, "items": { "type": "integer", "minimum": 0 } }
            ]
        })
    }
}
