//! Changed files that the sender may not have listed. What a condition makes of a list that may lack some is not
//! known: neither true nor false. The route says what follows (`on_unknown_paths`).

use super::UnknownPaths;
use crate::event::PATH_FIELDS;
use crate::expression::{Context, EvaluationFault, Expression};
use crate::model::{GitFacts, Value};

/// What follows from a condition that cannot be decided.
pub(super) enum Follows {
    /// A match, with a remark.
    Start(String),
    /// A match whose run a person must release, with the reason.
    Hold(String),
    /// No match, with the reason.
    Skip(String),
}

/// What follows from a condition of key `test` that cannot be decided because of `why`.
pub(super) fn follows(test: &str, why: &str, unknown: UnknownPaths) -> Follows {
    match unknown {
        UnknownPaths::Start => Follows::Start(format!(
            "{test}: {why}, so the run is started (on_unknown_paths: start)"
        )),
        UnknownPaths::Hold => {
            Follows::Hold(format!("{test}: {why}, so a person must say (on_unknown_paths: hold)"))
        }
        UnknownPaths::Skip => Follows::Skip(format!("{why} (on_unknown_paths: skip)")),
    }
}

/// The result of a condition that reads a list of files which may not be whole: `Ok(None)` where the result
/// depends on the list, else what it is whatever the list holds. A condition that also asks for
/// `git.paths_complete` decides for itself. `None` where the condition does not depend on such a list at all.
pub(super) fn test(
    condition: &Expression,
    git: Option<&GitFacts>,
    context: &Context,
) -> Option<Result<Option<bool>, EvaluationFault>> {
    git.filter(|git| !git.paths.complete)?;
    let reads = condition.reads(&["git"]);
    let mut names = reads.needed.iter().chain(&reads.optional).map(|name| &**name);
    let mut asks = names.clone();
    let reads_list = names.any(|name| PATH_FIELDS.contains(&name));
    if !reads_list || asks.any(|name| name == "paths_complete") {
        return None;
    }
    let masked = context.masked("git", without_paths(context.get("git")?));
    match condition.test(&masked) {
        Ok(decided) => Some(Ok(Some(decided))),
        // It depends on the list, or fails for another reason, which is then to be told.
        Err(_) => Some(condition.test(context).map(|_| None)),
    }
}

fn without_paths(git: &Value) -> Value {
    let told = git.entries().filter(|(field, _)| !PATH_FIELDS.contains(field));
    Value::map(told.map(|(field, value)| (field, value.clone())).collect())
}
