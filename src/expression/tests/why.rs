//! Why a condition is false, and an expression as text again.

use super::*;

const BODY: &str = r#"{"labels": {"alertname": "InstanceDown", "severity": "page"}, "n": 3,
    "l": ["a", "b"], "none": null, "long": "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "odd": "a\u202eb\n\u0000", "lr": 0.10}"#;

fn why(source: &str) -> (Option<String>, Vec<String>) {
    let context = context(BODY);
    let expression = compile(source);
    assert_eq!(expression.test(&context), Ok(false), "{source}");
    let why = expression.why_false(&context);
    (why.part, why.values.into_iter().map(|(what, value)| format!("{what} is {value}")).collect())
}

#[test]
fn a_false_condition_tells_the_part_that_was_false_and_what_it_compared() {
    for (source, part, values) in [
        (
            "body.labels.alertname == \"NightlyRetrain\"",
            None,
            &["body.labels.alertname is \"InstanceDown\""][..],
        ),
        (
            "body.n == 3 && body.labels.severity in [\"info\", \"warn\"] && body.n == 4",
            Some("body.labels.severity in [\"info\", \"warn\"]"),
            &["body.labels.severity is \"page\""],
        ),
        ("body.n > 5 || body.lr > 1.0", None, &["body.n is 3", "body.lr is 0.10"]),
        ("size(body.l) > 2", None, &["size(body.l) is 2"]),
        ("body.l.exists(x, x == \"c\")", None, &["body.l is a list of 2 values"]),
        (
            "!body.labels.alertname.startsWith(\"Inst\")",
            None,
            &["body.labels.alertname is \"InstanceDown\""],
        ),
        ("git.branch.matches(\"^release/\")", None, &["git.branch is \"main\""]),
        ("git.tag != null", None, &["git.tag is null"]),
        (
            "body.labels == {}",
            None,
            &["body.labels is an object of 2 fields", "{…} is an object of 0 fields"],
        ),
        ("true ? body.n == 1 : false", None, &["body.n is 3"]),
        ("body.zzz == 1 && body.n == 1", Some("body.n == 1"), &["body.n is 3"]),
    ] {
        let (told, compared) = why(source);
        assert_eq!(told.as_deref(), part, "{source}");
        assert_eq!(compared, values, "{source}");
    }
}

#[test]
fn what_is_told_of_a_payload_is_short_and_has_no_hidden_character() {
    let (_, values) = why("body.long == \"\" || body.odd == \"\"");
    assert!(values.iter().all(|value| value.chars().count() < 120), "{values:?}");
    assert!(values[0].ends_with("…\""), "{values:?}");
    assert_eq!(values[1], "body.odd is \"a\\u{202e}b\\n\\u{0}\"");
    let many = (0..30).map(|n| format!("body.n == 1{n} + body.n * {n} + 1")).collect::<Vec<_>>();
    let (_, values) = why(&many[..12].join(" || "));
    assert!(values.len() <= 8, "{values:?}");
}

#[test]
fn telling_why_ends_like_any_evaluation() {
    let list = serde_json::json!({ "l": vec!["x"; 30_000] }).to_string();
    let context = context(&list);
    let source = "body.l.exists(a, body.l.exists(b, a + b == \"\")) || body.l.exists(a, a == \"\")";
    let why = compile(source).why_false(&context);
    assert!(why.values.len() <= 8);
}

#[test]
fn an_expression_is_written_so_that_it_is_read_as_the_same_one() {
    for source in [
        "body.a.b == 1 && !(body.c || body.d)",
        "(1 + 2) * 3 - -4 < 5 || size(body.l) != 2",
        "body.?x.orValue(\"a\\\"b\") in [\"x\", 1, true, null]",
        "has(body.x) ? body[\"a b\"] : body.l[0]",
        "body.s.matches(\"^a+$\") && body.s.substring(1, 2).trim() == \"x\"",
        "delivery_at.inZone(\"Europe/Berlin\").between(\"22:00\", \"06:00\")",
        "body.x[?\"k\"].hasValue()",
        "json(body.m).first() == base64Encode(\"a\")",
    ] {
        let names = || vocabulary().open("delivery_at");
        let first = Expression::compile(source, &names()).expect(source).root.to_string();
        let again = Expression::compile(&first, &names())
            .unwrap_or_else(|faults| panic!("{first}: {faults:?}"));
        assert_eq!(again.root.to_string(), first, "{source}");
    }
}
