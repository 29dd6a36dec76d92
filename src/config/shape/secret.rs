//! How a configuration file refers to a secret. The file never holds the secret itself.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::config::secrets::Program;
use crate::config::yaml::Lenient;

/// A reference to a secret, as written.
#[derive(Clone, Debug)]
pub(in crate::config) enum SecretShape {
    Env(String),
    File(String),
    Command(Program),
}

/// Where a secret is: exactly one of `env`, `file` and `command`. The secret itself is never
/// written in a configuration file. One line end after the secret is removed. It must not be empty.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a reference: `env`, `file` or `command`")]
#[schemars(rename = "SecretReference", extend("minProperties" = 1, "maxProperties" = 2, "dependentRequired" = needed()))]
struct Fields {
    /// The name of an environment variable of the gateway process that holds the secret.
    #[schemars(example = &"GITHUB_WEBHOOK_SECRET")]
    env: Option<String>,
    /// A file that holds the secret. It is read again when it changes. A relative path is relative
    /// to the directory of `gateway.yaml`.
    #[schemars(example = &"/run/secrets/cdsw-alice")]
    file: Option<String>,
    /// A program and its arguments; the program prints the secret. No shell is used, and the
    /// program has 10 seconds. It runs once, and again when the configuration is reloaded. Of the
    /// environment it gets `PATH`, `HOME`, `LANG`, `LC_ALL`, `TZ` and `TMPDIR`, and what `pass_env` names.
    #[schemars(example = ["vault", "kv", "get", "-field=key", "secret/cdsw"])]
    #[serde(default, deserialize_with = "words")]
    command: Option<Vec<String>>,
    /// Variables of the gateway's environment that the program of `command` needs, by name.
    #[schemars(example = ["VAULT_ADDR", "VAULT_TOKEN"])]
    #[serde(default, deserialize_with = "names")]
    pass_env: Option<Vec<String>>,
}

/// The keys that a key needs beside it, as JSON Schema.
fn needed() -> serde_json::Value {
    serde_json::json!({ "pass_env": ["command"] })
}

/// Reads names of variables.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let words = "this must be a list of names\nwrite each name as an item, such as [VAULT_ADDR]";
    let names: Vec<String> = list(deserializer, words)?;
    // The text may be a secret, so the message does not show it.
    let good = names.iter().all(|name| can_be_a_variable(name));
    good.then_some(Some(names)).ok_or_else(|| {
        D::Error::custom(
            "`pass_env` takes names of variables, not values; those have A-Z, 0-9 and `_`",
        )
    })
}

/// Reads a program and its arguments. The error tells what to write instead of a single text.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    list(
        deserializer,
        "this must be a list of words\nwrite each word as an item, such as [vault, kv, get]",
    )
    .map(Some)
}

/// One reference to a secret, or a list of them.
#[derive(Clone, Debug)]
pub(in crate::config) enum SecretShapes {
    One(SecretShape),
    Many(Vec<Lenient<SecretShape>>),
}

struct References;

impl<'de> Visitor<'de> for References {
    type Value = SecretShapes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a secret or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretShapes, E> {
        Reference.visit_str(text).map(SecretShapes::One)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretShapes, A::Error> {
        Reference.visit_map(map).map(SecretShapes::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<SecretShapes, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(SecretShapes::Many(list))
    }
}

impl<'de> Deserialize<'de> for SecretShapes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(References)
    }
}

impl JsonSchema for SecretShapes {
    fn schema_name() -> Cow<'static, str> {
        "SecretReferences".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<SecretShape>();
        json_schema!({
            "description": "A reference to a secret, or a list of them.",
            "anyOf": [one, { "type": "array", "minItems": 1, "items": one }]
        })
    }
}

/// Reads a list of references to secrets. The error tells what to write if the value is not a list.
pub(super) fn references<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Lenient<SecretShape>>, D::Error> {
    list(deserializer, "this must be a list of references\nwrite `secrets: [{ env: NAME }]`")
}

/// Reads a list. `words` is the error for anything else.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    words: &'static str,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_any(List { words, of: PhantomData })
}

struct List<T> {
    words: &'static str,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Vec<T>, E> {
        Err(E::custom(self.words))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Vec<T>, A::Error> {
        Err(A::Error::custom(self.words))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(list)
    }
}

struct Reference;

const EXAMPLE: &str = "write { env: NAME }, { file: /path } or { command: [program, argument] }";

impl<'de> Visitor<'de> for Reference {
    type Value = SecretShape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a secret: `env`, `file` or `command`")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<SecretShape, E> {
        Err(E::custom(format!("a secret must be a reference, never the secret itself\n{EXAMPLE}")))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretShape, A::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(map))?;
        let fault = |words: &str| Err(A::Error::custom(format!("{words}\n{EXAMPLE}")));
        match fields {
            Fields { command: None, pass_env: Some(_), .. } => {
                fault("`pass_env` belongs to `command`: only a program gets an environment")
            }
            Fields { env: Some(name), file: None, command: None, pass_env: None } => {
                if !can_be_a_variable(&name) {
                    // The text may be the secret itself, so the message does not show it.
                    fault("`env` is not the name of a variable; those have A-Z, 0-9 and `_`")
                } else {
                    Ok(SecretShape::Env(name))
                }
            }
            Fields { env: None, file: Some(path), command: None, pass_env: None } => {
                if path.is_empty() { fault("`file` is empty") } else { Ok(SecretShape::File(path)) }
            }
            Fields { env: None, file: None, command: Some(words), pass_env } => {
                if words.first().is_none_or(String::is_empty) {
                    fault("`command` names no program")
                } else {
                    let pass_env = pass_env.unwrap_or_default();
                    Ok(SecretShape::Command(Program { words, pass_env }))
                }
            }
            Fields { env: None, file: None, command: None, .. } => fault("the reference is empty"),
            _ => fault("a reference takes one of `env`, `file` and `command`, not several"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reference)
    }
}

impl JsonSchema for SecretShape {
    fn schema_name() -> Cow<'static, str> {
        Fields::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Fields::json_schema(generator)
    }
}

/// Whether a text is a usual name of an environment variable (POSIX.1, 8.1, and lower-case
/// letters).
fn can_be_a_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
