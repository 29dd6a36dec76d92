//! Tests of environments.

use super::*;
use crate::expression::Vocabulary;
use crate::model::Value;

fn variable(name: &str, template: &str) -> Variable {
    let names = Vocabulary::new().open("body");
    Variable::new(name, Template::compile(template, &names).expect("a valid template"))
}

fn context(body: &str) -> Context<'static> {
    let body = Value::parse_json(body.as_bytes()).expect("valid JSON in a test");
    Context::new().with("body", body)
}

fn mapping(variables: Vec<Variable>) -> Mapping {
    Mapping { variables, ..Mapping::default() }
}

fn messages(mapping: &Mapping, body: &str) -> Vec<String> {
    let faults = mapping.environment(&context(body)).expect_err("a fault");
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn variables_get_their_values_and_are_sorted() {
    let mapping = mapping(vec![
        variable("SHA", "${{ body.after }}"),
        variable("BY", "push by ${{ body.name }}"),
        variable("FIXED", "x"),
        variable("EMPTY", ""),
    ]);
    let body = r#"{"after": "c0ffee", "name": "Zoë"}"#;
    let environment = mapping.environment(&context(body)).expect("all there");
    let json = serde_json::to_string(&environment).expect("text only");
    assert_eq!(json, r#"{"BY":"push by Zoë","EMPTY":"","FIXED":"x","SHA":"c0ffee"}"#);
    assert_eq!(environment.get("SHA"), Some("c0ffee"));
    assert_eq!(environment.size(), 34);
}

#[test]
fn all_faults_are_told_at_once_without_any_value() {
    let mut pattern = variable("SHA", "${{ body.secret }}");
    pattern.matches = Some(Regex::new("^[0-9a-f]{40}$").expect("a valid pattern"));
    let mut short = variable("SHORT", "${{ body.secret }}");
    short.max_bytes = 5;
    let mapping = mapping(vec![
        variable("A", "${{ body.x.y }}"),
        variable("B", "${{ body.none }}"),
        variable("C", "${{ body.secret + 1 }}"),
        variable("D", "${{ body.nul }}"),
        pattern,
        short,
    ]);
    let body = r#"{"none": null, "secret": "hunter2", "nul": "a\u0000b"}"#;
    assert_eq!(
        messages(&mapping, body),
        [
            "A: `body.x` is not in the payload; say `default` or `omit` if that may happen",
            "B: `body.none` is null; say `default` or `omit` if that may happen",
            "C: text and a whole number cannot be added; text can be made with string(…)",
            "D: the value has a NUL byte in it",
            "SHA: the value does not match `^[0-9a-f]{40}$`",
            "SHORT: the text is 7 bytes long, and 5 are allowed",
        ]
    );
}

#[test]
fn a_default_or_an_omission_stands_in_for_what_is_missing_only() {
    let mut default = variable("A", "v${{ body.x }}");
    default.default = Some("none".into());
    default.matches = Some(Regex::new("^v").expect("a valid pattern"));
    let mut omitted = variable("B", "${{ body.x }}");
    omitted.omit = true;
    let mapping = mapping(vec![default, omitted]);
    for (body, expected) in [
        ("{}", vec![("A", "none")]),
        (r#"{"x": null}"#, vec![("A", "none")]),
        (r#"{"x": 1.0}"#, vec![("A", "v1.0"), ("B", "1.0")]),
        (r#"{"x": ""}"#, vec![("A", "v"), ("B", "")]),
    ] {
        let environment = mapping.environment(&context(body)).expect(body);
        assert_eq!(environment, expected.into_iter().collect(), "{body}");
    }
    assert_eq!(messages(&mapping, "[]").len(), 2, "a list is not a map without the field");
}

#[test]
fn names_and_values_count_towards_the_total() {
    let mut mapping = mapping(vec![variable("AB", "123"), variable("C", "4567")]);
    mapping.max_total = 10;
    assert!(mapping.environment(&context("{}")).is_ok());
    mapping.max_total = 9;
    assert_eq!(
        messages(&mapping, "{}"),
        ["all variables together are 10 bytes long, and 9 are allowed"]
    );
}

#[test]
fn the_usual_limits_are_32_and_64_kib() {
    let text = |size: usize| format!(r#"{{"s": "{}"}}"#, "x".repeat(size));
    let one = mapping(vec![variable("A", "${{ body.s }}")]);
    assert!(one.environment(&context(&text(32 * 1024))).is_ok());
    assert_eq!(messages(&one, &text(32 * 1024 + 1)).len(), 1);
    let three = mapping(["A", "B", "C"].map(|name| variable(name, "${{ body.s }}")).into());
    let faults = three.environment(&context(&text(30_000))).expect_err("over 64 KiB");
    assert_eq!(faults, [MappingFault::TotalTooLong { size: 90_003, limit: 65_536 }]);
}

#[test]
fn a_name_is_letters_digits_and_underscores() {
    for name in ["A", "_", "GIT_SHA", "a1", &"x".repeat(256)] {
        assert!(valid_name(name), "{name}");
    }
    for name in ["", "1A", "A-B", "A B", "A=B", "É", "A\0", &"x".repeat(257)] {
        assert!(!valid_name(name), "{name}");
    }
}
