//! The documentation page of the configuration. It is generated from the JSON Schema, so it cannot
//! differ from what the gateway accepts.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::schema;
use crate::model::{NEWLY_RESERVED, RESERVED};
use crate::providers::wrapped;

/// The text of `docs/configuration.md`.
pub fn docs_markdown() -> String {
    let schema = schema::schema();
    let page = Page { schema: &schema };
    let mut text = INTRODUCTION.to_owned();
    let mut sections = vec![Section::new(String::new(), &schema)];
    while !sections.is_empty() {
        let section = sections.remove(0);
        let below = page.section(&mut text, &section);
        // Depth first, so that a section is followed by its own sections.
        sections.splice(0..0, below);
    }
    text.push_str(PROVIDERS);
    text.push_str(RESERVED_NAMES);
    let names: Vec<String> = RESERVED.iter().map(|name| format!("`{name}`")).collect();
    let _ = writeln!(text, "{}", names.join(", "));
    text.push_str(NEWLY_RESERVED_NAMES);
    for family in NEWLY_RESERVED {
        let names: Vec<String> = family.names().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "- **{}** ({}): {}", family.of, family.why, names.join(", "));
    }
    text.push_str(ENDING);
    wrapped(&text)
}

struct Page<'a> {
    schema: &'a Value,
}

struct Section<'a> {
    path: String,
    schema: &'a Value,
}

impl<'a> Section<'a> {
    fn new(path: String, schema: &'a Value) -> Self {
        Self { path, schema }
    }
}

impl<'a> Page<'a> {
    /// Writes a section's table, and returns the sections below it.
    fn section(&self, text: &mut String, section: &Section<'a>) -> Vec<Section<'a>> {
        let title = if section.path.is_empty() { "Top level" } else { &section.path };
        let quoted = if section.path.is_empty() { title.to_owned() } else { format!("`{title}`") };
        let _ = write!(text, "\n## {quoted}\n\n");
        if !section.path.is_empty() {
            let _ = write!(text, "{}\n\n", described(section.schema));
        }
        text.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
        let required = section.schema.get("required").and_then(Value::as_array);
        let mut below = Vec::new();
        for (key, property) in properties(section.schema) {
            let must = required.is_some_and(|names| names.iter().any(|name| name == key));
            let default = match property.get("default") {
                Some(default) if !is_container(default) => format!("`{}`", bare(default)),
                _ if must => "required".to_owned(),
                _ => String::new(),
            };
            let kind = self.kind(property);
            let meaning = meaning(self.resolve(property), property);
            let _ = writeln!(text, "| `{key}` | {kind} | {default} | {meaning} |");
            let path = if section.path.is_empty() {
                key.clone()
            } else {
                format!("{}.{key}", section.path)
            };
            below.extend(self.below(path, property));
        }
        below
    }

    /// The section that a property holds, if it holds one. References to secrets and places in a
    /// request are explained only once.
    fn below(&self, path: String, property: &'a Value) -> Option<Section<'a>> {
        if let Some(inner) = property.get("additionalProperties").filter(|inner| inner.is_object())
        {
            return self.below(format!("{path}.NAME"), inner);
        }
        if let Some(items) = property.get("items") {
            return self.below(format!("{path}[]"), items);
        }
        let repeated = |end: &str| path.ends_with(end);
        if repeated("_tokens.NAME") || repeated("api_keys.NAME") || repeated("NAME.action") {
            return None;
        }
        let schema = self.resolve(property);
        let schema = schema
            .get("anyOf")
            .and_then(Value::as_array)
            .and_then(|choices| {
                choices.iter().map(|choice| self.resolve(choice)).find(|s| has_keys(s))
            })
            .unwrap_or(schema);
        has_keys(schema).then(|| Section::new(path, schema))
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|name| self.schema.pointer(name.strip_prefix('#')?))
            .unwrap_or(schema)
    }

    fn kind(&self, property: &'a Value) -> String {
        if let Some(name) = property.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            match name {
                "Duration" => return "length of time".to_owned(),
                "Rate" => return "rate".to_owned(),
                "Repeats" => return "`never` or section".to_owned(),
                "Size" => return "size".to_owned(),
                "Header" => return "header name".to_owned(),
                "OnOrList" => return "section or list".to_owned(),
                "Texts" => return "text or list".to_owned(),
                "Numbers" => return "number or list".to_owned(),
                "SecretReference" => return "reference to a secret".to_owned(),
                "SecretReferences" => return "reference to a secret or list".to_owned(),
                "VariableOrText" => return "text or section".to_owned(),
                _ => {}
            }
        }
        let schema = self.resolve(property);
        let words = words_of(schema);
        if !words.is_empty() {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            return words.join(", ");
        }
        if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
            return format!("names, each with a {}", self.kind(inner));
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => {
                let items =
                    schema.get("items").map_or_else(|| "text".to_owned(), |items| self.kind(items));
                format!("list of {items}")
            }
            Some("integer") => "number".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("object") => "section".to_owned(),
            _ => "text".to_owned(),
        }
    }
}

/// The words that a value may be, each with its meaning if it has one.
fn words_of(schema: &Value) -> Vec<(&str, &str)> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().filter_map(Value::as_str).map(|word| (word, "")).collect();
    }
    let choices = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    choices
        .filter_map(|choice| {
            let meaning = choice.get("description").and_then(Value::as_str).unwrap_or_default();
            Some((choice.get("const")?.as_str()?, meaning))
        })
        .collect()
}

