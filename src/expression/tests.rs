//! Tests of expressions, as tables of cases.

mod faults;
mod functions;
mod hostile;
mod library;
mod semantics;
mod templates;
mod why;

use super::*;

/// A small version of the gateway's vocabulary.
fn vocabulary() -> Vocabulary {
    Vocabulary::new()
        .open("body")
        .open("headers")
        .closed(
            "git",
            &["branch", "tag", "sha", "author", "pull_request.number", "pull_request.action"],
        )
        .closed("event", &["kind", "id"])
}

fn context(body: &str) -> Context<'static> {
    let body = Value::parse_json(body.as_bytes()).expect("valid JSON in a test");
    let git = Value::map(vec![("branch", Value::text("main")), ("tag", Value::Null)]);
    Context::new().with("body", body).with("git", git)
}

fn compile(source: &str) -> Expression {
    Expression::compile(source, &vocabulary())
        .unwrap_or_else(|faults| panic!("{source} is refused: {faults:?}"))
}

fn evaluate(source: &str, body: &str) -> Result<Value, EvaluationFault> {
    compile(source).evaluate(&context(body))
}

fn refused(source: &str) -> Vec<ExpressionFault> {
    Expression::compile(source, &vocabulary())
        .err()
        .unwrap_or_else(|| panic!("{source} is accepted"))
}

/// Runs `work` on a stack of the size that the runtime's threads have.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let handle = thread.spawn(work).expect("a thread starts");
    handle.join().expect("it neither panics nor overflows");
}
