//! Conditions of `on:` whose text can hardly be what a sender says.

use crate::config::checks::checker::Checker;
use crate::config::plan::SourcePlan;
use crate::config::similar::similar;
use crate::config::yaml::Id;

/// What is doubtful about a text, and what to write.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    message: String,
    hint: String,
}

fn doubt(message: impl Into<String>, hint: impl Into<String>) -> Option<Doubt> {
    Some(Doubt { message: message.into(), hint: hint.into() })
}

/// The conditions that are looked at, each with its place below `on:`.
const CONDITIONS: [(&[&str], What); 17] = [
    (&["event"], What::Word),
    (&["action"], What::Word),
    (&["pull_request", "action"], What::Word),
    (&["branch"], What::Branch),
    (&["tag"], What::Branch),
    (&["ref"], What::Branch),
    (&["pull_request", "base"], What::Branch),
    (&["pull_request", "head"], What::Branch),
    (&["repository"], What::Repository),
    (&["author"], What::Account),
    (&["path"], What::Path),
    (&["sha"], What::Commit),
    (&["before"], What::Commit),
    (&["command"], What::Command),
    (&["user"], What::User),
    (&["channel"], What::Channel),
    (&["pull_request", "labels"], What::Free),
];

/// What a condition asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Word,
    Branch,
    Repository,
    Account,
    Path,
    Commit,
    Command,
    User,
    Channel,
    Free,
}

pub(super) fn warn(checker: Checker<'_>, on: Id, sources: &[&SourcePlan]) {
    let tree = &checker.file.tree;
    for (path, what) in CONDITIONS {
        let at = path.iter().try_fold(on, |map, key| tree.entry(map, key));
        let Some(at) = at else { continue };
        let texts = tree.texts(at);
        for (id, text) in &texts {
            if what == What::Repository && is_bare_name(text, sources) {
                continue;
            }
            let found = of_text(what, text).or_else(|| match what {
                What::Word => of_kind(path, text, sources),
                What::Path if texts.len() == 1 => of_top(text),
                _ => None,
            });
            if let Some(Doubt { message, hint }) = found {
                checker.warn_of_value(*id, message, hint);
            }
        }
    }
}

/// Providers whose repositories need not have an owner, so that `repository: risk` is one of theirs.
const WITHOUT_OWNER: [&str; 5] = ["artifactory", "aws-eventbridge", "aws-sns", "lakefs", "nexus"];

/// Whether the text is a repository without an owner that one of the sources may tell of.
fn is_bare_name(text: &str, sources: &[&SourcePlan]) -> bool {
    let may = |source: &&SourcePlan| WITHOUT_OWNER.contains(&source.provider.name());
    let plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    text.trim_start_matches('!').chars().all(plain) && sources.iter().any(may)
}

/// What is doubtful about one text of a condition. `!` in front of it excludes, and is no part of it.
fn of_text(what: What, text: &str) -> Option<Doubt> {
    let name = text.strip_prefix('!').unwrap_or(text);
    let front = &text[..text.len() - name.len()];
    quotes(name, front)
        .or_else(|| several(what, name))
        .or_else(|| regular(what, name, front))
        .or_else(|| match what {
            What::Branch => branch(name, front),
            What::Repository => repository(name, front),
            What::Path => path(name, front),
            What::Commit => commit(name, front),
            What::Account => sign(name, front, '@', "an account's name has no `@` in front"),
            What::Command => sign(name, front, '/', "a command's name has no `/` in front"),
            What::Channel => sign(name, front, '#', "a channel's name has no `#` in front"),
            What::User => name.starts_with('@').then_some(()).and_then(|()| {
                doubt(
                    format!("`{name}` is a name that its owner can change; `user` compares ids"),
                    "write the id that the chat program shows in the person's profile",
                )
            }),
            What::Word | What::Free => None,
        })
}

const CURLY: [char; 6] = ['“', '”', '„', '‘', '’', '«'];

fn quotes(name: &str, front: &str) -> Option<Doubt> {
    let curly = name.starts_with(CURLY) || name.ends_with(CURLY);
    let straight = name.len() > 2
        && ['"', '\''].iter().any(|quote| name.starts_with(*quote) && name.ends_with(*quote));
    if name != name.trim() {
        let message = format!("`{name}` begins or ends with a space, which is part of the text");
        return doubt(message, format!("write `{front}{}`", name.trim()));
    }
    if !curly && !straight {
        return None;
    }
    let inside = name.trim_matches(|c| CURLY.contains(&c) || matches!(c, '"' | '\'' | '»'));
    let message = format!("the quotes of `{name}` are part of the text");
    doubt(message, format!("write `{front}{inside}`, or put it in straight quotes once"))
}