fn meaning(resolved: &Value, property: &Value) -> String {
    let own = property.get("description").and_then(Value::as_str);
    let general = resolved.get("description").and_then(Value::as_str);
    let mut text = own.or(general).unwrap_or_default().replace('\n', " ");
    for (word, meaning) in words_of(resolved) {
        if !meaning.is_empty() {
            let _ = write!(text, " `{word}`: {}", meaning.replace('\n', " "));
        }
    }
    let examples = property.get("examples").and_then(Value::as_array).into_iter().flatten();
    let examples: Vec<String> = examples.map(|example| format!("`{}`", bare(example))).collect();
    if !examples.is_empty() {
        let _ = write!(text, " Example: {}.", examples.join(", "));
    }
    text.replace('|', "\\|")
}

fn described(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn has_keys(schema: &Value) -> bool {
    schema.get("properties").is_some()
}

fn is_container(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(|inner| !inner.is_null()),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(bare).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Made from the types in src/config/shape. Change those, then run the tests with UPDATE=1. -->

One file, `gateway.yaml`, and any number of files in `routes.d/` beside it, which may hold only
`routes:`. Names that start with a dot are skipped there. Every fault in every file is reported at
once, by `cdsw-gateway check`.

The files are read again when their content changes and on SIGHUP. A broken `gateway.yaml` changes
nothing; a broken file in `routes.d/` holds back its own routes alone, and its last good version
stays in force. A name of a route that several files claim is held back in each of them, also in
`gateway.yaml`, and reported for each; the rest of those files is in force. `store` and most of `server`
take effect at the next start only.

`routes.d/` is no security boundary yet: any file there may start each job from each source, with
whatever a delivery holds in its variables. Review who may write there.

Only regular files are read: a FIFO or a device is refused without being opened, and so is a link in
`routes.d/` that leads out of the directory of `gateway.yaml` (and of `routes.d/`, where that is a link
or a mount itself).

A report shows the line of a fault, and of that line only what cannot be a secret: keys, declared names,
small numbers, and, where the fault is, short plain words. Everything else is `‹hidden›`, and comments are
left out. A file that has none of the keys that belong on top is never quoted. A name that a person gave (of a
route, job, source, workbench, key or variable) is shown where it looks like one: up to 40 letters, digits,
`-`, `_` and `.`, in plain words.

For completion and checks in an editor, put this line on top of the file:

```yaml
# yaml-language-server: $schema=gateway.schema.json
```

Files are YAML with keys, lists and text. Anchors, aliases and merge keys work within one file; tags are refused, and so
are a key that is there twice, a key without a value, and a second document. What stands under a key on top that begins
with `x-` is read by nothing: a place for what several routes share.

```yaml
x-team: &team [ada, grace]

routes:
  retrain: &retrain
    on: { source: github, event: push, author: *team }
    job: retrain
  retrain-on-tag:
    <<: *retrain                    # all keys of `retrain`, but for those that are written here
    on: { source: github, tag: \"v*\", author: *team }
```
";

const PROVIDERS: &str = "
## Providers

Which options belong to which provider, and what to set at the sender's side:
[providers.md](providers.md).
";

const RESERVED_NAMES: &str = "
## Reserved variable names

A route may not set these, in upper or lower case (`*` stands for any ending), because they change
what a job is allowed to do or how its programs start. An admin can allow one for a job with
`allow_reserved`; names that start with `GATEWAY_` cannot be allowed.

";

const NEWLY_RESERVED_NAMES: &str = "
These are reserved since this version. `check` refuses them unless the job allows them; `serve` still accepts
them in this version, with a warning (see [what only this version accepts](#what-only-this-version-accepts)).
What each could do if a sender chose its value stands beside it.

";

const ENDING: &str = "
## What only this version accepts

An upgrade must not stop a gateway. So a fault that an earlier version did not know is reported by `check`, which
then fails, while `serve` keeps the setting in force for this version: it logs the fault as a warning, `/readyz`
and `/api/status` have a note where it stands in the files, and `doctor` reports it. The next version refuses it.
These are:

- a variable with a name that is reserved since this version,
- a source that believes every user of a platform (`travis-ci`, or `jwt` with the issuer of a public platform) without a
  condition on the owner,
- a webhook secret or admin token that can be guessed: of fewer than 16 bytes, of fewer than 6 different ones, one short
  text again and again, or made of common words; or one that is blank.

## Forms of text

| form | written as |
|---|---|
| length of time | a whole number and `ms`, `s`, `m`, `h` or `d`: `30s`, `5m`, `2h`, `30d` |
| size | a whole number of bytes, or one with `B`, `KiB`, `MiB` or `GiB`: `4096`, `64KiB` |
| rate | a whole number, a slash and `s`, `m`, `h` or `d`: `10/s`, `60/m`; that many may come at once, and the limit refills evenly |
| address or network | `203.0.113.7`, `10.0.0.0/8`, `2001:db8::/32`; an address alone is a network of one, and bits set beyond the prefix are a fault |
| name | 1 to 64 of `a-z`, `0-9`, `-` and `_`, beginning with a letter or a digit |
| pattern | a literal, or text with `*` (any text without `/`), `**` (any text), `?` and `+` (none or one, one or more of what stands in front), `[a-z]`; `\\` takes the next character as it is; `!` in front excludes; the last that matches decides; see [patterns.md](patterns.md) |
| reference to a secret | exactly one of `{ env: NAME }`, `{ file: /path }`, `{ command: [program, argument] }`; a command may have `pass_env: [NAME]` beside it |
| template | text with `${{ … }}` holes, each a CEL expression; between `{ }` or `[ ]` it must be in quotes |

## Limits

| what | most |
|---|---|
| a configuration file | 4 MiB, 64 levels of nesting |
| a secret | 64 KiB |
| one variable | 32 KiB |
| all variables of a run | `env_max` of the job, at most 1 MiB |
";
