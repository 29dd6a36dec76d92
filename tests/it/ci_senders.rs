//! Senders that are no forges: what they tell of the commit that they are about, and that a press on their test
//! button starts nothing.

use std::path::Path;

use bytes::Bytes;
use cdsw_gateway::authenticate::Unverified;
use cdsw_gateway::event::Understood;
use cdsw_gateway::model::GitFacts;
use cdsw_gateway::providers::{self, BodyForm, Options, Outgoing, Place, Verification};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;

use crate::common::reading::reading;

fn payload(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads").join(name);
    std::fs::read(&file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

fn read_as(
    provider: &str,
    options: &Options,
    headers: &[(&'static str, &'static str)],
    body: &[u8],
) -> Result<Understood, String> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    reading(provider, "ci", options, &headers, body)
}

fn read(provider: &str, body: &[u8]) -> Understood {
    read_as(provider, &Options::default(), &[], body).expect("it is understood")
}

fn git(provider: &str, name: &str) -> GitFacts {
    let understood = read(provider, &payload(name));
    understood.events[0].git.clone().expect("facts")
}

#[test]
fn the_pings_and_tests_of_senders_start_nothing() {
    for name in ["circleci", "pagerduty", "mlflow", "grafana", "intercom", "asana", "harbor"] {
        let understood = read(name, &payload(&format!("pings/{name}.json")));
        assert!(understood.handshake.is_some() && understood.events.is_empty(), "{name}");
        let provider = providers::find(name).expect("a known provider");
        let sample = provider.sample(provider.sample_kind()).expect("a sample");
        let understood = read(name, sample.as_bytes());
        assert!(understood.handshake.is_none(), "{name}: a delivery is none");
    }
    let test = [("x-shopify-topic", "orders/create"), ("x-shopify-test", "true")];
    let test = read_as("shopify", &Options::default(), &test, b"{}").expect("it is understood");
    assert!(test.handshake.is_some());
}

#[test]
fn a_model_that_is_not_the_example_is_no_test() {
    let example = String::from_utf8(payload("pings/mlflow.json")).expect("text");
    for (from, to) in [("example_model", "risk"), ("\"1\"", "\"2\""), ("abcd1234", "0bcd1234")] {
        let other = example.replace(from, to);
        assert!(read("mlflow", other.as_bytes()).handshake.is_none(), "{to}");
    }
}

#[test]
fn mlflow_names_an_event_by_its_entity_and_its_action() {
    let body = payload("pings/mlflow.json");
    let body = String::from_utf8(body).expect("text").replace("example_model", "risk");
    let understood = read("mlflow", body.as_bytes());
    assert_eq!(&*understood.kind, "model_version");
    assert_eq!(understood.name.as_deref(), Some("model_version.created"));
    assert_eq!(understood.action.as_deref(), Some("created"));
}

#[test]
fn a_build_of_circleci_tells_which_commit_it_built() {
    let built = git("circleci", "circleci/workflow-completed.json");
    assert_eq!(built.repository.as_deref(), Some("acme/risk"));
    assert_eq!((built.branch.as_deref(), built.tag.as_deref()), (Some("main"), None));
    assert_eq!(built.sha.as_deref(), Some("a".repeat(40).as_str()));
    assert_eq!(built.message.as_deref(), Some("Train"));
    assert!(!built.paths.complete, "files are not listed, so they are not known");
    let tag = git("circleci", "circleci/tag.json");
    assert_eq!((tag.branch.as_deref(), tag.tag.as_deref()), (None, Some("v1.2.0")));
    assert_eq!(tag.repository.as_deref(), Some("acme/risk"), "from the project's name");
    assert_eq!(tag.message.as_deref(), Some("Release\n\nAll of it"));
    let gitlab = git("circleci", "circleci/gitlab.json");
    assert_eq!(gitlab.repository.as_deref(), Some("acme/teams/risk"));
    assert_eq!(gitlab.branch.as_deref(), Some("main"));
    assert_eq!(gitlab.sha.as_deref(), Some("3".repeat(40).as_str()));
    assert_eq!(gitlab.author.as_deref(), Some("ada"));
}

#[test]
fn a_build_of_a_strangers_fork_has_no_branch_of_the_repository() {
    let fork = git("circleci", "circleci/fork.json");
    assert_eq!(fork.repository.as_deref(), Some("acme/risk"));
    assert_eq!((fork.branch, fork.fork), (None, Some(true)));
    assert_eq!(fork.status.map(|status| status.to_string()).as_deref(), Some("success"));
    assert_eq!(fork.author, None, "whoever makes a commit chooses the name of its author");
    let pull = fork.pull_request.expect("a request");
    assert_eq!((pull.number, pull.fork), (7, Some(true)));
}

#[test]
fn travis_ci_lists_no_files_so_they_are_not_known() {
    let sample = providers::find("travis-ci").and_then(|travis| travis.sample("push"));
    let understood = read("travis-ci", sample.expect("a sample").as_bytes());
    let git = understood.events[0].git.clone().expect("facts");
    assert!(!git.paths.complete && git.paths.files.is_empty());
}

#[test]
fn a_text_and_lines_of_json_reach_a_route_where_the_source_says_so() {
    let csv = b"id,score\n1,0.5\n";
    for provider in ["token", "basic", "hmac", "jwt"] {
        let options = Options { body: BodyForm::Text, ..Options::default() };
        let text = read_as(provider, &options, &[], csv).expect("a text");
        assert_eq!(text.events[0].body.as_str(), Some("id,score\n1,0.5\n"), "{provider}");
        let json = read_as(provider, &options, &[], b"{}").expect("a text");
        assert_eq!(json.events[0].body.as_str(), Some("{}"), "{provider}");
        let options = Options { body: BodyForm::Lines, ..Options::default() };
        let lines = read_as(provider, &options, &[], b"{\"a\": 1}\r\n\n[2]\n").expect("lines");
        assert_eq!(lines.events[0].body.to_text().as_deref(), Some(r#"[{"a":1},[2]]"#));
        let one = read_as(provider, &options, &[], b"{\"a\": 1}").expect("a line");
        assert_eq!(one.events[0].body.to_text().as_deref(), Some(r#"[{"a":1}]"#));
        let fault = read_as(provider, &options, &[], b"{}\n{\n").expect_err("half a line");
        assert!(fault.contains("line 2, column 2"), "{fault}");
    }
}

#[test]
fn a_body_that_is_neither_json_nor_a_form_is_the_text_that_it_is_said_to_be() {
    let read = |kind: &'static str, body: &[u8]| {
        let headers = [("content-type", kind)];
        let understood = read_as("token", &Options::default(), &headers, body)?;
        Ok::<_, String>(understood.events[0].body.to_text().unwrap_or_default())
    };
    for kind in ["text/csv", "text/plain; charset=utf-8", "application/xml", "image/svg+xml"] {
        assert_eq!(read(kind, b"<a/>").as_deref(), Ok("<a/>"), "{kind}");
        assert_eq!(read(kind, b"{\"a\": 1}").as_deref(), Ok("{\"a\":1}"), "the bytes come first");
    }
    assert_eq!(read("application/json", b"").as_deref(), Ok(""), "a request without a body");
    read("application/json", b"<a/>").expect_err("it is not JSON");
    read("text/csv", b"\xff").expect_err("it is not text");
    let fault = read("application/x-ndjson", b"{}\n{}").expect_err("lines");
    assert!(fault.contains("`body: lines`"), "{fault}");
}

#[test]
fn a_missing_name_of_the_event_is_said() {
    let options = |place| Options { event: Some(place), ..Options::default() };
    let field = options(Place::Field(vec!["type".into()]));
    let missing = read_as("token", &field, &[], b"{\"kind\": 1}").expect("it is understood");
    assert_eq!(&*missing.kind, "event");
    assert_eq!(
        missing.unnamed.as_deref(),
        Some("field `type`, which names the event, is missing or empty; the kind is `event`")
    );
    let named = read_as("token", &field, &[], b"{\"type\": \"a\"}").expect("it is understood");
    assert_eq!((&*named.kind, named.unnamed), ("a", None));
    let header = options(Place::Header(HeaderName::from_static("x-event")));
    let missing = read_as("basic", &header, &[], b"{}").expect("it is understood");
    assert!(missing.unnamed.is_some_and(|words| words.starts_with("header `x-event`")));
}

#[test]
fn a_header_that_was_chosen_at_the_sender_proves_it_and_is_hidden_where_it_is_the_secret() {
    let options =
        Options { header: Some(HeaderName::from_static("x-my-own")), ..Options::default() };
    for (name, is_secret) in
        [("okta", true), ("alertmanager", true), ("convoy", false), ("grafana", false)]
    {
        let provider = providers::find(name).expect("a known provider");
        assert_eq!(provider.check_options(&options), Vec::<String>::new(), "{name}");
        let secrets = [provider.sample_secret()];
        let body = Bytes::from_static(b"{}");
        let (now, method) = (Timestamp::UNIX_EPOCH, Method::POST);
        let outgoing =
            Outgoing { method: &method, path: "/", event: "e", body: &body, access_token: None };
        let signed = provider.sign(&outgoing, &secrets[0], &options, "id", now).expect("it signs");
        let headers: HeaderMap = signed.headers.into_iter().collect();
        assert!(headers.contains_key("x-my-own"), "{name}: {headers:?}");
        let request = Unverified {
            method: &method,
            path: "/",
            rest: "",
            query: "",
            headers: &headers,
            body: &body,
        };
        let verification = Verification::new(&secrets, &options, now);
        provider.authenticate(&request, &verification).expect("it is authentic");
        let usual = Options::default();
        let verification = Verification::new(&secrets, &usual, now);
        provider.authenticate(&request, &verification).expect_err("it is in another header");
        let hidden = provider.own_secret_headers(&options).iter().any(|name| name == "x-my-own");
        assert_eq!(hidden, is_secret, "{name}");
    }
}
