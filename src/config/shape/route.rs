//! `routes:`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Numbers, Period, Section, Size, Texts};
use crate::config::yaml::{At, Required};

/// A rule: which events start which job, with which environment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of keys and values")]
#[schemars(rename = "Route")]
pub(in crate::config) struct RouteShape {
    /// The events that it is for. Every condition that is written must hold.
    pub(in crate::config) on: Required<At<OnShape>>,
    /// One more condition, as a CEL expression that is true or false.
    #[serde(rename = "if")]
    #[schemars(example = &"size(body.commits) > 0")]
    pub(in crate::config) condition: Option<At<String>>,
    /// The job to start, by its name under `jobs`.
    #[schemars(example = &"retrain")]
    pub(in crate::config) job: Required<At<String>>,
    /// The environment variables that the job gets.
    #[serde(default)]
    #[schemars(extend("propertyNames" = serde_json::json!({ "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })))]
    pub(in crate::config) env: Section<VariableShape>,
    /// Of the runs of this route for which this text is the same, only the newest is sent: it takes
    /// the place of those that are not sent yet, and knows how many it stands for.
    #[schemars(example = &"${{ git.branch }}")]
    pub(in crate::config) latest_per: Option<At<String>>,
    /// How long a run waits for a newer one to take its place; each newer one waits anew.
    #[schemars(example = &"30s")]
    pub(in crate::config) wait: Option<At<Period>>,
    /// How long the first of them may be made to wait in all. Default: ten times `wait`.
    #[schemars(example = &"5m")]
    pub(in crate::config) wait_at_most: Option<At<Period>>,
    /// What to do when `path` asks for files, the sender's list of them is not known to be whole,
    /// and none in it fits.
    #[serde(default)]
    pub(in crate::config) on_unknown_paths: UnknownPathsShape,
    /// What it is for, in words.
    pub(in crate::config) description: Option<String>,
}

/// The events that a route is for. Each condition is a text or a list of texts, of which one must
/// fit: a literal, or a pattern with `*` (within a path segment), `**`, `?`, `[a-z]` and `{a,b}`. A
/// text that starts with `!` excludes; the last text that fits decides.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of conditions")]
#[schemars(rename = "On")]
pub(in crate::config) struct OnShape {
    /// The source, by its name under `sources`; or several.
    #[schemars(example = &"github")]
    pub(in crate::config) source: Required<At<Texts>>,
    /// The kind of event, such as `push`, `pull_request` or the sender's own word.
    #[schemars(example = &"push")]
    pub(in crate::config) event: Option<At<Texts>>,
    /// What happened, within that kind, such as `opened` or `published`.
    pub(in crate::config) action: Option<At<Texts>>,
    /// Name of a chat command: the first word behind `/cdsw`. A command may give only the names that
    /// the route reads, as `command.args.NAME`.
    #[schemars(example = &"retrain")]
    pub(in crate::config) command: Option<At<Texts>>,
    /// Who gave the chat command: the chat program's id, since a name can be changed.
    #[schemars(example = &"U2CERLKJA")]
    pub(in crate::config) user: Option<At<Texts>>,
    /// Channel of the chat command: the chat program's id, or its name, which others may be able to
    /// give another channel.
    #[schemars(example = &"G8PSS9T3V")]
    pub(in crate::config) channel: Option<At<Texts>>,
    /// Full name of the repository.
    #[schemars(example = &"acme/risk")]
    pub(in crate::config) repository: Option<At<Texts>>,
    /// Branch; for a pull request, the one that it would be merged into.
    #[schemars(example = ["main", "release/**"])]
    pub(in crate::config) branch: Option<At<Texts>>,
    /// Tag.
    #[schemars(example = &"v*")]
    pub(in crate::config) tag: Option<At<Texts>>,
    /// Commit id after the event.
    pub(in crate::config) sha: Option<At<Texts>>,
    /// Commit id before the event.
    pub(in crate::config) before: Option<At<Texts>>,
    /// Account name of who acted.
    pub(in crate::config) author: Option<At<Texts>>,
    /// Claims of the sender's token, by name, with dots on the way into one that has parts.
    #[schemars(example = serde_json::json!({ "repository": "acme/risk" }))]
    pub(in crate::config) claims: Option<At<Section<Texts>>>,
    /// Changed files: one that fits is enough.
    #[schemars(example = ["models/**", "!**/*.md"])]
    pub(in crate::config) path: Option<At<Texts>>,
    /// The event must be about a pull request (or merge request), and such a one.
    pub(in crate::config) pull_request: Option<At<PullRequestShape>>,
    /// Whether the branch must be the repository's default branch, or must not.
    pub(in crate::config) default_branch: Option<bool>,
    /// Whether the event must delete its branch or tag. An event that deletes starts only routes
    /// that say `true`.
    pub(in crate::config) deleted: Option<bool>,
    /// Whether the push must be forced, or must not.
    pub(in crate::config) forced: Option<bool>,
}

