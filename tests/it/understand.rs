//! What a verified request is taken to mean, and what of it nobody but its sender may choose.

use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, kept, open};
use cdsw_gateway::event::{
    COMMAND_FIELDS, DELIVERY_FIELDS, DecodeFault, EVENT_FIELDS, GIT_FIELDS, Identity,
    PULL_REQUEST_FIELDS, Understood, VARIABLES, understand,
};
use cdsw_gateway::model::{DeliveryId, Secret, Value};
use cdsw_gateway::providers::{self, Options, Outgoing, Place, Template, Verification};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))
    });
    pairs.collect()
}

fn read(
    provider: &str,
    options: &Options,
    headers: &HeaderMap,
    query: &str,
    body: &[u8],
) -> Result<Understood, DecodeFault> {
    let provider = providers::find(provider).expect("a known provider");
    let body = &Bytes::copy_from_slice(body);
    let request =
        Unverified { method: &Method::POST, path: "/hooks/some", rest: "", query, headers, body };
    let verified = request.verified(open::dangerously_unauthenticated());
    understand(&verified, provider, options, &Arc::from("some"))
}

fn field<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    value.at(path).and_then(Value::as_str)
}

fn keys(value: &Value) -> Vec<&str> {
    value.entries().map(|(key, _)| key).collect()
}

#[test]
fn headers_that_carry_a_secret_are_left_out() {
    let mut given = headers(&[
        ("authorization", "Basic aHVzaA=="),
        ("cookie", "session=hush"),
        ("proxy-authorization", "hush"),
        ("x-gitlab-token", "hush"),
        ("x-gitlab-event", "Push Hook"),
        ("via", "a"),
        ("x-odd", "gone"),
    ]);
    given.append("via", HeaderValue::from_static("b"));
    given.insert("x-odd", HeaderValue::from_bytes(b"\xff").expect("opaque bytes"));
    let understood = read("gitlab", &Options::default(), &given, "", b"{}").expect("understood");
    let kept = &understood.events[0].headers;
    let mut names = keys(kept);
    names.sort_unstable();
    assert_eq!(names, ["via", "x-gitlab-event"]);
    assert_eq!(field(kept, &["via"]), Some("a, b"));
}

#[test]
fn the_configured_token_header_is_left_out() {
    let token = HeaderName::from_static("x-my-token");
    let options = Options { header: Some(token), ..Options::default() };
    let given = headers(&[("x-my-token", "hush"), ("x-other", "shown")]);
    let understood = read("token", &options, &given, "", b"{}").expect("understood");
    assert_eq!(keys(&understood.events[0].headers), ["x-other"]);
}

/// A delivery's id, with the time at which it was received.
fn delivery() -> DeliveryId {
    DeliveryId::new("2026-03-01T02:30:00.5Z".parse().expect("a time"), 1)
}

#[test]
fn expressions_see_every_listed_variable_and_field() {
    let sample = providers::find("github").and_then(|github| github.sample("pull_request"));
    let given = headers(&[("x-github-event", "pull_request"), ("x-github-delivery", "id-1")]);
    let body = sample.expect("a sample").as_bytes();
    let understood = read("github", &Options::default(), &given, "a=1", body).expect("understood");
    let variables = understood.events[0].variables(delivery());
    assert_eq!(variables.iter().map(|(name, _)| *name).collect::<Vec<_>>(), VARIABLES);
    let silent = variables.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| *name);
    assert_eq!(silent.collect::<Vec<_>>(), ["claims", "command"], "there is neither here");
    let all = Value::map(variables);
    for (path, fields) in [
        (&["event"][..], &EVENT_FIELDS[..]),
        (&["git"], &GIT_FIELDS),
        (&["git", "pull_request"], &PULL_REQUEST_FIELDS),
        (&["delivery"], &DELIVERY_FIELDS),
    ] {
        let mut fields = fields.to_vec();
        fields.sort_unstable();
        assert_eq!(keys(all.at(path).expect("a map")), fields, "{path:?}");
    }
    for (path, text) in [
        (&["event", "kind"][..], "pull_request"),
        (&["event", "action"], "closed"),
        (&["event", "provider"], "github"),
        (&["source"], "some"),
        (&["query", "a"], "1"),
        (&["git", "branch"], "main"),
        (&["git", "pull_request", "head"], "wider-prior"),
        (&["delivery", "id"], &*delivery().to_string()),
        (&["delivery", "received_at"], "2026-03-01T02:30:00.5Z"),
        (&["delivery", "key"], "id-1"),
    ] {
        assert_eq!(field(&all, path), Some(text), "{path:?}");
    }
    let number = all.at(&["git", "pull_request", "number"]).and_then(Value::as_u64);
    assert_eq!(number, Some(42));
}

