//! What must be true of a payload's tree and of its text.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Value {
    Value::parse_json(text.as_bytes()).expect("valid JSON in a test")
}

fn fault(bytes: &[u8]) -> JsonFault {
    Value::parse_json(bytes).expect_err("not JSON")
}

fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let handle = thread.spawn(work).expect("a thread starts");
    handle.join().expect("it neither panics nor overflows");
}

#[test]
fn numbers_keep_their_own_digits() {
    let body = parse(
        r#"{"s": "1.5 \" 2.5 \\", "a": [1.10, 1e3, 7, -0, -0.0], "k\"3.25": 12,
            "big": 123456789012345678901234567890, "max": 18446744073709551615,
            "min": -9223372036854775808, "below": -9223372036854775809, "E": 1E+2}"#,
    );
    let text = |name: &str| body.get(name).and_then(Value::to_text);
    assert_eq!(text("a").as_deref(), Some("[1.10,1e3,7,-0,-0.0]"));
    assert_eq!(text("big").as_deref(), Some("123456789012345678901234567890"));
    assert_eq!(text("max").as_deref(), Some("18446744073709551615"));
    assert_eq!(text("min").as_deref(), Some("-9223372036854775808"));
    assert_eq!(text("below").as_deref(), Some("-9223372036854775809"));
    assert_eq!(text("E").as_deref(), Some("1E+2"));
    assert_eq!(body.get("max"), Some(&Value::UInt(u64::MAX)));
    assert_eq!(body.get("k\"3.25"), Some(&Value::Int(12)));
}

