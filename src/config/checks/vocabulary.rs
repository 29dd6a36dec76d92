//! The names that expressions may use: the variables of an event and their fields.

use crate::event::{COMMAND_FIELDS, DELIVERY_FIELDS, EVENT_FIELDS, VARIABLES};
use crate::expression::Vocabulary;

/// The fields of `git`, including those of its pull request.
const GIT: [&str; 32] = [
    "repository",
    "branch",
    "tag",
    "sha",
    "before",
    "author",
    "message",
    "paths",
    "paths_complete",
    "added",
    "modified",
    "removed",
    "pull_request.number",
    "pull_request.action",
    "pull_request.base",
    "pull_request.head",
    "pull_request.merged",
    "pull_request.fork",
    "pull_request.draft",
    "pull_request.labels",
    "pull_request.title",
    "pull_request.head_sha",
    "pull_request.merge_sha",
    "pull_request.source.repository",
    "pull_request.source.branch",
    "pull_request.target.repository",
    "pull_request.target.branch",
    "default_branch",
    "deleted",
    "forced",
    "fork",
    "status",
];

pub(super) fn vocabulary() -> Vocabulary {
    VARIABLES.into_iter().fold(Vocabulary::new(), |names, name| match name {
        "event" => names.closed(name, &EVENT_FIELDS),
        "delivery" => names.closed(name, &DELIVERY_FIELDS),
        "git" => names.closed(name, &GIT),
        "command" => names.closed(name, &COMMAND_FIELDS),
        _ => names.open(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{GIT_FIELDS, PULL_REQUEST_FIELDS, SIDE_FIELDS};
    use crate::expression::Expression;

    #[test]
    fn the_fields_are_those_that_an_event_gives() {
        let written: Vec<String> = GIT_FIELDS
            .into_iter()
            .flat_map(|field| match field {
                "pull_request" => PULL_REQUEST_FIELDS
                    .into_iter()
                    .flat_map(|inner| match inner {
                        "source" | "target" => {
                            SIDE_FIELDS.map(|side| format!("{field}.{inner}.{side}")).to_vec()
                        }
                        _ => vec![format!("{field}.{inner}")],
                    })
                    .collect(),
                _ => vec![field.to_owned()],
            })
            .collect();
        assert_eq!(written, GIT);
    }

    #[test]
    fn a_misspelt_field_of_a_command_is_found_and_its_values_are_free() {
        let compile = |source| Expression::compile(source, &vocabulary());
        assert!(compile("command.args.ANYTHING + command.args[\"x\"]").is_ok());
        let faults = compile("command.chanel").expect_err("unknown");
        assert_eq!(
            faults[0].to_string(),
            "`command` has no field `chanel` (did you mean `channel`)"
        );
    }
}
