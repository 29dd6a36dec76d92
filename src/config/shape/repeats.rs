//! `repeats`: for how long a source's delivery is known, so that a repeat of it is recognized.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Period;
use crate::config::yaml::{At, Required};

/// `never`, or a section with `window`.
#[derive(Clone, Debug)]
pub(in crate::config) enum RepeatsShape {
    Never,
    Within(WindowShape),
}

/// How long a delivery is known.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section with `window`")]
#[schemars(rename = "RepeatsWindow")]
pub(in crate::config) struct WindowShape {
    /// Within this time after a delivery, a request with the same id and content, or, where the sender
    /// gives no id, with the same signed bytes, is a repeat of it. At most `retention.keep`.
    #[schemars(example = &"7d")]
    pub(in crate::config) window: Required<At<Period>>,
}

struct Repeats;

impl<'de> Visitor<'de> for Repeats {
    type Value = RepeatsShape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`never`, or a section with `window`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RepeatsShape, E> {
        if text == "never" {
            return Ok(RepeatsShape::Never);
        }
        Err(E::custom(format!(
            "`{text}` does not say what a repeat is\nwrite never, or a section such as \
             {{ window: 10m }}"
        )))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RepeatsShape, A::Error> {
        WindowShape::deserialize(MapAccessDeserializer::new(map)).map(RepeatsShape::Within)
    }
}

impl<'de> Deserialize<'de> for RepeatsShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Repeats)
    }
}

impl JsonSchema for RepeatsShape {
    fn schema_name() -> Cow<'static, str> {
        "Repeats".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let window = generator.subschema_for::<WindowShape>();
        json_schema!({
            "description": "`never`, or a section with the `window` in which repeats are recognized.",
            "anyOf": [{ "const": "never" }, window]
        })
    }
}
