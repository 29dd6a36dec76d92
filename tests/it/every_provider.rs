//! What holds for every provider of the table, tried on the source that its documentation shows:
//! what its sender signs is believed, one changed bit of what is signed is not, and an old secret
//! is told from a new one.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use cdsw_gateway::authenticate::{Proof, ProvenBy, Refusal, Unverified};
use cdsw_gateway::config::{Held, Live, SourcePlan};
use cdsw_gateway::event::understand;
use cdsw_gateway::model::{Secret, Value};
use cdsw_gateway::providers::{self, Outgoing, SecretUse, Signed, Verification};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};

/// Senders that sign only bodies of their own form: they are tried on their samples.
const OWN_BODY: &[&str] = &["travis-ci", "twilio"];

/// A body that any other sender signs.
const BODY: &[u8] = br#"{"a": [1, "b"]}"#;

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("in range")
}

/// The source that each provider's documentation shows.
fn plan() -> Arc<cdsw_gateway::config::Plan> {
    plan_with(|_| "")
}

/// The same with one more line for some of the providers.
fn plan_with(
    line: impl Fn(&dyn providers::Provider) -> &'static str,
) -> Arc<cdsw_gateway::config::Plan> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    let mut text = include_str!("../config/every_provider.yaml").to_owned();
    for name in providers::names() {
        let provider = providers::find(name).expect("a provider");
        let about = provider.about();
        text.push_str(&format!("  {name}:\n"));
        about.source.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        text.push_str(&format!("    {}\n", line(provider)));
    }
    std::fs::write(&path, &text).expect("written");
    let live = Live::start(&path).unwrap_or_else(|report| panic!("{}", report.render(false)));
    live.plan()
}

/// A request as it came in.
#[derive(Clone)]
struct Request {
    headers: HeaderMap,
    query: String,
    body: Bytes,
}

/// The request that the source's sender would make, under `secret`.
fn sign(source: &SourcePlan, secret: &Secret) -> Request {
    let provider = source.provider;
    let kind = provider.sample_kind();
    let body = if OWN_BODY.contains(&provider.name()) || !provider.signs_body(&source.options) {
        provider.sample(kind).expect("a sample").as_bytes()
    } else {
        BODY
    };
    sign_body(source, secret, body)
}

fn sign_body(source: &SourcePlan, secret: &Secret, body: &[u8]) -> Request {
    let provider = source.provider;
    let kind = provider.sample_kind();
    let path = format!("/hooks/{}", source.name);
    let outgoing =
        Outgoing { method: &Method::POST, path: &path, event: kind, body, access_token: None };
    let signed = provider.sign(&outgoing, secret, &source.options, "id-1", now());
    let Signed { headers, query, body: own } = signed.expect("it signs");
    let body = own.map_or_else(|| Bytes::copy_from_slice(body), Bytes::from);
    Request { headers: headers.into_iter().collect(), query, body }
}

fn signed(source: &SourcePlan) -> Request {
    sign(source, &source.provider.sample_signer())
}

/// Two secrets, as while one is being replaced; the sender has the second.
fn secrets(source: &SourcePlan) -> Vec<Secret> {
    match source.provider.secret_use(&source.options) {
        SecretUse::None => Vec::new(),
        _ => vec![Secret::new("d3Jvbmc="), source.provider.sample_secret()],
    }
}

/// The source's secrets, with the access token that its documentation asks for.
fn held(secrets: &[Secret]) -> Held<'_> {
    static TOKEN: OnceLock<Secret> = OnceLock::new();
    let token = TOKEN.get_or_init(|| Secret::new(providers::SAMPLE_ACCESS_TOKEN));
    Held { secrets, access_tokens: std::slice::from_ref(token) }
}

fn judge_at(source: &SourcePlan, request: &Request, now: Timestamp) -> Result<Proof, Refusal> {
    let Request { headers, query, body } = request;
    let path = format!("/hooks/{}", source.name);
    let method = &Method::POST;
    let request = Unverified { method, path: &path, rest: "", query, headers, body };
    let (secrets, published) = (secrets(source), source.provider.sample_published(&source.options));
    let verification = source.verification(held(&secrets), now);
    source.prove_by(&request, &Verification { published: published.as_ref(), ..verification })
}

fn judge(source: &SourcePlan, request: &Request) -> Result<Proof, Refusal> {
    judge_at(source, request, now())
}

fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit / 8, flipped)
    })
}

/// Hexadecimal may be written in either case, and so may the word before credentials: a letter of
/// the other case is no change there.
fn says_the_same(name: &HeaderName, old: &[u8], new: &[u8], at: usize) -> bool {
    if !old[at].eq_ignore_ascii_case(&new[at]) {
        return false;
    }
    let is_hex = |byte: &&u8| byte.is_ascii_hexdigit();
    let before = old[..at].iter().rev().take_while(is_hex).count();
    let after = old[at..].iter().take_while(is_hex).count();
    let in_word = name == http::header::AUTHORIZATION && !old[..at].contains(&b' ');
    before + after >= 40 || (in_word && old.contains(&b' '))
}

