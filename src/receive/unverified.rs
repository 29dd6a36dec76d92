//! What can be said of a request that was not kept, so that a person knows which delivery to ask its sender for
//! again: the path that it asked for, and the delivery id and repository that it names. Nothing of it is proved,
//! and all of it is short and free of what may be a secret. Pure.

use bytes::Bytes;
use http::HeaderMap;

use super::leaks::Finder;
use crate::config::{SourcePlan, looks_like_a_name};
use crate::content;
use crate::model::printable;

/// The longest text that is remembered of a request, in characters.
const LONGEST: usize = 120;
/// The most parts of a path that are shown.
const PARTS: usize = 8;
/// Bodies of more bytes than this are not parsed for it: anybody can send them.
const PARSED: usize = 32 * 1024;
/// Stands for what is not shown.
const HIDDEN: &str = "[hidden]";

/// What a request names of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The sender's id of the delivery.
    pub(super) delivery_id: Option<String>,
    /// The repository that it is about.
    pub(super) repository: Option<String>,
}

/// What a request to this source names. `secrets` are those of the source.
pub(super) fn named(
    source: &SourcePlan,
    headers: &HeaderMap,
    body: &Bytes,
    secrets: &Finder,
) -> Named {
    let is_parsed = !body.is_empty() && body.len() <= PARSED && !content::is_encoded(headers);
    let decoded =
        is_parsed.then(|| source.provider.decode_as(headers, body, &source.options).ok()).flatten();
    let body = decoded.map(|decoded| decoded.body).unwrap_or_default();
    let id = source.provider.named_id(headers, &body, &source.options);
    let repository = || {
        let meaning = source.provider.meaning(headers, &body, &source.options).ok()?;
        source.provider.git_facts(&meaning, &body).into_iter().next()?.repository
    };
    let shown = |text: &str| shown(text, secrets);
    Named {
        delivery_id: id.as_deref().and_then(shown),
        repository: repository().as_deref().and_then(shown),
    }
}

/// The text, short and visible; none where it has a secret.
fn shown(text: &str, secrets: &Finder) -> Option<String> {
    let has_secret = secrets.without(text.as_bytes(), &mut Default::default()).is_some();
    (!has_secret && !text.is_empty()).then(|| short(&printable(text)))
}

fn short(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A path as it is shown: parts that look like names, and no more than that. A secret may stand behind the name
/// of a source, and a part that is no name may be one.
pub(super) fn shown_path(path: &str, is_source: impl Fn(&str) -> bool) -> String {
    let mut shown = String::new();
    let (mut after_hooks, mut is_behind) = (false, false);
    for (number, part) in path.split('/').skip(1).enumerate() {
        if number == PARTS {
            shown.push_str("/…");
            break;
        }
        shown.push('/');
        let is_shown = part.is_empty() || (!is_behind && looks_like_a_name(part));
        shown.push_str(if is_shown { part } else { HIDDEN });
        is_behind |= after_hooks || is_source(part);
        after_hooks = part == "hooks";
    }
    short(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_without_what_may_be_a_secret() {
        let is_source = |name: &str| name == "github";
        for (path, expected) in [
            ("/github", "/github"),
            ("/webhooks/hooks/github", "/webhooks/hooks/github"),
            ("/hooks/guthub", "/hooks/guthub"),
            ("/hooks/guthub/", "/hooks/guthub/"),
            ("/hooks/guthub/hunter2", "/hooks/guthub/[hidden]"),
            ("/github/hunter2", "/github/[hidden]"),
            ("/old/github/hunter2/more", "/old/github/[hidden]/[hidden]"),
            ("/hooks/aB3dE5fG7hI9jK1l", "/hooks/[hidden]"),
            ("/0123456789abcdef0123", "/[hidden]"),
            ("/%1b[31m/\u{202e}", "/[hidden]/[hidden]"),
            ("/", "/"),
            ("*", ""),
            ("/a/b/c/d/e/f/g/h/i", "/a/b/c/d/e/f/g/h/…"),
        ] {
            assert_eq!(shown_path(path, is_source), expected, "{path}");
        }
        let long = "/jobs".repeat(7) + "/" + &"models-".repeat(40);
        assert!(shown_path(&long, is_source).chars().count() <= LONGEST + 1);
    }
}