#[test]
fn expressions_see_every_listed_field_of_a_command_whichever_program_it_came_from() {
    for provider in ["slack", "mattermost", "ms-teams-outgoing", "discord"] {
        let sample = providers::find(provider).and_then(|known| known.sample("command"));
        let body = sample.expect("a sample").as_bytes();
        let understood =
            read(provider, &Options::default(), &HeaderMap::new(), "", body).expect("understood");
        assert_eq!(&*understood.kind, "command", "{provider}");
        let all = Value::map(understood.events[0].variables(delivery()));
        let command = all.get("command").expect("a command");
        let mut fields = COMMAND_FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(keys(command), fields, "{provider}");
        for (path, text) in [
            (&["name"][..], "retrain"),
            (&["args", "START_DATE"], "2017-01-01"),
            (&["args", "END_DATE"], "2017 01 31"),
            (&["text"], "retrain START_DATE=2017-01-01 END_DATE=\"2017 01 31\" fast"),
        ] {
            assert_eq!(field(command, path), Some(text), "{provider}");
        }
        assert_eq!(command.get("words"), Some(&Value::list(vec![Value::text("fast")])));
        for name in ["user", "user_name", "channel", "team", "slash"] {
            assert!(field(command, &[name]).is_some(), "{provider}: {name}");
        }
    }
    let other = read("standard-webhooks", &Options::default(), &HeaderMap::new(), "", b"{}");
    let variables = other.expect("understood").events[0].variables(delivery());
    assert!(Value::map(variables).get("command").is_some_and(Value::is_null));
}

#[test]
fn an_event_that_has_nothing_to_do_with_git_has_all_git_fields_as_null() {
    let given = HeaderMap::new();
    let understood =
        read("standard-webhooks", &Options::default(), &given, "", b"{}").expect("understood");
    assert_eq!(&*understood.kind, "event");
    let variables = understood.events[0].variables(delivery());
    let git = variables.into_iter().find(|(name, _)| *name == "git").expect("git").1;
    assert_eq!(keys(&git).len(), GIT_FIELDS.len());
    assert!(git.get("branch").is_some_and(Value::is_null));
}

#[test]
fn an_id_that_was_not_signed_does_not_rename_a_signed_delivery() {
    let provider = providers::find("standard-webhooks").expect("known");
    let (options, secret) = (Options::default(), Secret::new("whsec_dGVzdHRlc3R0ZXN0"));
    let outgoing = Outgoing {
        method: &Method::POST,
        path: "/hooks/some",
        event: "event",
        body: b"{}",
        access_token: None,
    };
    let signed = provider
        .sign(&outgoing, &secret, &options, "msg_1", Timestamp::UNIX_EPOCH)
        .expect("it signs");
    let mut given: HeaderMap = signed
        .headers
        .into_iter()
        .map(|(name, value)| {
            let name = name.as_str().replace("webhook-", "svix-");
            (name.parse().expect("a header name"), value)
        })
        .collect();
    given.insert("webhook-id", HeaderValue::from_static("msg_2"));
    let request = Unverified {
        method: &Method::POST,
        path: "/hooks/some",
        rest: "",
        query: "",
        headers: &given,
        body: &Bytes::from_static(b"{}"),
    };
    let secrets = [secret];
    let verification = Verification::new(&secrets, &options, Timestamp::UNIX_EPOCH);
    let proof = provider.authenticate(&request, &verification).expect("the Svix set is good");
    let understood = understand(&request.verified(proof), provider, &options, &Arc::from("some"));
    assert_eq!(understood.expect("understood").identity, Identity::Sender("msg_1".into()));
}

#[test]
fn the_content_type_does_not_choose_between_two_readings_of_one_body() {
    let body = br#"{"ref":"refs/heads/main","note":"&payload=%7B%22ref%22%3A%22forged%22%7D&"}"#;
    for content_type in ["application/json", "application/x-www-form-urlencoded"] {
        for provider in ["github", "gitea", "hmac"] {
            let event = providers::find(provider).expect("known").name();
            let given = headers(&[
                ("content-type", content_type),
                ("x-github-event", event),
                ("x-gitea-event", event),
            ]);
            let understood =
                read(provider, &Options::default(), &given, "", body).expect("understood");
            let body = &understood.events[0].body;
            assert_eq!(field(body, &["ref"]), Some("refs/heads/main"), "{provider}");
        }
    }
}

#[test]
fn a_payload_form_with_a_second_field_is_not_understood() {
    let given = headers(&[("x-github-event", "push")]);
    let body = b"payload=%7B%7D&payload=%7B%22ref%22%3A1%7D";
    let fault = read("github", &Options::default(), &given, "", body).expect_err("ambiguous");
    assert_eq!(fault.to_string(), "the form in the body has a second field at byte 14");
}

#[test]
fn what_cannot_be_read_is_named_with_its_position() {
    let given = headers(&[("x-github-event", "push")]);
    for (body, start) in [
        (&b"{\"a\": }"[..], "the body is not JSON: "),
        (b"", "the body is not JSON: "),
        (b"payload=%7B", "the body is not JSON: "),
        (b"payload=%7", "the form in the body has a `%` without two hex digits at byte 8"),
    ] {
        let fault = read("github", &Options::default(), &given, "", body).expect_err("unreadable");
        assert!(fault.to_string().starts_with(start), "{fault}");
    }
    let nameless = read("github", &Options::default(), &HeaderMap::new(), "", b"{}");
    assert_eq!(nameless.expect_err("nameless").to_string(), "header `x-github-event` is missing");
}

