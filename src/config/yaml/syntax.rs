//! Rewrites the errors of the YAML parser in plain words.

/// A word by which errors about tabs are recognized.
pub(super) const TAB: &str = "tab";

/// What is wrong, and a hint how to correct it.
pub(super) fn plain_words(complaint: &str, line: &str) -> (String, Option<String>) {
    let (message, hint) = words(complaint, line);
    (message.to_owned(), hint.map(str::to_owned))
}

fn words(complaint: &str, line: &str) -> (&'static str, Option<&'static str>) {
    let says = |part: &str| complaint.contains(part);
    if line.contains("${{") && (says("flow mapping") || says("flow sequence")) {
        return (
            "this `${{ … }}` is not in quotes",
            Some("between `{ }` or `[ ]`, put the value in quotes: \"${{ … }}\""),
        );
    }
    if says("unprintable") {
        return (
            "this character may not stand in a file",
            Some("remove it, or save as UTF-8 text"),
        );
    }
    if says(TAB) {
        return (
            "a tab is used for indentation",
            Some("YAML takes spaces only; replace the tab by spaces"),
        );
    }
    if line.contains('\t') && !says("quoted") {
        return ("a tab stands here", Some("YAML takes spaces only; replace the tab by spaces"));
    }
    if says("flow mapping") {
        return (
            "a `,` or `}` is missing here",
            Some("close the `{` or put a comma between entries"),
        );
    }
    if says("flow sequence") || says("illegal placement of ':'") || says("misplaced bracket") {
        return (
            "brackets do not match here",
            Some("look for a `[` or `{` that is not closed, on this line or before it"),
        );
    }
    if says("quoted scalar") || says("quoted") || says("escape") {
        return (
            "text in quotes is not well formed",
            Some("close the quote; in \"double quotes\" write \\\\ for a backslash"),
        );
    }
    if says("mapping values are not allowed") {
        return (
            "a `:` does not belong here",
            Some("put text that contains `: ` in quotes, or look at the indentation"),
        );
    }
    if says("'-' indicator") || says("block sequence entries") {
        return (
            "a list and keys are mixed here",
            Some("write either `- items` or `key: value` at one indentation, not both"),
        );
    }
    if says("indent") || says("expected key") || says("simple key") || says("multiline") {
        return (
            "the indentation does not fit, or a `key: value` is broken off",
            Some("indent everything of one section alike; a key needs a `:` and a space after it"),
        );
    }
    if says("anchor") || says("alias") {
        return (
            "there is no anchor of this name above",
            Some(
                "a pattern that begins with `*` goes in quotes; an alias repeats what has `&name` in front, earlier \
                 in this file",
            ),
        );
    }
    if says("unexpected character") {
        return ("text may not start with this character", Some("put the text in quotes"));
    }
    if says("recursion") {
        return ("brackets are nested too deeply", None);
    }
    (
        "this is not YAML",
        Some("look at indentation, quotes and brackets here and on the line before"),
    )
}