fn several(what: What, name: &str) -> Option<Doubt> {
    let separator = match what {
        What::Path if name.contains(", ") => ", ",
        What::Word | What::Branch | What::Repository | What::Account if name.contains(',') => ",",
        What::Word | What::Branch | What::Repository if name.contains('|') => "|",
        _ => return None,
    };
    let parts: Vec<&str> = name.split(separator).map(str::trim).collect();
    if parts.iter().any(|part| part.is_empty()) || name.contains(['(', '{', '[']) {
        return None;
    }
    let message = format!("`{name}` is one text: `{}` separates nothing", separator.trim());
    doubt(message, format!("write a list: [{}]", parts.join(", ")))
}

/// A regular expression in the place of a pattern.
fn regular(what: What, name: &str, front: &str) -> Option<Doubt> {
    let anchored = name.starts_with('^') || name.len() > 1 && name.ends_with('$');
    let escapes = ["\\d", "\\w", "\\s", "\\."].iter().any(|part| name.contains(part));
    let any = what != What::Path && (name.contains(".*") || name.contains(".+"));
    if matches!(what, What::Free | What::Channel) || !(anchored || escapes || any) {
        return None;
    }
    let message = format!("`{name}` reads like a regular expression, and is a pattern here");
    let bare = name.trim_start_matches('^').trim_end_matches('$');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
    let hint = if anchored && bare.chars().all(plain) && !bare.is_empty() && !any {
        format!("write `{front}{bare}`: a pattern always fits the whole text")
    } else {
        let field = match what {
            What::Repository => "git.repository",
            What::Account => "git.author",
            What::Commit => "git.sha",
            What::Word => "event.kind",
            _ => "git.branch",
        };
        format!(
            "write `*` for any text, or ask with `if: {field}.matches(\"…\")`; \
             docs/configuration.md lists what patterns know"
        )
    };
    doubt(message, hint)
}

fn branch(name: &str, front: &str) -> Option<Doubt> {
    let short = name.strip_prefix("origin/")?;
    let message = format!("`{name}` is a name in a clone; senders leave `origin/` out");
    doubt(message, format!("write `{front}{short}`"))
}

fn repository(name: &str, front: &str) -> Option<Doubt> {
    let address = name.contains("://") || name.starts_with("git@");
    if address {
        let rest = name.split_once("://").map_or(name, |(_, rest)| rest);
        let path = rest.split_once(['/', ':']).map_or("", |(_, path)| path);
        let path = path.trim_end_matches('/').trim_end_matches(".git");
        let hint = if path.is_empty() { "owner/name" } else { path };
        let message = format!("`{name}` is an address; a repository is `owner/name`");
        return doubt(message, format!("write `{front}{hint}`"));
    }
    if let Some(short) = name.strip_suffix(".git") {
        let message = format!("`{name}` ends with `.git`, which senders leave out");
        return doubt(message, format!("write `{front}{short}`"));
    }
    if !name.contains(['/', '*']) && !name.is_empty() {
        let message = format!("`{name}` has no owner; a repository is `owner/name`");
        return doubt(
            message,
            format!("write `{front}OWNER/{name}`, or `{front}*/{name}` for any owner"),
        );
    }
    None
}

fn path(name: &str, front: &str) -> Option<Doubt> {
    let relative = name.trim_start_matches("./").trim_start_matches('/');
    if relative != name {
        let message = format!("`{name}` fits no file: paths begin at the top of the repository");
        return doubt(message, format!("write `{front}{relative}`"));
    }
    if name.starts_with("../") || name.contains("/../") || name.contains("//") {
        let message = format!("`{name}` fits no file: senders write paths without `..` and `//`");
        return doubt(message, "write the path from the top of the repository");
    }
    if let Some(directory) = name.strip_suffix('/') {
        let message = format!("`{name}` fits no file: the paths of files end with no `/`");
        return doubt(message, format!("write `{front}{directory}/**` for all files below"));
    }
    if name.contains('\\') && !name.contains(['*', '?', '[', '+', '!']) {
        let message = format!("`{name}` fits no file: directories are separated by `/`");
        return doubt(message, format!("write `{front}{}`", name.replace('\\', "/")));
    }
    None
}

/// A pattern for an extension that fits only files at the top.
fn of_top(text: &str) -> Option<Doubt> {
    let extension = text.strip_prefix("*.")?;
    if extension.contains(['/', '*']) {
        return None;
    }
    let message = format!("`{text}` fits only files at the top of the repository");
    doubt(message, format!("write `**.{extension}` for files in all directories"))
}

fn commit(name: &str, front: &str) -> Option<Doubt> {
    if name.contains(['*', '?', '[', '+']) || name.is_empty() {
        return None;
    }
    if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = format!("`{name}` is no commit id: those have only 0-9 and a-f");
        return doubt(message, "ask for a name with `branch:` or `tag:`");
    }
    let lower = name.to_ascii_lowercase();
    if lower != name {
        let message = format!("`{name}` has capital letters; senders write commit ids without");
        return doubt(message, format!("write `{front}{lower}`"));
    }
    if !matches!(name.len(), 40 | 64) {
        let message = format!("`{name}` is shorter than a commit id, and must fit the whole of it");
        return doubt(message, "put `*` after it, or write the whole id");
    }
    None
}