fn in_escape(form: &[u8], at: usize) -> bool {
    form[at.saturating_sub(2)..at].contains(&b'%')
}

#[test]
fn what_a_sender_signs_is_believed_and_understood_and_the_secret_is_told() {
    for source in plan().sources.values() {
        let request = signed(source);
        let proof = judge(source, &request);
        let by = proof.as_ref().map(Proof::by);
        let expected = match source.provider.secret_use(&source.options) {
            SecretUse::None => ProvenBy::Published,
            _ => ProvenBy::Secret(1),
        };
        assert_eq!(by, Ok(expected), "{}", source.name);
        let Request { headers, query, body } = &request;
        let path = format!("/hooks/{}", source.name);
        let method = &Method::POST;
        let request = Unverified { method, path: &path, rest: "", query, headers, body };
        let verified = request.verified(proof.expect("believed"));
        let understood = understand(&verified, source.provider, &source.options, &source.name);
        let understood = understood.unwrap_or_else(|fault| panic!("{}: {fault}", source.name));
        assert!(!understood.identity.key().is_empty(), "{}", source.name);
        assert!(!understood.kind.is_empty());
        let (git, provider) =
            (understood.events.iter().any(|event| event.git.is_some()), source.provider);
        assert!(
            provider.tells_git(&source.options) || !git,
            "{}: it does tell of git",
            source.name
        );
        let claims = understood.events.iter().any(|event| event.claims != Value::Null);
        assert!(provider.tells_claims() || !claims, "{}", source.name);
    }
}

/// Also of senders that give no id and sign no time.
#[test]
fn a_captured_request_that_is_sent_again_is_a_repeat() {
    for source in plan().sources.values() {
        let request = signed(source);
        let understood = || {
            let proof = judge(source, &request).expect("believed");
            let Request { headers, query, body } = &request;
            let path = format!("/hooks/{}", source.name);
            let method = &Method::POST;
            let request = Unverified { method, path: &path, rest: "", query, headers, body };
            let verified = request.verified(proof);
            let understood = understand(&verified, source.provider, &source.options, &source.name);
            understood.unwrap_or_else(|fault| panic!("{}: {fault}", source.name))
        };
        let (first, again) = (understood(), understood());
        assert_eq!(first.identity, again.identity, "{}", source.name);
        assert_eq!(first.content, again.content, "{}", source.name);
        let window = source.repeat_window(&first.identity, now());
        assert!(window >= cdsw_gateway::config::UNNAMED_WINDOW, "{}: {window:?}", source.name);
    }
}

#[test]
fn one_changed_bit_of_the_body_is_refused() {
    for source in plan().sources.values() {
        if !source.provider.signs_body(&source.options) {
            continue;
        }
        let request = signed(source);
        for (at, body) in flips(&request.body) {
            // The escapes of a form may be written in either case: that is the same payload.
            let is_form = !matches!(body.first(), Some(b'{' | b'['));
            if is_form && body.eq_ignore_ascii_case(&request.body) && in_escape(&body, at) {
                continue;
            }
            let verdict = judge(source, &Request { body: body.into(), ..request.clone() });
            assert!(verdict.is_err(), "{}: byte {at}", source.name);
        }
        let shorter = request.body[..request.body.len() - 1].to_vec();
        let longer = [&request.body[..], b" "].concat();
        for body in [shorter, longer, Vec::new()] {
            let verdict = judge(source, &Request { body: body.into(), ..request.clone() });
            assert!(verdict.is_err(), "{}", source.name);
        }
    }
}

/// Of which the address holds the digest.
#[test]
fn one_changed_bit_of_a_body_of_twilios_that_is_no_form_is_refused() {
    let plan = plan();
    let source = &plan.sources["twilio"];
    let request = sign_body(source, &source.provider.sample_signer(), BODY);
    assert!(judge(source, &request).is_ok());
    for (at, body) in flips(&request.body) {
        assert!(
            judge(source, &Request { body: body.into(), ..request.clone() }).is_err(),
            "byte {at}"
        );
    }
    for (at, query) in flips(request.query.as_bytes()) {
        let Ok(query) = String::from_utf8(query) else { continue };
        assert!(judge(source, &Request { query, ..request.clone() }).is_err(), "byte {at}");
    }
}

#[test]
fn one_changed_bit_of_a_signed_header_is_refused() {
    for source in plan().sources.values() {
        let request = signed(source);
        for name in source.provider.signed_headers(&source.options) {
            let old = request.headers.get(&name);
            let old = old.unwrap_or_else(|| panic!("{}: {name} is set", source.name)).as_bytes();
            for (at, new) in flips(old) {
                let Ok(value) = HeaderValue::from_bytes(&new) else { continue };
                if says_the_same(&name, old, &new, at) {
                    continue;
                }
                let mut changed = request.clone();
                changed.headers.insert(&name, value);
                let verdict = judge(source, &changed);
                assert!(verdict.is_err(), "{}: {name}, byte {at}", source.name);
            }
        }
    }
}