#[test]
fn each_kind_has_one_text_form() {
    for (json, text) in [
        (r#""a \"b\"\n""#, Some("a \"b\"\n")),
        ("42", Some("42")),
        ("true", Some("true")),
        ("null", None),
        (
            r#"{"b": [1, null, "x\u0001\ty"], "a": {}}"#,
            Some(r#"{"a":{},"b":[1,null,"x\u0001\ty"]}"#),
        ),
    ] {
        assert_eq!(parse(json).to_text().as_deref(), text, "{json}");
    }
}

#[test]
fn a_later_field_of_the_same_name_wins() {
    let body = parse(r#"{"b": 1, "a": 2, "b": 3, "b": 4}"#);
    assert_eq!(body.get("b"), Some(&Value::Int(4)));
    assert_eq!(body.entries().len(), 2);
}

#[test]
fn a_map_is_the_same_however_many_fields_it_has_and_however_often_it_is_asked() {
    for count in [1, 12, 13, 128, 129, 400] {
        let fields: Vec<String> =
            (0..count).rev().map(|at| format!(r#""\u006e{at}": [{at}, "x"]"#)).collect();
        let body = parse(&format!(r#"{{{}, "n0": "later"}}"#, fields.join(",")));
        let built = (0..count).map(|at: i64| {
            let list = Value::list(vec![Value::Int(at), Value::text("x")]);
            (format!("n{at}"), if at == 0 { Value::text("later") } else { list })
        });
        let built = Value::map(built.collect());
        for _ in 0..2 {
            for at in 0..count {
                let name = format!("n{at}");
                assert_eq!(body.get(&name), built.get(&name), "{name} of {count}");
                assert_eq!(body.count_in(&name), (at > 0).then_some(2), "{name} of {count}");
                assert_eq!(body.count_in(&name), built.count_in(&name), "{name} of {count}");
            }
            assert_eq!(body.get("n"), None);
        }
        assert_eq!(body, built);
        assert_eq!(body.to_text(), built.to_text());
        assert_eq!(body.entries().len(), usize::try_from(count).expect("small"));
    }
}

#[test]
fn what_is_in_a_document_outlives_the_value_that_it_was_taken_from() {
    let body = parse(r#"{"a": {"b": ["\u00e9", {"c": 1.50}]}}"#);
    let list = body.at(&["a", "b"]).cloned().expect("a list");
    drop(body);
    assert_eq!(list.to_text().as_deref(), Some(r#"["é",{"c":1.50}]"#));
}

#[test]
fn texts_of_one_name_are_joined() {
    let headers = Value::texts([("a", vec!["1"]), ("b", vec!["2", "é"]), ("c", vec![])]);
    let text = headers.to_text();
    assert_eq!(text.as_deref(), Some(r#"{"a":"1","b":"2, é","c":""}"#));
}

#[test]
fn a_list_that_is_made_later_is_made_once() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let made = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&made);
    let list = Value::list_later(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        vec![Value::Null]
    });
    assert_eq!(made.load(Ordering::Relaxed), 0);
    assert_eq!(list, list.clone());
    assert_eq!(made.load(Ordering::Relaxed), 1);
}

#[test]
fn a_path_leads_to_a_value_or_to_nothing() {
    let body = parse(r#"{"a": {"b": {"c": "x"}}, "l": [1, 2]}"#);
    assert_eq!(body.at(&["a", "b", "c"]).and_then(Value::as_str), Some("x"));
    assert_eq!(body.at(&["a", "x", "c"]), None);
    assert_eq!(body.at(&["l", "0"]), None);
    assert_eq!(body.at(&[]), Some(&body));
    assert_eq!(body.get("l").and_then(Value::as_list).map(<[Value]>::len), Some(2));
}

#[test]
fn unreadable_bodies_are_refused_with_a_position() {
    for (bytes, message, line, column) in [
        (&b""[..], "the body is empty", 1, 1),
        (b" \n", "the body is empty", 1, 1),
        (b"{\n\"a\": \"\xff\"}", "the body is not valid UTF-8", 2, 7),
        (b"{} {}", "there is more text after the end of the JSON document", 1, 4),
        (b"{\"a\": x}", "a value was expected here, and it is `x`", 1, 7),
        (b"{\"a\": 1", "the body ends too early (within an object)", 1, 8),
        (b"{\"a\"", "the body ends too early (within an object)", 1, 5),
        (b"[\"a", "the body ends too early (within a text)", 1, 4),
        (b"[\"\\u12", "the body ends too early (within a text)", 1, 7),
        (b"-", "the body ends too early", 1, 2),
        (b"[1,]", "a trailing comma", 1, 3),
        (b"{\"a\": 1,\n}", "a trailing comma", 1, 8),
        (b"[1 2]", "`,` or `]` was expected here, and it is `2`", 1, 4),
        (b"[1}", "`,` or `]` was expected here, and it is `}`", 1, 3),
        (b"{a: 1}", "a name in quotes was expected here, and it is `a`", 1, 2),
        (b"{\"a\" 1}", "a colon was expected here, and it is `1`", 1, 6),
        (b"{\"a\": NaN}", "`NaN` is not JSON", 1, 7),
        (b"[\n -Infinity]", "`-Infinity` is not JSON", 2, 3),
        (b"[Infinity]", "`Infinity` is not JSON", 1, 2),
        (b"[undefined]", "`undefined` is not JSON", 1, 2),
        (b"[True]", "`True` is not JSON, which writes `true`", 1, 2),
        (b"[1] // x", "there is more text after the end of the JSON document", 1, 5),
        (b"[/* x */ 1]", "a comment, `/*`, is not JSON", 1, 2),
        (b"['a']", "a text in single quotes, `'`, is not JSON", 1, 2),
        (b"[01]", "a number that begins with a zero", 1, 2),
        (b"[1.]", "a digit was expected here, and it is `]`", 1, 4),
        (b"[.5]", "a value was expected here, and it is `.`", 1, 2),
        (b"[+1]", "a value was expected here, and it is `+`", 1, 2),
        (b"[1e]", "a digit was expected here, and it is `]`", 1, 4),
        (b"[0x10]", "the end of a number was expected here, and it is `x`", 1, 3),
        (b"[truer]", "a value was expected here, and it is `t`", 1, 2),
        (b"[\"a\tb\"]", "a control character in a text, U+0009, is not escaped", 1, 4),
        (b"[\"\0\"]", "a control character in a text, U+0000, is not escaped", 1, 3),
        (b"[\"\\x41\"]", "an escape in a text that JSON does not have", 1, 3),
        (b"[\"\\u00g0\"]", "an escape `\\u` in a text without four hex digits", 1, 3),
    ] {
        let expected = JsonFault { message: message.to_owned(), line, column };
        assert_eq!(fault(bytes), expected);
    }
}

/// A text of JSON, and the value in it as a variable would get it.
#[track_caller]
fn kept(json: &str, text: &str) {
    let body = parse(&format!("{{\"odd\": {json}, \"needed\": 1}}"));
    assert_eq!(body.get("odd").and_then(Value::to_text).as_deref(), Some(text), "{json}");
    assert_eq!(body.get("needed"), Some(&Value::Int(1)), "{json}");
}

#[test]
fn half_a_surrogate_pair_becomes_the_replacement_character_and_the_rest_is_kept() {
    for (json, text) in [
        (r#""fix \ud83d""#, "fix \u{fffd}"),
        (r#""\ude00 fix""#, "\u{fffd} fix"),
        (r#""\ud83d\ude00""#, "\u{1f600}"),
        (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
        (r#""\ud83d\ud83d\ude00!""#, "\u{fffd}\u{1f600}!"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\uDBFF\uDFFF""#, "\u{10ffff}"),
        (r#""\ufffe\uffff""#, "\u{fffe}\u{ffff}"),
        (r#""a\u0000b""#, "a\0b"),
    ] {
        kept(json, text);
    }
    let body = parse(r#"{"\udc00": 1}"#);
    assert_eq!(body.get("\u{fffd}"), Some(&Value::Int(1)));
}

#[test]
fn numbers_of_any_length_and_size_are_kept_with_their_digits() {
    let digits = "7".repeat(5000);
    let small = format!("0.{digits}e-{}", "9".repeat(30));
    for number in ["1e999", "-1e999", "1e-999", "-0", "-0.0", "0e0", "1E+400", &digits, &small] {
        kept(number, number);
    }
    assert_ne!(parse("1e999"), parse("2e999"));
    assert_eq!(serde_json::to_string(&parse("[1e999]")).ok().as_deref(), Some(r#"["1e999"]"#));
}

#[test]
fn nesting_of_127_is_read_shown_and_dropped_on_a_small_stack_and_128_is_refused() {
    on_small_stack(|| {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let body = parse(&nested(127));
        assert_eq!(body.to_text(), Some(nested(127)));
        assert_eq!(body, body.clone());
        assert!(format!("{body:?}").len() <= 254);
        assert_eq!(serde_json::to_string(&body).ok(), Some(nested(127)));
        let message = fault(nested(128).as_bytes()).message;
        assert_eq!(message, "it is nested more than 127 levels deep");
    });
}

#[test]
fn a_tree_that_would_be_far_larger_than_its_body_is_refused() {
    let body = format!("[{}0]", "0,".repeat(2_000_000));
    assert_eq!(fault(body.as_bytes()).message, "the body has more than 2000000 values");
}

#[test]
fn a_byte_order_mark_is_ignored() {
    assert_eq!(parse("\u{feff}7"), Value::Int(7));
}

#[test]
fn a_debug_print_is_short() {
    let value = Value::list(vec![Value::text("é".repeat(500)); 3]);
    assert!(format!("{value:?}").len() < 210);
    assert_eq!(format!("{:?}", parse(r#"{"a": [1.50]}"#)), r#"{"a":[1.50]}"#);
}

#[test]
fn a_value_is_three_words() {
    assert!(size_of::<Value>() <= 24);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[ -~é\\n\"\\\\]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[a-e\"\\\\0-9.]{0,4}", inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn the_tree_is_the_one_that_was_written(json in any_json(), pretty: bool) {
        let text = if pretty { format!("{json:#}") } else { json.to_string() };
        let value = parse(&text);
        prop_assert_eq!(serde_json::to_value(&value).expect("a tree of JSON"), json);
        let written = value.to_text().unwrap_or_else(|| "null".to_owned());
        if value.as_str().is_none() {
            prop_assert_eq!(parse(&written), value);
        }
    }

    #[test]
    fn every_number_is_written_as_it_was_read(
        numbers in prop::collection::vec("-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,8})?([eE][+-]?[0-9]{1,2})?", 0..12),
        noise in "[0-9.e\\-]{0,6}",
    ) {
        let list = numbers.join(&format!(",{{\"{noise}\":\"{noise}\\\"{noise}\"}},"));
        let body = parse(&format!("[{list}]"));
        let written: Vec<String> = body.as_list().expect("a list").iter().step_by(2)
            .filter_map(Value::to_text).collect();
        prop_assert_eq!(written, numbers);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Value::parse_json(&bytes);
    }
}