fn sign(name: &str, front: &str, sign: char, why: &str) -> Option<Doubt> {
    let bare = name.strip_prefix(sign)?;
    doubt(format!("`{name}` never matches: {why}"), format!("write `{front}{bare}`"))
}

/// A kind of event that the senders do not have, and that is close to one that they have.
fn of_kind(path: &[&str], text: &str, sources: &[&SourcePlan]) -> Option<Doubt> {
    let plain = !text.contains(['*', '?', '[', '+', '!']);
    if path != ["event"] || !plain || sources.is_empty() {
        return None;
    }
    let known: Vec<&str> =
        sources.iter().flat_map(|source| source.provider.sample_kinds()).collect();
    let capital = text.chars().any(char::is_uppercase) && !text.contains(' ');
    let meant =
        similar(text, known.iter().copied()).filter(|_| capital && !known.contains(&text))?;
    doubt(format!("no event here is of the kind `{text}`"), format!("did you mean `{meant}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(what: What, text: &str) -> Option<String> {
        of_text(what, text).map(|doubt| doubt.hint)
    }

    #[test]
    fn each_slip_is_told_what_to_write() {
        for (what, text, wanted) in [
            (What::Branch, "“main”", "write `main`, or"),
            (What::Branch, "'main'", "write `main`, or"),
            (What::Branch, " main", "write `main`"),
            (What::Branch, "main, dev", "write a list: [main, dev]"),
            (What::Branch, "main|dev", "write a list: [main, dev]"),
            (What::Word, "push,create", "write a list: [push, create]"),
            (What::Branch, "^main$", "write `main`: a pattern"),
            (What::Branch, "release/.*", "write `*` for any text, or ask with `if: git.branch"),
            (What::Branch, "^(main|dev)$", "write `*` for any text, or ask with `if: git.branch"),
            (What::Branch, "v\\d+", "write `*` for any text"),
            (What::Branch, "origin/main", "write `main`"),
            (What::Repository, "https://github.com/acme/risk.git", "write `acme/risk`"),
            (What::Repository, "git@github.com:acme/risk.git", "write `acme/risk`"),
            (What::Repository, "acme/risk.git", "write `acme/risk`"),
            (What::Repository, "risk", "write `OWNER/risk`, or `*/risk`"),
            (What::Path, "/models/**", "write `models/**`"),
            (What::Path, "./models/**", "write `models/**`"),
            (What::Path, "!./docs/**", "write `!docs/**`"),
            (What::Path, "models/", "write `models/**` for"),
            (What::Path, "models\\credit.py", "write `models/credit.py`"),
            (What::Path, "../x", "write the path from the top"),
            (What::Commit, "abc1234", "put `*` after it"),
            (What::Commit, "HEAD", "ask for a name"),
            (What::Commit, "ABCDEF", "write `abcdef`"),
            (What::Account, "@ada", "write `ada`"),
            (What::Command, "/retrain", "write `retrain`"),
            (What::Channel, "#ml", "write `ml`"),
            (What::User, "@ada", "write the id"),
        ] {
            let found = hint(what, text);
            assert!(
                found.as_deref().is_some_and(|hint| hint.starts_with(wanted)),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn what_is_written_as_meant_is_not_doubted() {
        for (what, texts) in [
            (
                What::Branch,
                &["main", "release/**", "!dev", "v[0-9]+.[0-9]+", "feature/a.b", "fix#1", "$x"][..],
            ),
            (What::Repository, &["acme/risk", "*/risk", "*", "**", "acme/group/risk"]),
            (
                What::Path,
                &["**.py", "models/**", "!**/*.md", ".github/**", "a b.txt", "x,y.csv", "a\\*b"],
            ),
            (What::Commit, &["0123456789012345678901234567890123456789", "abc*"]),
            (What::Account, &["dependabot[bot]", "ada", "ada@example.com", "Ada Lovelace"]),
            (What::Word, &["push", "Push Hook", "pull_request", "jobs.on_success", "git.push"]),
            (What::Command, &["retrain"]),
            (What::Channel, &["C024BE91L", "ml"]),
        ] {
            for text in texts {
                assert_eq!(of_text(what, text), None, "{text}");
            }
        }
    }

    #[test]
    fn an_extension_alone_fits_only_the_top() {
        assert!(of_top("*.py").is_some());
        assert!(of_top("*.tar.gz").is_some());
        assert_eq!(of_top("**.py"), None);
        assert_eq!(of_top("src/*.py"), None);
    }
}
