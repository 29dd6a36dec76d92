//! `env:` of a route: the names, texts and constraints of its variables.

use regex::Regex;

use super::checker::Checker;
use super::vocabulary::vocabulary;
use crate::config::report::Effect;
use crate::config::shape::{FullVariable, Section, VariableShape};
use crate::config::yaml::{At, Id};
use crate::expression::{Expression, Template, Vocabulary};
use crate::mapping::{DEFAULT_MAX_BYTES, DEFAULT_MAX_TOTAL, Mapping, Variable, valid_name};
use crate::model::{is_newly_reserved, is_own, is_reserved};

/// The largest value of a variable, in bytes.
const MOST: u64 = DEFAULT_MAX_BYTES as u64;

/// The mapping of a route. `allowed` are the reserved names that its job allows, or `None` if the
/// job could not be read.
pub(super) fn mapping(
    checker: Checker<'_>,
    section: Section<VariableShape>,
    allowed: Option<&[String]>,
    env_max: Option<usize>,
) -> Mapping {
    let names = vocabulary();
    let mut variables = Vec::new();
    for (name, entry) in section {
        check_name(checker, entry.id, &name, allowed);
        let variable = match entry.value {
            Some(VariableShape::Text(text)) => template(checker, Some(entry.id), &text, &names)
                .map(|template| Variable::new(name, template)),
            Some(VariableShape::Full(shape)) => full(checker, name, entry.id, shape, &names),
            None => None,
        };
        variables.extend(variable);
    }
    Mapping { variables, max_total: env_max.unwrap_or(DEFAULT_MAX_TOTAL) }
}

fn check_name(checker: Checker<'_>, id: Id, name: &str, allowed: Option<&[String]>) {
    if !valid_name(name) {
        let hint = "use letters, digits and `_`, and do not start with a digit".to_owned();
        checker.fault_of_key(id, format!("`{name}` cannot be the name of a variable"), hint);
        return;
    }
    if is_own(name) {
        let hint = "names that start with GATEWAY_ are set by the gateway itself".to_owned();
        checker.fault_of_key(id, format!("`{name}` is reserved"), hint);
        return;
    }
    let Some(allowed) = allowed else { return };
    if allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
        return;
    }
    let by = |pattern: &str| {
        if pattern == name { String::new() } else { format!(" (as `{pattern}`)") }
    };
    let hint = format!(
        "choose another name; an admin can put it under the job's `allow_reserved: [{name}]`"
    );
    if let Some(pattern) = is_reserved(name) {
        checker.fault_of_key(id, format!("`{name}` is reserved{}", by(pattern)), hint);
    } else if let Some((pattern, family)) = is_newly_reserved(name) {
        let message = format!(
            "`{name}` is reserved{}: it belongs to {}, and {}",
            by(pattern),
            family.of,
            family.why
        );
        checker.fault_with(id, message, hint, Effect::Tolerated, Vec::new());
    }
}

fn full(
    checker: Checker<'_>,
    name: String,
    id: Id,
    shape: FullVariable,
    names: &Vocabulary,
) -> Option<Variable> {
    if let (Some(default), true) = (&shape.default, shape.omit) {
        let hint = "keep one of the two".to_owned();
        checker.fault(default.id, "`default` and `omit: true` contradict each other", hint);
    }
    let matches = shape.matches.as_ref().and_then(|at| expression(checker, at));
    if let Some(at) = shape.max_bytes.as_ref().filter(|at| at.value.0 == 0 || at.value.0 > MOST) {
        checker.fault(at.id, "`max_bytes` must be from 1B to 32KiB", None);
    }
    let value = checker.need(id, "value", shape.value)?;
    let template = template(checker, value.id, &value.value, names)?;
    let mut variable = Variable::new(name, template);
    variable.default = shape.default.map(|at| at.value.into());
    variable.omit = shape.omit;
    variable.truncate = shape.truncate;
    variable.matches = matches;
    if let Some(at) = shape.max_bytes {
        variable.max_bytes = usize::try_from(at.value.0).unwrap_or(DEFAULT_MAX_BYTES);
    }
    Some(variable)
}

fn expression(checker: Checker<'_>, at: &At<String>) -> Option<Regex> {
    match Regex::new(&at.value) {
        Ok(_) if at.value.is_empty() => {
            checker.fault(
                at.id,
                "`matches` is empty",
                "remove the key to accept any text".to_owned(),
            );
            None
        }
        Ok(regex) => Some(regex),
        Err(regex::Error::CompiledTooBig(_)) => {
            checker.fault(at.id, "this regular expression is too large", None);
            None
        }
        Err(error) => {
            // The last line says what is wrong. The other lines repeat the expression.
            let words = error.to_string();
            let last = words.lines().last().unwrap_or_default();
            let last = last.strip_prefix("error: ").unwrap_or(last);
            checker.fault(at.id, format!("this is not a regular expression: {last}"), None);
            None
        }
    }
}

/// Finds text in the form `${ … }` or `{{ … }}` that was probably meant as a hole, and what is
/// inside. It must be a valid expression, because other programs use such templates too.
fn near_hole<'t>(text: &'t str, names: &Vocabulary) -> Option<(&'t str, &'t str)> {
    let opens = [("${", "}"), ("{{", "}}")];
    let starts = opens.iter().flat_map(|(open, close)| {
        text.match_indices(open).map(move |(start, _)| (start, *open, *close))
    });
    starts
        .filter(|(start, open, _)| match *open {
            "${" => !text[start + 2..].starts_with('{'),
            _ => !text[..*start].ends_with('$'),
        })
        .find_map(|(start, open, close)| {
            let inside = &text[start + open.len()..];
            let inside = &inside[..inside.find(close)?];
            let end = start + open.len() + inside.len() + close.len();
            let is_path = inside.trim().starts_with(|letter: char| letter.is_ascii_lowercase())
                && inside.contains(['.', '[']);
            let meant = is_path && Expression::compile(inside.trim(), names).is_ok();
            meant.then(|| (&text[start..end], inside.trim()))
        })
}

/// Compiles a text with holes. Every fault is reported at its place in the text.
pub(super) fn template(
    checker: Checker<'_>,
    id: Option<Id>,
    text: &str,
    names: &Vocabulary,
) -> Option<Template> {
    match Template::compile(text, names) {
        Ok(template) => {
            if let (Some(id), Some((written, inside))) = (id, near_hole(text, names)) {
                let hint = format!("write `${{{{ {inside} }}}}` for the value");
                checker.warn(id, format!("`{written}` is plain text, not a value"), hint);
            }
            Some(template)
        }
        Err(faults) => {
            for fault in faults {
                let part = fault.offset..fault.offset + fault.length;
                match id {
                    Some(id) => checker.fault_within(id, part, fault.message, fault.hint),
                    None => checker.fault(None, fault.message, fault.hint),
                }
            }
            None
        }
    }
}
