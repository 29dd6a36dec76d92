//! Text with holes.

use super::*;

fn template(source: &str) -> Template {
    Template::compile(source, &vocabulary())
        .unwrap_or_else(|faults| panic!("{source} is refused: {faults:?}"))
}

#[test]
fn holes_are_filled_with_the_text_form_of_their_values() {
    let context = context(r#"{"f": 1.10, "l": [1, "x"], "ok": true, "s": "a b"}"#);
    for (source, text) in [
        ("", ""),
        ("plain", "plain"),
        ("push to ${{ git.branch }}!", "push to main!"),
        ("${{body.f}}${{ body.ok }}${{ body.l }}", "1.10true[1,\"x\"]"),
        ("$${{ git.branch }} is ${{ git.branch }}", "${{ git.branch }} is main"),
        ("$${{$${{", "${{${{"),
        ("$x ${y} {{z}} }}", "$x ${y} {{z}} }}"),
        ("${{ '}}' + \"}}\" }}", "}}}}"),
        ("${{ {'a': {'b': 1}}.a.b }}", "1"),
        ("${{ {'a': {'b': 1}}}}", "{\"a\":{\"b\":1}}"),
        ("é${{ body.s }}é", "éa bé"),
        ("cost: $$${{ body.f }}", "cost: $${{ body.f }}"),
    ] {
        assert_eq!(template(source).render(&context, 100).as_deref(), Ok(text), "{source}");
    }
}

#[test]
fn faults_of_all_holes_are_placed_in_the_text() {
    let source = "é ${{ boddy.x }} and ${{ git.brnch }} and ${{ 'x }}";
    let faults = Template::compile(source, &vocabulary()).expect_err("three faults");
    let at: Vec<_> = faults.iter().map(|f| &source[f.offset..f.offset + f.length]).collect();
    assert_eq!(at, ["boddy", "brnch", "'x "]);
}

#[test]
fn a_hole_that_is_empty_or_not_closed_is_refused() {
    for (source, offset, message) in [
        ("a ${{ git.branch", 2, "this hole is not closed"),
        ("a ${{ }}", 5, "the expression is empty"),
        ("a ${{ git.branch }", 2, "this hole is not closed"),
    ] {
        let faults = Template::compile(source, &vocabulary()).expect_err(source);
        assert_eq!((faults[0].offset, faults[0].message.as_str()), (offset, message));
    }
}

#[test]
fn a_missing_or_null_hole_is_told_apart_from_other_faults() {
    let context = context(r#"{"n": 1}"#);
    let fault = |source: &str| template(source).render(&context, 10).expect_err(source);
    assert_eq!(fault("${{ body.x.y }}").kind, EvaluationFaultKind::Missing);
    assert_eq!(fault("${{ git.tag }}").kind, EvaluationFaultKind::Missing);
    assert_eq!(fault("${{ git.tag }}").message, "`git.tag` is null");
    assert_eq!(fault("${{ git.tag.size() }}").kind, EvaluationFaultKind::Missing);
    assert_eq!(fault("${{ body.n.x }}").kind, EvaluationFaultKind::Type);
    assert_eq!(fault("ab ${{ body.n.x }}").offset, 12);
}

#[test]
fn text_over_the_limit_is_refused_with_its_size() {
    let context = context(&format!(r#"{{"s": "{}"}}"#, "x".repeat(3_000_000)));
    let fault = |source: &str| template(source).render(&context, 10).expect_err(source);
    assert_eq!(
        fault("${{ git.branch }}: 12345").message,
        "the text is 11 bytes long, and 10 are allowed"
    );
    assert_eq!(fault("${{ body }}").kind, EvaluationFaultKind::TooLong);
    assert_eq!(
        fault("${{ body }}").message,
        "the text is more than 1048576 bytes long, and 10 are allowed"
    );
}

#[test]
fn a_template_knows_its_holes() {
    let text = template("a ${{ git.branch }}${{ body.n }}");
    let holes: Vec<_> = text.holes().map(|hole| (hole.offset, hole.expression.source())).collect();
    assert_eq!(holes, [(5, " git.branch "), (22, " body.n ")]);
    assert!(!text.is_literal());
    assert!(template("a $${{ b }}").is_literal());
}
