//! Expressions and payloads that try to crash or stall the gateway. Each is refused when it is
//! loaded, or fails cleanly, on a stack of 2 MiB in a build without optimization.

use proptest::prelude::*;

use super::*;

fn nested(open: &str, middle: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + middle + &close.repeat(depth)
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_when_loaded() {
    on_small_stack(|| {
        let exists = |depth: usize| nested("[1].exists(x, ", "x == 1", ")", depth);
        for source in [
            format!("1{}", "+1".repeat(1500)),
            format!("1{}", "+1".repeat(1000)),
            format!("1{}", "+1".repeat(249)),
            format!("1{}", "+1".repeat(100)),
            nested("(", "1", ")", 80),
            nested("(", "1", ")", 1000),
            nested("(1+", "1", ")", 60),
            nested("[", "1", "]", 80),
            nested("[", "1", "]", 240),
            nested("{'a':", "1", "}", 80),
            nested("size(", "body", ")", 70),
            "(".repeat(2000),
            "[".repeat(400),
            "-".repeat(2000),
            format!("{}1", "-!".repeat(245)),
            format!("{}1", "-!".repeat(1000)),
            exists(3),
            exists(20),
            exists(40),
            format!("body{}", ".a".repeat(4000)),
            format!("body{}", ".a".repeat(1000)),
            format!("body{}", ".a".repeat(240)),
            format!("body{}", "[0]".repeat(160)),
            format!("body{}", ".?a".repeat(160)),
            format!("{}1", "true?1:".repeat(120)),
            format!("{}1{}", "true?".repeat(120), ":1".repeat(120)),
            "a".repeat(2049),
            "\"".repeat(1999),
        ] {
            assert!(!refused(&source).is_empty());
        }
    });
}

#[test]
fn what_is_as_deep_as_allowed_is_evaluated_on_a_small_stack() {
    on_small_stack(|| {
        let deep_body = nested("{\"a\":", "1", "}", 120);
        for (source, text) in [
            (format!("1{}", "+1".repeat(63)), "64".to_owned()),
            (nested("(1+", "1", ")", 32), "33".to_owned()),
            (nested("[", "1", "]", 32), nested("[", "1", "]", 32)),
            (nested("(true?", "1", ":1)", 32), "1".to_owned()),
            (format!("{}1", "true?1:".repeat(63)), "1".to_owned()),
            (nested("string(", "1", ")", 32), "1".to_owned()),
            (format!("body{}==1", ".a".repeat(62)), "false".to_owned()),
            (format!("body{}.orValue(2)", ".?b".repeat(61)), "2".to_owned()),
            (format!("true{}", "||true".repeat(240)), "true".to_owned()),
        ] {
            let value = evaluate(&source, &deep_body).unwrap_or_else(|f| panic!("{source}: {f}"));
            assert_eq!(value.to_text(), Some(text), "{source}");
        }
        let body = nested("[", "", "]", 126);
        let value = evaluate("[body].map(x, [x].filter(y, x == y && [y] == [body]))", &body);
        assert!(value.is_ok());
        assert_eq!(evaluate("body == body", &nested("[", "", "]", 127)), Ok(Value::Bool(true)));
    });
}

#[test]
fn what_takes_too_long_or_builds_too_much_runs_out_of_its_budget() {
    let many = format!("[{}0]", "0,".repeat(1_000_000));
    let text = format!("\"{}\"", "a".repeat(20_000_000));
    let texts = format!("[{}]", vec![format!("\"{}\"", "a".repeat(1000)); 20_000].join(","));
    let objects = format!("[{}{{}}]", "{\"a\":1},".repeat(300_000));
    let cases: &[(&str, &str)] = &[
        ("body.all(x, x == 0)", &many),
        ("body.all(x, body.all(y, x == y))", &many),
        ("body.map(x, x)", &many),
        ("body + body", &many),
        ("5 in body", &many),
        ("[body] == [body]", &many),
        ("string(body)", &many),
        ("body.exists(x, x.y.z == 1)", &many),
        ("body.exists(x, x.b == 1)", &objects),
        (
            "body.contains(\"ab\") || body.contains(\"ac\") || size(body) + size(body) + size(body) > 1",
            &text,
        ),
        ("body.matches(\"(a|aa)+$\")", &text),
        ("body == body + \"\"", &text),
        ("body.upperAscii() == \"A\"", &text),
        ("body.replace(\"a\", \"bb\") == \"\"", &text),
        ("body.split(\"\") == []", &text),
        ("body.split(\"a\") == []", &text),
        ("body.join(\",\") == \"\"", &texts),
        ("body.all(x, body.all(y, x == y))", &texts),
        ("body.all(x, x.matches(\"[a-q][^u-z]{13}x\") || true)", &texts),
        ("body.all(x, 1.5 * 1.5 > 0.0 && 1.5 * 2.5 > 1.0 && 1.5 * 3.5 > 1.0)", &many),
    ];
    for (source, body) in cases {
        let fault = evaluate(source, body).expect_err(source);
        assert_eq!(fault.kind, EvaluationFaultKind::Budget, "{source}: {fault}");
        let absorbed = format!("({source}) == 1 || true");
        let fault = evaluate(&absorbed, body).expect_err(source);
        assert_eq!(fault.kind, EvaluationFaultKind::Budget, "{absorbed}: {fault}");
    }
}

#[test]
fn text_that_doubles_runs_out_of_its_budget() {
    let doubled = |times: usize| {
        (0..times).fold("body".to_owned(), |source, _| format!("[{source}].map(x, x + x)[0]"))
    };
    let fault = evaluate(&doubled(20), "\"aaaaaaaaaaaaaaaa\"").expect_err("too much text");
    assert_eq!(fault.kind, EvaluationFaultKind::Budget);
    assert!(refused(&doubled(24))[0].message.contains("levels deep"));
}

/// The size of the payload's texts is charged for, and not only the size of the expression.
#[test]
fn long_names_and_long_lists_of_a_payload_are_charged_for() {
    let maps = vec!["{\"a\":1}"; 2000].join(",");
    let name = "é".repeat(500_000);
    let body = context(&format!(r#"{{"m": {{"{name}": 1}}, "l": [{maps}]}}"#));
    let fault = compile("body.l.exists(x, x == body.m)").test(&body).expect_err("too much");
    assert_eq!(fault.kind, EvaluationFaultKind::Budget, "{fault}");
    let long = context(&format!(r#"{{"l": [{}0]}}"#, "0,".repeat(1_700_000)));
    let (one, two) = (long.with_allowance(100_000), compile("body.l[0] == 0"));
    let fault = two.test(&one).expect_err("a list that long is judged where it holds up nobody");
    assert_eq!(fault.kind, EvaluationFaultKind::Budget, "{fault}");
}

#[test]
fn an_ordinary_condition_over_the_largest_push_is_within_the_budget() {
    let commit = format!(r#"{{"modified": [{}]}}"#, vec![r#""src/some/file.py""#; 20].join(","));
    let body = format!(r#"{{"commits": [{}]}}"#, vec![commit; 2048].join(","));
    let source = r#"body.commits.exists(c, c.modified.exists(f, f.startsWith("models/")))"#;
    assert_eq!(evaluate(source, &body), Ok(Value::Bool(false)));
}

fn any_source() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "body",
        "git",
        "git.branch",
        "x",
        "c",
        ".a",
        ".?a",
        ".b",
        "[0]",
        "[?1]",
        "[\"a\"]",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        "+",
        "-",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        " in ",
        "has(",
        "size(",
        ".exists(x,",
        ".all(c,",
        ".map(x,",
        ".filter(c,",
        ".exists_one(x,",
        ".orValue(",
        ".hasValue()",
        ".matches(\"a+\")",
        ".split(\"\")",
        ".substring(1",
        ".replace(\"a\",",
        ".join(",
        ".charAt(0)",
        ".indexOf(",
        "string(",
        "int(",
        "double(",
        "uint(",
        "bool(",
        "1",
        "2.5",
        "0",
        "-9223372036854775808",
        "1e308",
        "7u",
        "\"a\"",
        "'é'",
        "\"",
        "'",
        "`",
        "é",
        "b'x'",
        "r'\\'",
        "null",
        "true",
        "false",
        "//",
        "\n",
        "=",
        "&",
        ".",
        "$",
    ]);
    prop_oneof![
        prop::collection::vec(token, 1..25).prop_map(|tokens| tokens.concat()),
        "\\PC{0,40}",
        "[-+!(\\[{}\\])a.?:,'\"\\\\` 0-9ux]{0,40}",
    ]
}

/// Expressions that are nearly always well formed.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "body",
        "body.a",
        "body.l",
        "body.l[0]",
        "body.s",
        "body.n",
        "body.?z.orValue(1)",
        "git.branch",
        "git.tag",
        "1",
        "0",
        "-3",
        "2.5",
        "9223372036854775807",
        "\"a\"",
        "\"é\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[1, 2]",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
        ]);
        let method = prop::sample::select(vec![
            "contains",
            "startsWith",
            "endsWith",
            "split",
            "join",
            "indexOf",
            "lastIndexOf",
            "substring",
            "charAt",
        ]);
        let plain =
            prop::sample::select(vec!["size", "int", "uint", "double", "string", "bool", "!", "-"]);
        let fold = prop::sample::select(vec!["exists", "all", "exists_one", "map", "filter"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            (inner.clone(), method, inner.clone()).prop_map(|(a, f, b)| format!("({a}).{f}({b})")),
            (plain, inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            (inner.clone(), fold, inner.clone())
                .prop_map(|(a, f, b)| format!("({a}).{f}(x, {b} == x)")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("({a}).replace({b}, {c}).substring(1, 2)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_text_makes_loading_or_evaluating_panic(source in any_source()) {
        let context = context(r#"{"a": [1, "b", {"a": null}], "b": "tëxt"}"#);
        if let Ok(expression) = Expression::compile(&source, &vocabulary()) {
            let _ = expression.test(&context);
        }
        if let Ok(template) = Template::compile(&format!("x ${{{{{source}}}}} y"), &vocabulary()) {
            let _ = template.render(&context, 100);
        }
    }

    #[test]
    fn no_expression_makes_evaluating_panic(source in any_expression()) {
        let context = context(r#"{"a": {"x": 1.5}, "l": ["é", 2, null], "s": "tëxt", "n": 18446744073709551615}"#);
        if let Ok(expression) = Expression::compile(&source, &vocabulary()) {
            let _ = expression.evaluate(&context);
        }
    }
}