#[test]
fn one_changed_bit_of_a_secret_in_the_address_is_refused() {
    for source in plan().sources.values() {
        let request = signed(source);
        for (at, query) in flips(request.query.as_bytes()) {
            let Ok(query) = String::from_utf8(query) else { continue };
            let verdict = judge(source, &Request { query, ..request.clone() });
            assert!(verdict.is_err(), "{}: byte {at}", source.name);
        }
    }
}

#[test]
fn a_signed_header_that_is_missing_empty_repeated_or_not_ascii_is_refused() {
    for source in plan().sources.values() {
        let good = signed(source);
        for name in source.provider.signed_headers(&source.options) {
            let mut missing = good.clone();
            missing.headers.remove(&name);
            let mut repeated = good.clone();
            repeated.headers.append(&name, good.headers[&name].clone());
            let with = |value: &[u8]| {
                let mut request = good.clone();
                request.headers.insert(&name, HeaderValue::from_bytes(value).expect("lawful"));
                request
            };
            for request in [missing, repeated, with(b""), with(&[0xff; 40])] {
                assert!(judge(source, &request).is_err(), "{}: {name}", source.name);
            }
        }
    }
}

#[test]
fn headers_of_a_hundred_thousand_bytes_are_refused_like_any_other() {
    for source in plan().sources.values() {
        let good = signed(source);
        for name in source.provider.signed_headers(&source.options) {
            for piece in ["a", "0", "t=1,", "v1=00,", "v1,AAAA ", "sha256=00,", "Bearer a.", "="] {
                let value = piece.repeat(100_000 / piece.len());
                let mut request = good.clone();
                let value = HeaderValue::from_str(value.trim()).expect("lawful");
                request.headers.insert(&name, value);
                assert!(judge(source, &request).is_err(), "{}: {piece}", source.name);
            }
        }
    }
}

#[test]
fn a_request_of_another_sender_is_refused() {
    for source in plan().sources.values() {
        if source.provider.secret_use(&source.options) == SecretUse::None {
            continue;
        }
        let request = sign(source, &source.provider.sample_signer());
        let others = [Secret::new("another secret"), Secret::new("YW5vdGhlciBzZWNyZXQ=")];
        let path = format!("/hooks/{}", source.name);
        let Request { headers, query, body } = &request;
        let method = &Method::POST;
        let request = Unverified { method, path: &path, rest: "", query, headers, body };
        assert!(source.prove(&request, held(&others), now()).is_err(), "{}", source.name);
        assert!(source.prove(&request, held(&[]), now()).is_err(), "{}", source.name);
    }
}

#[test]
fn a_signed_time_is_believed_for_a_while_and_no_longer() {
    for source in plan().sources.values() {
        if !source.provider.takes().contains(&"tolerance") {
            continue;
        }
        let request = signed(source);
        let day = SignedDuration::from_hours(24);
        for later in [now() + day, now() - day] {
            // A signed time that is only there when it is configured is tried elsewhere.
            let verdict = judge_at(source, &request, later);
            let reason = verdict.as_ref().err().map(Refusal::reason);
            let configured = ["hmac", "grafana", "cloudevents", "aws-eventbridge"];
            let is_configured = configured.contains(&source.provider.name());
            let is_late =
                matches!(reason, Some("stale_timestamp" | "future_timestamp" | "expired_token"));
            assert!(is_late || is_configured, "{}: {verdict:?}", source.name);
        }
    }
}

/// Whether the verdict is that the signed time is too far off.
fn is_off(verdict: &Result<Proof, Refusal>) -> bool {
    matches!(verdict, Err(Refusal::Stale { .. } | Refusal::Future { .. }))
}

#[test]
fn a_source_may_say_how_far_a_signed_time_may_be_off() {
    let years = SignedDuration::from_hours(10 * 365 * 24);
    let signing: Vec<String> = plan()
        .sources
        .values()
        .filter(|source| is_off(&judge_at(source, &signed(source), now() + years)))
        .map(|source| source.name.to_string())
        .collect();
    assert!(!signing.is_empty(), "some sign the time");
    let lines = |provider: &dyn providers::Provider| {
        if signing.iter().any(|name| name == provider.name()) { "tolerance: 10s" } else { "" }
    };
    let plan = plan_with(lines);
    for name in &signing {
        let source = &plan.sources[name.as_str()];
        let request = signed(source);
        for (seconds, off) in [(-11, true), (-10, false), (10, false), (12, true)] {
            let verdict = judge_at(source, &request, now() + SignedDuration::from_secs(seconds));
            assert_eq!(is_off(&verdict), off, "{name} {seconds} s later: {verdict:?}");
        }
    }
}
