//! The functions beyond those of CEL: what they give at the edges, and what they cost.

use super::*;

fn text(source: &str, body: &str) -> String {
    evaluate(source, body)
        .unwrap_or_else(|fault| panic!("{source}: {fault}"))
        .to_text()
        .unwrap_or_default()
}

fn fault(source: &str, body: &str) -> EvaluationFault {
    evaluate(source, body).err().unwrap_or_else(|| panic!("{source} has a value"))
}

#[test]
fn positions_beyond_the_end_are_the_end_and_those_below_zero_are_refused() {
    for (source, value) in [
        ("\"abc\".substring(1, 9)", "bc"),
        ("\"abc\".substring(7)", ""),
        ("\"abc\".substring(7, 9)", ""),
        ("\"abc\".substring(0, 9223372036854775807)", "abc"),
        ("\"Zoë!\".truncate(3)", "Zoë"),
        ("\"Zoë\".truncate(30)", "Zoë"),
        ("\"Zoë\".truncate(0)", ""),
    ] {
        assert_eq!(text(source, "{}"), value, "{source}");
    }
    for source in ["\"abc\".substring(2, 1)", "\"abc\".substring(-1)", "\"abc\".truncate(-1)"] {
        assert_eq!(fault(source, "{}").kind, EvaluationFaultKind::Value, "{source}");
    }
}

