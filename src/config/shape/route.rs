//! `routes:`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Numbers, Period, Section, Size, Texts};
use crate::config::yaml::{At, Required};

/// A rule: which events start which job, with which environment variables.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of keys and values")]
#[schemars(rename = "Route")]
pub(in crate::config) struct RouteShape {
    /// The events that it matches. Every condition that is written must hold. A list of such
    /// sections matches if one of them does.
    pub(in crate::config) on: Required<At<OnShapes>>,
    /// One more condition, as a CEL expression that gives true or false.
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
    /// Send only the newest of the runs of this route for which this text is equal. The newest
    /// replaces those that are not sent yet, and records how many it replaced.
    #[schemars(example = &"${{ git.branch }}")]
    pub(in crate::config) latest_per: Option<At<String>>,
    /// How long a run waits for a newer one to replace it. Each newer run starts the wait again.
    #[schemars(example = &"30s")]
    pub(in crate::config) wait: Option<At<Period>>,
    /// The longest time that a series of such runs waits, counted from the first. Default: ten
    /// times `wait`.
    #[schemars(example = &"5m")]
    pub(in crate::config) wait_at_most: Option<At<Period>>,
    /// What to do if the route has a `path` condition, the sender's list of changed files may be
    /// incomplete, and no file in it matches.
    #[serde(default)]
    pub(in crate::config) on_unknown_paths: UnknownPathsShape,
    /// A description for people.
    pub(in crate::config) description: Option<String>,
}

/// The events that a route matches. Each condition is a text or a list of texts, of which one must
/// match: a literal or a pattern, as GitHub Actions reads them in its filters (docs/patterns.md). A
/// text that starts with `!` excludes. The last text that matches decides.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of conditions")]
#[schemars(rename = "On")]
pub(in crate::config) struct OnShape {
    /// The source, or several of them, by their names under `sources`.
    #[schemars(example = &"github")]
    pub(in crate::config) source: Required<At<Texts>>,
    /// The kind of event: the gateway's name, such as `push` or `pull_request`, or the sender's own
    /// name.
    #[schemars(example = &"push")]
    pub(in crate::config) event: Option<At<Texts>>,
    /// What happened, for kinds that have several actions, such as `opened` or `published`.
    pub(in crate::config) action: Option<At<Texts>>,
    /// Name of a command: in chat the first word after `/cdsw`, in a comment on a pull request the word
    /// after `/`. A command may only give arguments that the route reads, as `command.args.NAME`. For
    /// comments, `association`, `user` or `author` must say who may give it.
    #[schemars(example = &"retrain")]
    pub(in crate::config) command: Option<At<Texts>>,
    /// Who gave the command: the user's id in the chat program, or the name of the account that commented.
    /// User names in chat are not accepted, since they can be changed.
    #[schemars(example = &"U2CERLKJA")]
    pub(in crate::config) user: Option<At<Texts>>,
    /// Channel of the chat command: its id in the chat program, or its name. Other people may be
    /// able to give another channel the same name.
    #[schemars(example = &"G8PSS9T3V")]
    pub(in crate::config) channel: Option<At<Texts>>,
    /// What the person who gave a command in a comment on a pull request is to the repository, in the
    /// forge's word. GitHub says it. On other forges ask for the account by `user`.
    #[schemars(example = ["OWNER", "MEMBER", "COLLABORATOR"])]
    pub(in crate::config) association: Option<At<Texts>>,
    /// Full name of the repository.
    #[schemars(example = &"acme/risk")]
    pub(in crate::config) repository: Option<At<Texts>>,
    /// Branch or tag, so that one route can ask for either. A text that begins with `refs/` is
    /// compared with the full ref, any other with the name of the branch or tag.
    #[serde(rename = "ref")]
    #[schemars(example = ["main", "v*"], example = &"refs/tags/**")]
    pub(in crate::config) git_ref: Option<At<Texts>>,
    /// Branch. For a pull request, the branch to merge into.
    #[schemars(example = ["main", "release/**"])]
    pub(in crate::config) branch: Option<At<Texts>>,
    /// Tag.
    #[schemars(example = &"v*")]
    pub(in crate::config) tag: Option<At<Texts>>,
    /// Commit id after the event.
    pub(in crate::config) sha: Option<At<Texts>>,
    /// Commit id before the event.
    pub(in crate::config) before: Option<At<Texts>>,
    /// Account name of the person who acted, as it is; only `*` stands for other text.
    pub(in crate::config) author: Option<At<Texts>>,
    /// Claims of the sender's token, by name. Write a dot between the names of nested claims.
    #[schemars(example = serde_json::json!({ "repository": "acme/risk" }))]
    pub(in crate::config) claims: Option<At<Section<Texts>>>,
    /// Changed files. One file that matches is enough.
    #[schemars(example = ["models/**", "!**/*.md"])]
    pub(in crate::config) path: Option<At<Texts>>,
    /// The event must be about a pull request (or merge request) that meets these conditions.
    pub(in crate::config) pull_request: Option<At<PullRequestShape>>,
    /// `true`: the branch must be the repository's default branch. `false`: it must not be.
    pub(in crate::config) default_branch: Option<bool>,
    /// `true`: the event must delete its branch or tag. An event that deletes one starts only
    /// routes that say `true`.
    pub(in crate::config) deleted: Option<bool>,
    /// `true`: the push must be forced. `false`: it must not be.
    pub(in crate::config) forced: Option<bool>,
    /// Whether a pull request, or a build of its commit, may come from a fork, whose commit a stranger
    /// may have written. `false`: it must not. `true`: it must. `any`: it may. Without this key it must
    /// not, unless it has been merged.
    pub(in crate::config) fork: Option<At<ForkShape>>,
    /// How a build, job, pipeline, check, commit status or deployment must stand: `pending`, `running`,
    /// `success`, `failure`, `cancelled`, `skipped` or `neutral`, or a list of which one must match.
    #[schemars(example = &"success")]
    pub(in crate::config) status: Option<At<Texts>>,
}

