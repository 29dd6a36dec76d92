//! Every fault that the simulated workbench has, each with a small probability.

use cdsw_gateway::simulator::{Fault, FaultRule, Page};

pub fn everything() -> Vec<FaultRule> {
    let named = |text: &str| Page::Json(text.to_owned());
    let id = r#"{"engine_id":"{engine_id}"}"#;
    let mut faults = vec![
        Fault::RefuseConnection,
        Fault::ResetBeforeRead,
        Fault::ResetAfterRead,
        Fault::StartedAnswerLost,
        Fault::NeverAnswer,
        Fault::HoldAnswer,
        Fault::SlowHead { millis: 20 },
        Fault::SlowHead { millis: 1500 },
        Fault::Trickle { millis: 1 },
        Fault::Trickle { millis: 100 },
        Fault::Truncated,
        Fault::HugeBody { bytes: 2_000_000 },
        Fault::reply(200, Page::Html),
        Fault::reply(200, named("{}")),
        Fault::reply(200, Page::Empty).with_run_started(),
        Fault::reply(200, Page::Gzip),
        Fault::reply(200, named(id)).with_header("Content-Encoding", "gzip"),
        Fault::reply(200, named(r#"{"engine_id":7}"#)).with_run_started(),
        Fault::reply(202, named(id)),
        Fault::status(204).with_run_started(),
        Fault::skipped(),
        Fault::already_active(208),
        Fault::status(503).with_header("Retry-After", "1"),
        Fault::status(429).with_header("Retry-After", "soon"),
        Fault::reply(502, Page::Html).with_run_started(),
    ];
    let plain = [301, 302, 307, 308, 400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 501, 502];
    faults.extend(plain.map(Fault::status));
    faults.extend([503, 504].map(Fault::status));
    let rule = |fault| FaultRule { probability: Some(0.008), ..FaultRule::always(fault) };
    faults.into_iter().map(rule).collect()
}
