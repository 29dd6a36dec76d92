//! Faults that are found when an expression is loaded.

use super::*;

/// An expression, the text that the fault points at, and a part of the message and its hint.
const CASES: &[(&str, &str, &str)] = &[
    ("boddy.ref == 1", "boddy", "unknown variable `boddy` (did you mean `body`)"),
    ("branch == \"main\"", "branch", "unknown variable `branch` (did you mean `git.branch`)"),
    ("git.branch == main", "main", "text is written in quotes"),
    ("git.branhc == 1", "branhc", "`git` has no field `branhc` (did you mean `branch`)"),
    ("git[\"branhc\"] == 1", "\"branhc\"", "did you mean `branch`"),
    ("has(git.branhc)", "branhc", "did you mean `branch`"),
    (
        "git.pull_request.numbr",
        "numbr",
        "`git.pull_request` has no field `numbr` (did you mean `number`)",
    ),
    ("event.xyzzy", "xyzzy", "it has kind, id"),
    (
        "body.ref.startWith(\"x\")",
        "startWith",
        "unknown function `startWith` (did you mean `startsWith`)",
    ),
    ("len(body.ref)", "len", "unknown function `len`"),
    (
        "body.at > timestamp(\"x\")",
        "timestamp",
        "for the time of day, write delivery.received_at.inZone",
    ),
    (
        "startsWith(body.ref, \"x\")",
        "startsWith",
        "`startsWith` is not called like this (write text.startsWith(start))",
    ),
    ("body.l.exists(x)", "exists", "list.exists(x, condition on x)"),
    ("body.l.exists(c, c.id == 1) && c.id == 2", "c.id == 2", "unknown variable `c`"),
    ("body.l.map(x, y)", "y)", "unknown variable `y`"),
    ("body.ref.matches(\"(\")", "\"(\"", "the pattern is not valid: unclosed group"),
    ("body.ref.matches(\"\\\\w{5000}\")", "\"\\\\w", "the pattern is too large"),
    ("body.ref.matches(body.p)", "p)", "has to be a literal text"),
    ("body.?x == 1", ".?", "`.?` may have no value (end it with .orValue(…) or .hasValue())"),
    ("body.x.orValue(1)", "x", "orValue and hasValue follow an optional field"),
    ("[?body.x]", "[", "an optional element is not supported here"),
    ("body.x == b\"1\"", "b\"1\"", "a bytes literal is not supported here"),
    ("Message{a: 1}", "Message", "a message literal is not supported here"),
    ("body.n = 3", "=", "unexpected '=', expected end (write ==)"),
    ("body.n and body.m", "and", "(write &&)"),
    ("body.n & body.m", "&", "unexpected single '&', expected '&&' (write &&)"),
    ("body.n ==", "", "unexpected end, expected expression"),
    ("body.ref == \"x", "\"x", "unterminated string literal"),
    ("(body.n", "", "expected ')'"),
    ("has(body)", "body", "invalid argument to has() macro"),
    ("é == 1", "é", "unexpected character"),
    ("99999999999999999999", "9999", "invalid int literal"),
];

#[test]
fn each_fault_says_what_is_wrong_and_where() {
    for (source, part, message) in CASES {
        let faults = refused(source);
        let found = faults.iter().find(|fault| fault.to_string().contains(message));
        let Some(found) = found else {
            panic!("{source}: {faults:?}");
        };
        let expected = if part.is_empty() { Some(source.len()) } else { source.find(part) };
        assert_eq!(Some(found.offset), expected, "{source}: {found:?}");
        assert!(
            source.get(found.offset..found.offset + found.length).is_some(),
            "{source}: {found:?}"
        );
    }
}

#[test]
fn all_unknown_names_are_reported_at_once() {
    let source = "boddy.a == 1 && (hedaers.b == 2 || git.brnch.startWith(\"x\"))";
    let messages: Vec<_> = refused(source).iter().map(|fault| fault.message.clone()).collect();
    assert_eq!(
        messages,
        [
            "unknown variable `boddy`",
            "unknown variable `hedaers`",
            "`git` has no field `brnch`",
            "unknown function `startWith`",
        ]
    );
}

#[test]
fn a_place_is_right_after_a_comment_and_in_many_lines() {
    let source =
        "body.a == 1 // boddy\n  && boddy.b == 2\n  && body.l.all(x, x.startWith('é')) // end";
    let faults = refused(source);
    let at: Vec<_> = faults.iter().map(|f| &source[f.offset..f.offset + f.length]).collect();
    assert_eq!(at, ["boddy", "startWith"]);
    assert_eq!(faults[0].offset, source.rfind("boddy").expect("it is there"));
}

#[test]
fn what_is_below_an_open_field_is_not_checked() {
    compile("git.branch.whatever == 1 || body.what.ever == 2 || git.pull_request.number > 3");
}

#[test]
fn a_variable_of_a_macro_hides_a_name_of_the_vocabulary() {
    compile("body.l.exists(git, git.anything == 1)");
}