/// One section of conditions, or a list of them.
#[derive(Clone, Debug)]
pub(in crate::config) enum OnShapes {
    One(Box<OnShape>),
    Many(Vec<At<OnShape>>),
}

struct Blocks;

impl<'de> Visitor<'de> for Blocks {
    type Value = OnShapes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section of conditions, or a list of them")
    }

    /// A section whose entries are all commented out.
    fn visit_unit<E: Error>(self) -> Result<OnShapes, E> {
        let nothing = std::iter::empty::<(&str, &str)>();
        OnShape::deserialize(MapDeserializer::new(nothing)).map(|on| OnShapes::One(Box::new(on)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OnShapes, A::Error> {
        let on = OnShape::deserialize(MapAccessDeserializer::new(map))?;
        Ok(OnShapes::One(Box::new(on)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OnShapes, A::Error> {
        let mut blocks = Vec::new();
        while let Some(block) = items.next_element()? {
            blocks.push(block);
        }
        Ok(OnShapes::Many(blocks))
    }
}

impl<'de> Deserialize<'de> for OnShapes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Blocks)
    }
}

impl JsonSchema for OnShapes {
    fn schema_name() -> Cow<'static, str> {
        "OnOrList".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<OnShape>();
        json_schema!({
            "description": "A section of conditions, or a list of them, of which one must match.",
            "anyOf": [one, { "type": "array", "minItems": 1, "items": one }]
        })
    }
}

/// The conditions that a pull request must meet.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a section of conditions")]
#[schemars(rename = "PullRequest")]
pub(in crate::config) struct PullRequestShape {
    /// Its number, or a list of numbers of which one must match.
    pub(in crate::config) number: Option<At<Numbers>>,
    /// What happened to it, such as `opened`, `synchronize` or `closed`.
    pub(in crate::config) action: Option<At<Texts>>,
    /// The branch to merge into.
    pub(in crate::config) base: Option<At<Texts>>,
    /// The branch to merge from.
    pub(in crate::config) head: Option<At<Texts>>,
    /// `true`: it must have been merged. `false`: it must not have been.
    pub(in crate::config) merged: Option<bool>,
    /// The same as `fork` beside `pull_request`.
    pub(in crate::config) fork: Option<At<ForkShape>>,
    /// `true`: it must be a draft. `false`: it must not be.
    pub(in crate::config) draft: Option<bool>,
    /// One of its labels.
    #[schemars(example = &"retrain")]
    pub(in crate::config) labels: Option<At<Texts>>,
}

/// Whether something may come from a fork: `true`, `false` or `any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum ForkShape {
    None,
    Only,
    Any,
}

impl<'de> Deserialize<'de> for ForkShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fork;
        impl Visitor<'_> for Fork {
            type Value = ForkShape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false` or `any`")
            }

            fn visit_bool<E: Error>(self, only: bool) -> Result<ForkShape, E> {
                Ok(if only { ForkShape::Only } else { ForkShape::None })
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ForkShape, E> {
                match text {
                    "any" => Ok(ForkShape::Any),
                    "true" => Ok(ForkShape::Only),
                    "false" => Ok(ForkShape::None),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Fork)
    }
}

impl JsonSchema for ForkShape {
    fn schema_name() -> Cow<'static, str> {
        "Fork".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [true, false, "any"] })
    }
}

/// What to do if the route has a `path` condition, the sender's list of changed files may be
/// incomplete, and no file in it matches.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OnUnknownPaths")]
pub(in crate::config) enum UnknownPathsShape {
    /// Start the job: one run too many is better than a missing run.
    #[default]
    Start,
    /// Start nothing.
    Skip,
    /// Hold the run until a person decides.
    Hold,
}

/// An environment variable: its text, or a section with its text and constraints.
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
    /// Its text. `${{ … }}` inserts the value of a CEL expression.
    #[schemars(example = &"${{ git.sha }}")]
    pub(in crate::config) value: Required<At<String>>,
    /// The text to use if a field that `value` names is missing or null. With neither this nor
    /// `omit`, the run fails in that case.
    pub(in crate::config) default: Option<At<String>>,
    /// Leave the variable out if a field that `value` names is missing or null.
    #[serde(default)]
    pub(in crate::config) omit: bool,
    /// A regular expression that the text must match. It may match any part of the text, unless it
    /// has `^` and `$`.
    #[schemars(example = &"^[0-9a-f]{40}$")]
    pub(in crate::config) matches: Option<At<String>>,
    /// The largest size of the text, at most 32 KiB.
    pub(in crate::config) max_bytes: Option<At<Size>>,
    /// Cut a longer text to `max_bytes`, at the end of a character. Without it, the run fails in
    /// that case.
    #[serde(default)]
    pub(in crate::config) truncate: bool,
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
