//! What an event with a token means: its id, its git facts, and the routes that ask for its claims.

use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, kept};
use cdsw_gateway::config::{Live, Plan};
use cdsw_gateway::event::{Understood, understand};
use cdsw_gateway::judge::{Detail, judge};
use cdsw_gateway::model::{DeliveryId, Value};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

const CONFIG: &str = r#"
  ci:
    provider: jwt
    preset: github-actions
    audience: gateway
    required_claims: { repository_owner: acme }
"#;

fn plan(routes: &str) -> Arc<Plan> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    let text = include_str!("../../config/every_provider.yaml").replace("routes: {}", routes);
    std::fs::write(&path, format!("{text}{CONFIG}")).expect("written");
    let live = Live::start(&path).unwrap_or_else(|report| panic!("{}", report.render(false)));
    live.plan()
}

fn understood(plan: &Plan, claims: &Json, body: &str) -> Understood {
    let (method, headers) = (&Method::POST, &HeaderMap::new());
    let (path, body) = ("/hooks/ci", &Bytes::copy_from_slice(body.as_bytes()));
    let request = Unverified { method, path, rest: "", query: "", headers, body };
    let claims = Value::parse_json(claims.to_string().as_bytes()).expect("JSON");
    let source = &plan.sources["ci"];
    let verified = request.verified(kept::kept(claims));
    understand(&verified, source.provider, &source.options, &source.name).expect("readable")
}

/// What the only route says of a token's claims: nothing where it matches.
fn missed(on: &str, claims: &Json) -> Option<String> {
    let plan = plan(&format!("routes: {{ r: {{ on: {{ source: ci, {on} }}, job: job }} }}"));
    let understood = understood(&plan, claims, "{}");
    let id = DeliveryId::new(Timestamp::UNIX_EPOCH, 1);
    let judged = judge(&plan, &plan.sources["ci"], &understood, id, Detail::Every);
    let route = &judged.explanation.routes[0];
    assert_eq!(route.matched, !judged.runs.is_empty());
    let test = route.test.as_deref().unwrap_or_default();
    let words = route.words.as_ref().map(ToString::to_string).unwrap_or_default();
    (!route.matched).then(|| format!("{test}: {words}"))
}

#[test]
fn a_route_asks_for_claims_and_says_what_it_misses() {
    let claims = json!({ "repository": "acme/risk", "run_number": 7, "groups": ["a", "b"] });
    for on in [
        "claims: { repository: acme/risk }",
        "claims: { repository: [other, \"acme/*\"], groups: b }",
        "claims: { run_number: 7 }",
    ] {
        assert_eq!(missed(on, &claims), None, "{on}");
    }
    for (on, words) in [
        (
            "claims: { repository: acme/fraud }",
            "claims: wanted repository acme/fraud; it is acme/risk",
        ),
        (
            "claims: { environment: prod }",
            "claims: wanted environment prod; the token does not say it",
        ),
        ("claims: { groups: c }", "claims: wanted groups c; it is a, b"),
    ] {
        assert_eq!(missed(on, &claims).as_deref(), Some(words));
    }
    let words = missed("claims: { repository: acme/risk }", &json!(null)).expect("missed");
    assert!(words.ends_with("this event comes without a token"), "{words}");
}

#[test]
fn a_route_asks_for_repository_and_branch_as_it_does_of_a_push() {
    let claims = json!({ "repository": "acme/risk", "ref": "refs/heads/main", "actor": "ann" });
    assert_eq!(missed("repository: acme/risk, branch: main, author: ann", &claims), None);
    assert!(missed("repository: acme/risk, branch: develop", &claims).is_some());
    assert!(missed("tag: v1", &claims).is_some());
}

#[test]
fn the_same_body_with_the_same_token_is_a_repeat_and_nothing_else_is() {
    let plan = plan("routes: {}");
    let key =
        |jti: &str, body: &str| understood(&plan, &json!({ "jti": jti }), body).identity.key();
    assert_eq!(key("1", r#"{"a": 1}"#), key("1", r#"{"a": 1}"#));
    assert_ne!(key("1", r#"{"a": 1}"#), key("1", r#"{"a": 2}"#));
    assert_ne!(key("1", r#"{"a": 1}"#), key("2", r#"{"a": 1}"#));
}
