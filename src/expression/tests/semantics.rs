//! The language, one case for each line: expression, payload, and the JSON of its value.

use super::*;

const BODY: &str = r#"{
    "ref": "refs/heads/main", "n": 3, "f": 1.50, "ok": true, "no": false, "none": null,
    "big": 18446744073709551615, "name": "Zoë", "e": [], "m": {"b": 1, "a": 2},
    "commits": [
        {"id": "c1", "files": ["a.py", "b.md"], "author": {"name": "Ann"}},
        {"id": "c2", "files": ["src/x.rs"]}
    ]
}"#;

const CASES: &[(&str, &str)] = &[
    // Names, fields and elements.
    (r#"body.ref == "refs/heads/main""#, "true"),
    (r#"body["ref"]"#, r#""refs/heads/main""#),
    (".body.n", "3"),
    ("body.commits[1].id", r#""c2""#),
    ("body.`n`", "3"),
    ("git.branch", r#""main""#),
    ("body.none", "null"),
    ("body.none == null", "true"),
    ("has(body.none)", "true"),
    ("has(body.nothing)", "false"),
    (r#""n" in body"#, "true"),
    (r#""x" in body"#, "false"),
    // Optional fields.
    ("body.?n.orValue(7)", "3"),
    ("body.?x.orValue(7)", "7"),
    ("body.?x.y.z.orValue(7)", "7"),
    ("body.?none.?id.orValue(7)", "7"),
    ("body.?none.orValue(7)", "null"),
    ("body.commits[?5].id.orValue(\"none\")", r#""none""#),
    ("body.?m.?a.hasValue()", "true"),
    ("body.?m.?c.hasValue()", "false"),
    // Numbers.
    ("body.n + 1", "4"),
    ("7 / 2", "3"),
    ("-7 / 2", "-3"),
    ("-7 % 2", "-1"),
    ("-(body.n)", "-3"),
    ("2.0 * 1.5", "3.0"),
    ("1.0 / 0.0 > 5.0", "true"),
    ("1 == 1.0", "true"),
    ("body.f == 1.5", "true"),
    ("1 < 1.5 && 2 > 1.5 && 1.5 < 2", "true"),
    ("body.big > 9223372036854775807", "true"),
    ("body.big - 1u", "18446744073709551614"),
    ("body.big == 18446744073709551615u", "true"),
    ("9007199254740993 == 9007199254740992.0", "false"),
    ("5u == 5", "true"),
    ("0x10", "16"),
    ("-9223372036854775808", "-9223372036854775808"),
    // Equality and order.
    (r#"1 == "1""#, "false"),
    ("[1, [2.0]] == [1.0, [2]]", "true"),
    (r#"{"a": 1, "b": [2]} == {"b": [2], "a": 1}"#, "true"),
    (r#"body.m == {"a": 2, "b": 1}"#, "true"),
    ("body.m != {}", "true"),
    (r#""a" < "b" && "Z" < "a""#, "true"),
    ("false < true", "true"),
    (r#"double("NaN") == double("NaN")"#, "false"),
    // Logic.
    ("body.ok && !body.no", "true"),
    ("body.x.y || true", "true"),
    ("true || body.x.y", "true"),
    ("body.x.y && false", "false"),
    ("1 || true", "true"),
    ("body.n > 2 ? \"many\" : body.x.y", r#""many""#),
    // Lists and maps.
    ("[1, 2] + [3]", "[1,2,3]"),
    ("2 in [1, 2.0]", "true"),
    (r#"{"b": 1, "a": [true]}"#, r#"{"a":[true],"b":1}"#),
    ("size(body.commits) == 2 && body.e.size() == 0 && size(body.m) == 2", "true"),
    ("size(body.name)", "3"),
    // Macros.
    (r#"body.commits.exists(c, c.files.exists(f, f.endsWith(".rs")))"#, "true"),
    (r#"body.commits.exists(c, c.author.name == "Ann")"#, "true"),
    ("body.commits.all(c, size(c.id) == 2)", "true"),
    (r#"body.commits.all(c, c.author.name == "Bob")"#, "false"),
    (r#"body.commits.exists_one(c, c.id == "c1")"#, "true"),
    ("body.commits.map(c, c.id)", r#"["c1","c2"]"#),
    ("body.commits.filter(c, has(c.author)).map(c, c.author.name)", r#"["Ann"]"#),
    ("[1, 2, 3].map(x, x > 1, x * 10)", "[20,30]"),
    ("body.m.map(k, k)", r#"["a","b"]"#),
    ("[1, 2].map(x, [3].map(y, x + y))", "[[4],[5]]"),
    ("[1].map(body, body + 1)", "[2]"),
    ("body.e.exists(x, x.y) || body.e.all(x, x.y)", "true"),
    // Text.
    (
        r#"body.ref.startsWith("refs/") && body.ref.endsWith("main") && body.ref.contains("heads")"#,
        "true",
    ),
    (r#"body.ref.matches("^refs/(heads|tags)/")"#, "true"),
    (r#"matches(body.ref, 'tags')"#, "false"),
    (r#""a" + "b""#, r#""ab""#),
    (r#""Zoë".lowerAscii() + "zoë".upperAscii()"#, r#""zoëZOë""#),
    (r#"" x ".trim()"#, r#""x""#),
    (r#""a/b/c".split("/")"#, r#"["a","b","c"]"#),
    (r#""a/b/c".split("/", 2)"#, r#"["a","b/c"]"#),
    (r#""a/b".split("/", 0)"#, "[]"),
    (r#""éa".split("")"#, r#"["é","a"]"#),
    (r#"["a", "b"].join("-") + ["c"].join()"#, r#""a-bc""#),
    (r#"body.ref.replace("refs/heads/", "")"#, r#""main""#),
    (r#""aaa".replace("a", "b", 2)"#, r#""bba""#),
    (r#""Zoë!".substring(2) + "Zoë!".substring(1, 3)"#, r#""ë!oë""#),
    (r#""Zoë!".indexOf("!")"#, "3"),
    (r#""abab".indexOf("b", 2)"#, "3"),
    (r#""abab".lastIndexOf("a")"#, "2"),
    (r#""abc".indexOf("x")"#, "-1"),
    (r#""Zoë".charAt(2) + "a".charAt(1)"#, r#""ë""#),
    // Conversions.
    (r#"int("42") + int(2.9) + int(-2.9)"#, "42"),
    (r#"double("1.5") + double(1)"#, "2.5"),
    ("string(body.f) + string(7) + string(true)", r#""1.507true""#),
    ("string(body.m)", r#""{\"a\":2,\"b\":1}""#),
    (r#"bool("true") && bool(true)"#, "true"),
    ("uint(5) - 6", "-1"),
];

#[test]
fn each_expression_has_its_value() {
    for (source, expected) in CASES {
        let value = evaluate(source, BODY).unwrap_or_else(|fault| panic!("{source}: {fault}"));
        let expected = Value::parse_json(expected.as_bytes()).expect("valid JSON in a test");
        assert_eq!(value, expected, "{source}");
    }
}

/// An expression, the kind of its failure, and a part of the message.
const FAILURES: &[(&str, EvaluationFaultKind, &str)] = {
    use EvaluationFaultKind::{Missing, Type, Value};
    &[
        (
            "body.commits[0].author.email",
            Missing,
            "`body.commits[0].author.email` is not in the payload",
        ),
        ("body.commits[7].id", Missing, "`body.commits[7]` is not in the payload"),
        ("body.commits[-1].id", Missing, "`body.commits[-1]` is not in the payload"),
        (
            "body.commits.map(c, c.author.name)",
            Missing,
            "`body.commits[1].author` is not in the payload",
        ),
        (
            "body.commits.all(c, c.files.all(f, f.x))",
            Type,
            "`body.commits[0].files[0]` is text, so it has no field `x`",
        ),
        ("body.m.all(k, body[k].x)", Missing, "`body[…]` is not in the payload"),
        ("body.none.id", Missing, "`body.none` is null"),
        ("git.tag.startsWith(\"v\")", Missing, "`git.tag` is null"),
        ("\"v\" + git.tag", Missing, "`git.tag` is null"),
        ("git.sha", Missing, "`git.sha` is not set"),
        ("headers.x", Missing, "`headers` is not set"),
        ("event.kind == \"push\"", Missing, "`event` is not set"),
        ("has(body.x.y)", Missing, "`body.x` is not in the payload"),
        ("body[\"a b\"]", Missing, "`body[\"a b\"]` is not in the payload"),
        ("body.ref.x", Type, "`body.ref` is text, so it has no field `x`"),
        ("body.n.exists(x, x)", Type, "`body.n` is a whole number, not a list or a map"),
        ("!body.ref", Type, "`body.ref` is text, not true or false"),
        ("body.ok && body.n", Type, "`body.n` is a whole number, not true or false"),
        (
            "body.n + body.f",
            Type,
            "a whole number and a decimal number cannot be added; convert one with double(…) or int(…)",
        ),
        ("body.ref + body.n", Type, "text can be made with string(…)"),
        ("body.ref > 1", Type, "text and a whole number have no order"),
        ("\"x\" in body.ref", Type, "write text.contains(part)"),
        ("size(body.n)", Type, "`size` needs text, a list or a map and got a whole number"),
        ("body.n.startsWith(\"x\")", Type, "`startsWith` needs text and got a whole number"),
        ("body.n.matches(\"x\")", Type, "`matches` needs text and got a whole number"),
        ("[1].join(\",\")", Type, "`join` needs a list of text and got a whole number"),
        ("{1: 2}", Type, "the names in a map have to be text"),
        ("[1, 2].exists(x, x)", Type, "a whole number, not true or false"),
        ("1 / 0", Value, "a number is divided by zero"),
        ("1 % 0", Value, "a number is divided by zero"),
        ("9223372036854775807 + 1", Value, "a whole number grows beyond 64 bits"),
        ("body.big * body.big", Value, "a whole number grows beyond 64 bits"),
        ("-(-9223372036854775808)", Value, "a whole number grows beyond 64 bits"),
        ("-9223372036854775808 / -1", Value, "a whole number grows beyond 64 bits"),
        ("int(body.ref)", Value, "`int`: this is not a whole number of 64 bits"),
        ("int(1e30)", Value, "`int`: this is not a whole number of 64 bits"),
        ("uint(-1)", Value, "`uint`"),
        ("double(\"x\")", Value, "`double`: this text is not a number"),
        ("\"abc\".substring(-1)", Value, "the index is below zero"),
        ("\"abc\".substring(2, 1)", Value, "the start lies after the end"),
    ]
};

#[test]
fn each_failure_says_what_failed() {
    for (source, kind, message) in FAILURES {
        let fault = evaluate(source, BODY).expect_err(source);
        assert_eq!(fault.kind, *kind, "{source}: {fault}");
        assert!(fault.message.contains(message), "{source}: {fault}");
    }
}

#[test]
fn a_failure_points_at_the_part_that_failed() {
    for (source, part) in [
        ("body.n == 3 && body.m.zzz == 1", "zzz"),
        ("body.ok ? 1 / 0 : 2", "/"),
        (r#"body.ok && body.name.substring(-9) == """#, "substring"),
        ("true && git.tag.size() > 0", "tag"),
        ("[1].all(x, body.commits[9].id == 1)", "[9"),
    ] {
        let fault = evaluate(source, BODY).expect_err(source);
        assert_eq!(Some(fault.offset), source.find(part), "{source}: {fault}");
    }
}

#[test]
fn a_failure_never_quotes_the_payload() {
    let body = r#"{"secret": "hunter2", "key": {"hunter2": 1}, "l": ["hunter2"]}"#;
    for source in [
        "body.secret.x",
        "int(body.secret)",
        "body.secret + 1",
        "body[body.secret]",
        "body.key.map(k, body.key[k].x)",
        "body.l.map(x, body[x])",
        "body.secret && true",
        "body.secret.charAt(99)",
    ] {
        let fault = evaluate(source, body).expect_err(source);
        assert!(!format!("{fault:?}").contains("hunter2"), "{source}: {fault}");
    }
}

#[test]
fn a_condition_has_to_be_true_or_false() {
    let context = context(BODY);
    assert_eq!(compile("body.ok").test(&context), Ok(true));
    let fault = compile("body.n").test(&context).expect_err("a number is no condition");
    assert_eq!(fault.message, "the condition gave a whole number, not true or false");
    let fault = compile("git.tag").test(&context).expect_err("null is no condition");
    assert_eq!(fault.kind, EvaluationFaultKind::Type);
}

#[test]
fn a_number_that_is_too_large_is_an_error_only_where_it_is_computed_with() {
    let body = r#"{"huge": 1e999, "n": 3}"#;
    for (source, value) in [
        ("body.n == 3", "true"),
        ("string(body.huge)", r#""1e999""#),
        ("has(body.huge)", "true"),
        (r#"body.huge == "x""#, "false"),
    ] {
        let mut text = String::new();
        evaluate(source, body).expect(source).write_json(&mut text).expect("text");
        assert_eq!(text, value, "{source}");
    }
    for source in
        ["body.huge > 1", "body.huge == 1.5", "-body.huge", "body.huge + 1.0", "double(body.huge)"]
    {
        let fault = evaluate(source, body).expect_err(source);
        assert_eq!(fault.kind, EvaluationFaultKind::Value, "{source}: {fault}");
        assert!(fault.message.contains("too large to compute with"), "{source}: {fault}");
    }
}
