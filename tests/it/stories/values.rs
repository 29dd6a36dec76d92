//! What a job finds in its environment.

use cdsw_gateway::model::RunState;

use super::common::{PUSH, World};
use super::{run_of, text};

const ROUTE: &str = r#"
  on-push:
    on: { source: github, event: push }
    job: retrain
    env:
      RATE: ${{ body.rate }}
      LARGE: ${{ body.large }}
      TINY: ${{ body.tiny }}
      WHOLE: ${{ body.whole }}
      MINUS: "x${{ body.minus }}x"
      YES: ${{ body.yes }}
      LIST: ${{ body.list }}
      TEXT: ${{ body.text }}
      FALLBACK: { value: "${{ body.none }}", default: "fallback" }
      NOTHING: { value: "${{ body.nothing }}", default: "" }
      LEFT_OUT: { value: "${{ body.none.deeper }}", omit: true }
      THERE: { value: "${{ git.branch }}", default: "fallback" }
"#;

const FIELDS: &str = r#"{
  "rate": 1.10,
  "large": 12345678901234567890123,
  "tiny": 1E-07,
  "whole": 3.0,
  "minus": -0,
  "yes": true,
  "list": [1.50, "a", null],
  "text": "naïve\n\"quoted\" $(rm) `x` ${HOME}",
  "nothing": null,
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_gets_the_senders_own_digits_and_text_and_what_the_route_says_instead() {
    let world = World::start(ROUTE).await;
    let body = PUSH.replacen('{', FIELDS, 1);
    let (status, answer) = world.send(world.github("push", "values", body)).await;
    assert_eq!((status, text(&answer, "/runs/0/state")), (202, "queued"), "{answer}");
    world.run_in(run_of(&answer, 0), RunState::Started).await;
    let seen = world.simulator.requests().remove(0).environment;
    let seen: Vec<(&str, &str)> = seen
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| !name.starts_with("GATEWAY_"))
        .collect();
    assert_eq!(
        seen,
        [
            ("FALLBACK", "fallback"),
            ("LARGE", "12345678901234567890123"),
            ("LIST", r#"[1.50,"a",null]"#),
            ("MINUS", "x-0x"),
            ("NOTHING", ""),
            ("RATE", "1.10"),
            ("TEXT", "naïve\n\"quoted\" $(rm) `x` ${HOME}"),
            ("THERE", "main"),
            ("TINY", "1E-07"),
            ("WHOLE", "3.0"),
            ("YES", "true"),
        ]
    );
}

/// More steps than a worker spends on a delivery, and fewer than an expression may take.
const LONG: &str = r#"
  retrain-on-push:
    on: { source: github, event: push }
    if: body.numbers.all(x, body.numbers.all(y, x + y >= 0))
    job: retrain
    env: { FIRST: "${{ body.numbers[0] }}", LAST: "${{ body.numbers[249] }}" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_delivery_whose_routes_take_long_is_judged_to_the_end() {
    let world = World::start(LONG).await;
    let body = serde_json::json!({ "numbers": (0..250).collect::<Vec<u32>>() }).to_string();
    let (status, answer) = world.send(world.github("push", "long", body)).await;
    assert_eq!(status, 202, "{answer}");
    let run = world.run_in(run_of(&answer, 0), RunState::Started).await;
    let environment = run.environment.expect("variables");
    assert_eq!((environment.get("FIRST"), environment.get("LAST")), (Some("0"), Some("249")));
}