#[test]
fn the_ends_of_an_empty_list_are_missing_and_no_fault_of_another_kind() {
    assert_eq!(text("[1, 2].first() + last([3, 4])", "{}"), "5");
    assert_eq!(fault("body.l.first()", r#"{"l": []}"#).kind, EvaluationFaultKind::Missing);
    assert_eq!(fault("body.l.last()", r#"{"l": "text"}"#).kind, EvaluationFaultKind::Type);
}

#[test]
fn base64_is_read_in_both_alphabets_with_and_without_padding_and_line_ends() {
    for written in ["Pz8/Pz8+", "Pz8_Pz8-", "Pz8/\\nPz8+\\n"] {
        assert_eq!(text("body.t.base64Decode()", &format!("{{\"t\": \"{written}\"}}")), "?????>");
    }
    assert_eq!(text("base64.decode(\"WsO2\") + base64Decode(\"WsO2\")", "{}"), "ZöZö");
    assert_eq!(text("base64.encode(\"a\") + \"ab\".base64Encode()", "{}"), "YQ==YWI=");
    assert_eq!(text("\"YQ\".base64Decode() + \"YQ==\".base64Decode()", "{}"), "aa");
    for source in ["\"!\".base64Decode()", "\"/w==\".base64Decode()"] {
        let fault = fault(source, "{}");
        assert_eq!(fault.kind, EvaluationFaultKind::Value, "{fault}");
    }
}

#[test]
fn percent_encoding_leaves_what_is_none_and_refuses_what_is_no_text() {
    assert_eq!(text("\"a%20b%2fc%zz%4\".percentDecode()", "{}"), "a b/c%zz%4");
    assert_eq!(text("\"Zoë /\".percentEncode()", "{}"), "Zo%C3%AB%20%2F");
    assert_eq!(fault("\"%ff\".percentDecode()", "{}").kind, EvaluationFaultKind::Value);
}

#[test]
fn json_in_a_text_keeps_the_digits_of_numbers_and_its_fault_quotes_nothing() {
    let body = r#"{"m": "{\"lr\": 0.10, \"n\": [1, {\"a\": null}]}", "bad": "{\"secret\": }"}"#;
    assert_eq!(text("body.m.json().lr", body), "0.10");
    assert_eq!(text("size(json(body.m).n)", body), "2");
    let fault = fault("json(body.bad)", body);
    assert_eq!(fault.to_string(), "`json`: this text is not JSON (line 1, column 12)");
}

#[test]
fn reading_json_or_base64_again_and_again_uses_up_the_budget() {
    let large = format!("[{}0]", "0,".repeat(40_000));
    let body = serde_json::json!({ "t": large, "l": vec![1; 100] }).to_string();
    assert_eq!(text("size(json(body.t))", &body), "40001");
    assert_eq!(
        fault("body.l.all(x, size(json(body.t)) > x)", &body).kind,
        EvaluationFaultKind::Budget
    );
    let more = "body.l.all(x, size(body.t.base64Encode()) > x)";
    assert_eq!(fault(more, &body).kind, EvaluationFaultKind::Budget);
    let huge = serde_json::json!({ "t": format!("[{}0]", "[],".repeat(200_000)) }).to_string();
    assert_eq!(fault("size(json(body.t))", &huge).kind, EvaluationFaultKind::Budget);
}

#[test]
fn a_time_is_told_in_a_zone_across_summer_time_and_midnight() {
    for (time, zone, told) in [
        ("2026-03-29T00:59:59Z", "Europe/Berlin", "2026-03-29 01:59:59 Sunday"),
        ("2026-03-29T01:00:00Z", "Europe/Berlin", "2026-03-29 03:00:00 Sunday"),
        ("2026-01-01T00:30:00+01:00", "UTC", "2025-12-31 23:30:00 Wednesday"),
        ("2026-01-01T23:30:00Z", "Asia/Kolkata", "2026-01-02 05:00:00 Friday"),
    ] {
        let source = format!(
            "[body.t.inZone(\"{zone}\")].map(l, l.date + \" \" + l.time + \" \" + l.weekday).first()"
        );
        assert_eq!(text(&source, &format!("{{\"t\": \"{time}\"}}")), told);
    }
    assert_eq!(text("1700000000.inZone(\"UTC\").hour", "{}"), "22");
    for wrong in ["\"yesterday\"", "\"\"", "9223372036854775807", "-9223372036854775808"] {
        let body = format!("{{\"t\": {wrong}}}");
        assert_eq!(fault("body.t.inZone(\"UTC\").hour", &body).kind, EvaluationFaultKind::Value);
    }
    assert_eq!(fault("body.t.inZone(\"UTC\")", "{\"t\": null}").kind, EvaluationFaultKind::Missing);
}

#[test]
fn a_span_of_the_day_begins_with_its_start_ends_before_its_end_and_may_go_over_midnight() {
    for (time, from, to, within) in [
        ("02:30:00", "02:30", "04:30", true),
        ("04:29:59", "02:30", "04:30", true),
        ("04:30:00", "02:30", "04:30", false),
        ("23:00", "22:00", "06:00", true),
        ("05:59:59", "22:00", "06:00", true),
        ("06:00", "22:00", "06:00", false),
        ("21:59:59", "22:00", "06:00", false),
        ("23:59:59", "00:00", "24:00", true),
        ("12:00", "12:00", "12:00", false),
    ] {
        let source = format!("\"{time}\".between(\"{from}\", \"{to}\")");
        assert_eq!(text(&source, "{}"), within.to_string(), "{source}");
    }
}

#[test]
fn zones_and_times_of_day_that_there_are_not_are_found_when_the_expression_is_compiled() {
    let one = |source: &str| refused(source)[0].to_string();
    let berlin = one("body.t.inZone(\"Europe/Berln\")");
    assert_eq!(berlin, "there is no time zone `Europe/Berln` (did you mean \"Europe/Berlin\")");
    assert!(one("body.t.inZone(body.zone)").contains("has to be a literal"));
    for wrong in ["2:30", "02:60", "25:00", "24:01", "02:30:00:00", ""] {
        let source = format!("body.t.inZone(\"UTC\").between(\"{wrong}\", \"04:30\")");
        assert!(one(&source).contains("not a time of day"), "{wrong}");
    }
    assert!(one("timestamp(body.t)").contains("inZone"));
}

#[test]
fn a_header_is_found_by_its_name_in_any_case() {
    let headers = Value::map(vec![("x-github-event", Value::text("push"))]);
    let name = Value::map(vec![("name", Value::text("X-GitHub-Event"))]);
    let context = Context::new().with("headers", headers).with("body", name);
    for source in [
        "headers[\"X-GitHub-Event\"] == \"push\"",
        "headers[\"x-github-event\"] == \"push\"",
        "headers[?\"X-GITHUB-EVENT\"].orValue(\"\") == \"push\"",
        "\"X-GitHub-Event\" in headers",
        "headers[body.name] == \"push\"",
        "body.name in headers",
        "!(\"X-Other\" in headers) && !has(headers.Host)",
    ] {
        assert_eq!(compile(source).test(&context), Ok(true), "{source}");
    }
    let body = "{\"A\": 1}";
    assert_eq!(text("body[\"A\"]", body), "1", "fields of a body keep their case");
}
