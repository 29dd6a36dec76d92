//! Names of other languages that people write in expressions, and what they are called here.

/// Functions of other languages, each with the one that is meant.
const FUNCTIONS: [(&str, &str); 17] = [
    ("len", "size"),
    ("length", "size"),
    ("count", "size"),
    ("includes", "contains"),
    ("has_key", "has"),
    ("exist", "exists"),
    ("any", "exists"),
    ("some", "exists"),
    ("every", "all"),
    ("lower", "lowerAscii"),
    ("toLowerCase", "lowerAscii"),
    ("upper", "upperAscii"),
    ("toUpperCase", "upperAscii"),
    ("strip", "trim"),
    ("str", "string"),
    ("toJSON", "string"),
    ("match", "matches"),
];

/// Fields of GitHub Actions' `github`, each with the name that it has here. Source: GitHub's page "Contexts".
const GITHUB: [(&str, &str); 11] = [
    ("sha", "git.sha"),
    ("ref", "git.branch"),
    ("ref_name", "git.branch"),
    ("head_ref", "git.pull_request.head"),
    ("base_ref", "git.pull_request.base"),
    ("repository", "git.repository"),
    ("actor", "git.author"),
    ("triggering_actor", "git.author"),
    ("event_name", "event.kind"),
    ("run_id", "delivery.id"),
    ("event", "body"),
];

/// The function that is meant by a name of another language.
pub(super) fn function(name: &str) -> Option<&'static str> {
    FUNCTIONS.iter().find(|(foreign, _)| *foreign == name).map(|(_, known)| *known)
}

/// What to write for a field of GitHub Actions' `github`, from the text after that name.
pub(super) fn github(after: &str) -> Option<String> {
    let after = after.strip_prefix('.')?;
    let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    let path = &after[..end.unwrap_or(after.len())];
    let (field, rest) = path.split_once('.').map_or((path, ""), |(field, rest)| (field, rest));
    let (_, known) = GITHUB.iter().find(|(name, _)| *name == field)?;
    let dot = if rest.is_empty() { "" } else { "." };
    Some(format!("write `{known}{dot}{rest}`"))
}

/// What to say of a character that no expression has.
pub(super) fn character(c: char) -> Option<String> {
    let hint = match c {
        '“' | '”' | '„' | '‘' | '’' => "write straight quotes: \"text\" or 'text'",
        '–' | '—' => "write `-`",
        '\u{a0}' => "write an ordinary space",
        '…' => "write the rest out",
        _ => return None,
    };
    let name = if c == '\u{a0}' { "a no-break space".to_owned() } else { format!("`{c}`") };
    Some(format!("{name} cannot stand in an expression; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_github_calls_it_is_translated_with_the_fields_below() {
        assert_eq!(github(".sha == 'x'").as_deref(), Some("write `git.sha`"));
        assert_eq!(github(".event.head_commit.id").as_deref(), Some("write `body.head_commit.id`"));
        assert_eq!(github(".workflow"), None);
        assert_eq!(github(""), None);
    }
}