#[test]
fn the_body_of_a_gitlab_event_says_what_it_is_whatever_the_header_claims() {
    let given = headers(&[("x-gitlab-event", "Merge Request Hook")]);
    let body = br#"{"object_kind": "push", "ref": "refs/heads/main"}"#;
    let understood = read("gitlab", &Options::default(), &given, "", body).expect("understood");
    assert_eq!(&*understood.kind, "push");
}

#[test]
fn what_events_of_gitlab_share_is_no_name_of_a_delivery() {
    let key = |pairs: &[(&'static str, &str)], body: &[u8]| {
        let event = [("x-gitlab-event", "Push Hook"), ("x-gitlab-event-uuid", "shared")];
        let given = headers(&[&event, pairs].concat());
        read("gitlab", &Options::default(), &given, "", body).expect("understood").identity.key()
    };
    // Hooks that one push sets off share `X-Gitlab-Event-UUID`; each try at one has the same key.
    assert_ne!(key(&[("idempotency-key", "a")], b"{}"), key(&[("idempotency-key", "b")], b"{}"));
    assert_eq!(key(&[("idempotency-key", "a")], b"{}"), key(&[("idempotency-key", "a")], b"[]"));
    // An older GitLab sends no such key: the body is all that tells two of them apart.
    assert_ne!(key(&[], br#"{"ref": "a"}"#), key(&[], br#"{"ref": "b"}"#));
}

#[test]
fn a_generic_source_names_its_events_and_deliveries_as_configured() {
    let options = Options {
        event: Some(Place::Field(vec!["meta".into(), "kind".into()])),
        delivery_id: Some(Place::Header(HeaderName::from_static("x-id"))),
        ..Options::default()
    };
    let given = headers(&[("x-id", "d-1")]);
    let body = br#"{"meta": {"kind": "retrain"}}"#;
    let understood = read("hmac", &options, &given, "", body).expect("understood");
    assert_eq!(&*understood.kind, "retrain");
    assert_eq!(understood.identity, Identity::Sender("d-1".into()));
    let form = headers(&[("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
    let options = Options { event: Some(Place::Field(vec!["kind".into()])), ..options };
    let understood = read("basic", &options, &form, "", b"kind=retrain&n=1").expect("understood");
    assert_eq!(&*understood.kind, "retrain");
    assert!(matches!(understood.identity, Identity::Digest(_)));
}

#[test]
fn a_delivery_without_an_id_is_known_by_what_was_signed() {
    let options = Options {
        template: Some(Template::parse("{timestamp}.{body}").expect("a template")),
        timestamp_header: Some(HeaderName::from_static("x-time")),
        ..Options::default()
    };
    let key = |time: &str, body: &[u8]| {
        let given = headers(&[("x-time", time)]);
        read("hmac", &options, &given, "", body).expect("understood").identity.key()
    };
    assert_eq!(key("1", b"{}"), key("1", b"{}"));
    assert_ne!(key("1", b"{}"), key("2", b"{}"));
    assert_ne!(key("1", b"{}"), key("1", b"[]"));
    assert!(key("1", b"{}").starts_with("sha256:"));
}

#[test]
fn a_list_is_as_many_events_as_it_holds_up_to_a_bound_and_an_empty_one_is_one() {
    let list = |count: usize| format!("[{}]", vec![r#"{"id":"a"}"#; count].join(","));
    let read = |count| {
        let given = HeaderMap::new();
        read("azure-event-grid", &Options::default(), &given, "", list(count).as_bytes())
    };
    for (count, events) in [(0, 1), (1, 1), (2, 2), (1000, 1000)] {
        let understood = read(count).expect("understood");
        let parts: Vec<u32> = understood.events.iter().map(|event| event.part).collect();
        assert_eq!(parts, (0..events).collect::<Vec<u32>>());
    }
    let fault = read(1001).expect_err("too many").to_string();
    assert!(fault.contains("more than 1000 events"), "{fault}");
}

#[test]
fn a_very_long_id_is_replaced_by_its_digest() {
    let long = "a".repeat(100_000);
    let given = headers(&[("x-github-event", "push"), ("x-github-delivery", &long)]);
    let understood = read("github", &Options::default(), &given, "", b"{}").expect("understood");
    assert!(understood.identity.key().len() < 100);
}

#[test]
fn an_open_source_and_a_kept_delivery_are_told_apart_from_proven_ones() {
    use cdsw_gateway::authenticate::ProvenBy;
    assert_eq!(open::dangerously_unauthenticated().by(), ProvenBy::Open);
    assert_eq!(kept::kept(Value::Null).by(), ProvenBy::Kept);
}