/// What a pull request must be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of conditions")]
#[schemars(rename = "PullRequest")]
pub(in crate::config) struct PullRequestShape {
    /// Its number, or one of several.
    pub(in crate::config) number: Option<At<Numbers>>,
    /// What happened to it, such as `opened`, `synchronize` or `closed`.
    pub(in crate::config) action: Option<At<Texts>>,
    /// The branch that it would be merged into.
    pub(in crate::config) base: Option<At<Texts>>,
    /// The branch that it comes from.
    pub(in crate::config) head: Option<At<Texts>>,
    /// Whether it must have been merged, or must not.
    pub(in crate::config) merged: Option<bool>,
}

/// What to do when `path` asks for files, the sender's list of them is not known to be whole, and
/// none in it fits.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OnUnknownPaths")]
pub(in crate::config) enum UnknownPathsShape {
    /// Start the job: one run too many is better than one too few.
    #[default]
    Start,
    /// Start nothing.
    Skip,
    /// Hold the run until a person has looked.
    Hold,
}

/// An environment variable: its text, or its text with constraints.
#[derive(Clone, Debug)]
pub(in crate::config) enum VariableShape {
    Text(String),
    Full(FullVariable),
}

/// An environment variable with constraints.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section with `value`")]
#[schemars(rename = "Variable")]
pub(in crate::config) struct FullVariable {
    /// Its text, with `${{ … }}` holes for CEL expressions.
    #[schemars(example = &"${{ git.sha }}")]
    pub(in crate::config) value: Required<At<String>>,
    /// The text to use when a field that `value` names is missing or null. Without this and
    /// `omit`, the run then fails.
    pub(in crate::config) default: Option<At<String>>,
    /// Leave the variable out when a field that `value` names is missing or null.
    #[serde(default)]
    pub(in crate::config) omit: bool,
    /// A regular expression that the text must match; it matches anywhere unless it says `^` and
    /// `$`.
    #[schemars(example = &"^[0-9a-f]{40}$")]
    pub(in crate::config) matches: Option<At<String>>,
    /// Most bytes of the text; never more than 32 KiB.
    pub(in crate::config) max_bytes: Option<At<Size>>,
}

struct Variable;

impl<'de> Visitor<'de> for Variable {
    type Value = VariableShape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or a section with `value`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<VariableShape, E> {
        Ok(VariableShape::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<VariableShape, A::Error> {
        FullVariable::deserialize(MapAccessDeserializer::new(map)).map(VariableShape::Full)
    }
}

impl<'de> Deserialize<'de> for VariableShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Variable)
    }
}

impl JsonSchema for VariableShape {
    fn schema_name() -> Cow<'static, str> {
        "VariableOrText".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let full = generator.subschema_for::<FullVariable>();
        json_schema!({
            "description": "The text of an environment variable, with `${{ … }}` holes for CEL \
                            expressions; or a section with `value` and constraints.",
            "anyOf": [{ "type": ["string", "number", "boolean"] }, full]
        })
    }
}
