//! Properties of every provider's signatures: what it signs is accepted, and one changed bit in
//! the body, the signature or another signed header is refused. And headers meant to do harm.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use cdsw_gateway::authenticate::hmac::{Algorithm, Encoding};
use cdsw_gateway::authenticate::timestamp::Unit;
use cdsw_gateway::authenticate::{Proof, ProvenBy, Refusal, Unverified};
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::{self, Options, Outgoing, Place, Provider, Template, Verification};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;

/// A source of some provider, and what its sender signs with.
struct Source {
    provider: &'static dyn Provider,
    options: Options,
    secrets: Vec<Secret>,
    signer: Secret,
    /// The headers that hold the signature or token, or that the signature covers.
    signed: &'static [&'static str],
}

const PATH: &str = "/hooks/some";
const SIGNING_TOKEN: &str = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=";

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("in range")
}

fn source(provider: &str, secret: &str, signed: &'static [&'static str]) -> Source {
    Source {
        provider: providers::find(provider).expect("a known provider"),
        options: Options::default(),
        secrets: vec![Secret::new("d3Jvbmc="), Secret::new(secret)],
        signer: Secret::new(secret),
        signed,
    }
}

fn asymmetric() -> Source {
    let pair = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let write = |prefix: &str, bytes: &[u8]| format!("{prefix}{}", BASE64_STANDARD.encode(bytes));
    let signed = &["webhook-id", "webhook-timestamp", "webhook-signature"];
    Source {
        secrets: vec![
            Secret::new(SIGNING_TOKEN),
            Secret::new(write("whpk_", pair.verifying_key().as_bytes())),
        ],
        signer: Secret::new(write("whsk_", &pair.to_keypair_bytes())),
        ..source("standard-webhooks", "x", signed)
    }
}

fn everything_signed() -> Source {
    let template = "{method} {path}:{id}:{timestamp}:{body}";
    let options = Options {
        header: Some(HeaderName::from_static("x-signature")),
        prefix: Some("v1=".to_owned()),
        separator: Some(','),
        algorithm: Some(Algorithm::Sha512),
        encoding: Some(Encoding::Base64),
        template: Some(Template::parse(template).expect("a template")),
        timestamp_header: Some(HeaderName::from_static("x-time")),
        timestamp_unit: Some(Unit::Milliseconds),
        tolerance: Some(Duration::from_secs(60)),
        delivery_id: Some(Place::Header(HeaderName::from_static("x-id"))),
        ..Options::default()
    };
    Source { options, ..source("hmac", "hush", &["x-signature", "x-time", "x-id"]) }
}

fn signed_sources() -> Vec<Source> {
    let standard = &["webhook-id", "webhook-timestamp", "webhook-signature"];
    let header = Some(HeaderName::from_static("x-signature"));
    let bare = Options { header, ..Options::default() };
    vec![
        source("github", "hush", &["x-hub-signature-256"]),
        source("gitlab", SIGNING_TOKEN, standard),
        source("bitbucket-cloud", "hush", &["x-hub-signature"]),
        source("gitea", "hush", &["x-gitea-signature"]),
        source("forgejo", "hush", &["x-forgejo-signature"]),
        source("standard-webhooks", SIGNING_TOKEN, standard),
        asymmetric(),
        Source { options: bare, ..source("hmac", "hush", &["x-signature"]) },
        everything_signed(),
    ]
}

fn unsigned_sources() -> Vec<Source> {
    let header = Some(HeaderName::from_static("x-token"));
    let token = Options { header, prefix: Some("Bearer ".to_owned()), ..Options::default() };
    let user = Options { user: Some("sender".to_owned()), ..Options::default() };
    vec![
        source("gitlab", "hush", &["x-gitlab-token"]),
        Source { options: token, ..source("token", "hush", &["x-token"]) },
        Source { options: user, ..source("basic", "hush", &["authorization"]) },
    ]
}

fn all_sources() -> Vec<Source> {
    signed_sources().into_iter().chain(unsigned_sources()).collect()
}

impl Source {
    fn sign(&self, id: &str, body: &[u8]) -> HeaderMap {
        let outgoing =
            Outgoing { method: &Method::POST, path: PATH, event: "push", body, access_token: None };
        let headers = self.provider.sign(&outgoing, &self.signer, &self.options, id, now());
        headers.expect("it signs").headers.into_iter().collect()
    }

    fn judge(&self, headers: &HeaderMap, body: &[u8]) -> Result<Proof, Refusal> {
        self.judge_at(headers, body, &Method::POST, PATH, now())
    }

    fn judge_at(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        method: &Method,
        path: &str,
        now: Timestamp,
    ) -> Result<Proof, Refusal> {
        let body = &Bytes::copy_from_slice(body);
        let request = Unverified { method, path, rest: "", query: "", headers, body };
        let verification = Verification::new(&self.secrets, &self.options, now);
        self.provider.authenticate(&request, &verification)
    }

    fn set(&self, headers: &HeaderMap, name: &str, value: &[u8]) -> HeaderMap {
        let mut headers = headers.clone();
        let name: HeaderName = name.parse().expect("a header name");
        headers.insert(name, HeaderValue::from_bytes(value).expect("a header value"));
        headers
    }

    fn name(&self) -> &'static str {
        self.provider.name()
    }
}

fn a_source(sources: fn() -> Vec<Source>) -> impl Strategy<Value = Source> {
    any::<Index>().prop_map(move |index| {
        let mut sources = sources();
        let index = index.index(sources.len());
        sources.swap_remove(index)
    })
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A body that none of the senders would write as a form.
fn a_body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..200).prop_map(|tail| [b"{".as_slice(), &tail].concat())
}

fn a_lawful_byte() -> impl Strategy<Value = u8> {
    prop_oneof![Just(b'\t'), b' '..=b'~', 0x80..=0xff_u8]
}

fn flipped(bytes: &[u8], at: &Index, bit: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = at.index(bytes.len());
    bytes[at] ^= 1 << bit;
    bytes
}

/// Hex may be written in either case and `Basic` in any, so a flipped case is no change there.
fn says_the_same(name: &str, old: &[u8], new: &[u8]) -> bool {
    let any_case_all_over = ["x-hub-signature", "x-signature", "x-gitea-", "x-forgejo-"];
    match name {
        "authorization" => old[6..] == new[6..] && old.eq_ignore_ascii_case(new),
        _ if any_case_all_over.iter().any(|start| name.starts_with(start)) => {
            old.eq_ignore_ascii_case(new) && !old.contains(&b'+') && !old.ends_with(b"=")
        }
        _ => false,
    }
}

proptest! {
    // Many flips of a bit make no lawful header value; those are skipped.
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn what_a_sender_signs_is_accepted_and_the_secret_is_told(
        source in a_source(all_sources),
        id in "[a-zA-Z0-9_-]{1,40}",
        body in a_body(),
    ) {
        let verdict = source.judge(&source.sign(&id, &body), &body);
        prop_assert_eq!(verdict.map(|proof| proof.by()), Ok(ProvenBy::Secret(1)));
    }

    #[test]
    fn one_changed_bit_of_the_body_is_refused(
        source in a_source(signed_sources),
        body in a_body(),
        at in any::<Index>(),
        bit in 0_u8..8,
    ) {
        let headers = source.sign("id-1", &body);
        prop_assert!(source.judge(&headers, &flipped(&body, &at, bit)).is_err());
    }

    #[test]
    fn a_body_that_is_cut_or_grown_is_refused(
        source in a_source(signed_sources),
        body in a_body(),
        more in any::<u8>(),
    ) {
        let headers = source.sign("id-1", &body);
        prop_assert!(source.judge(&headers, &body[..body.len() - 1]).is_err());
        prop_assert!(source.judge(&headers, &[body, vec![more]].concat()).is_err());
    }

    #[test]
    fn one_changed_bit_of_a_signed_header_is_refused(
        source in a_source(all_sources),
        body in a_body(),
        header in any::<Index>(),
        at in any::<Index>(),
        bit in 0_u8..8,
    ) {
        let headers = source.sign("id-1", &body);
        let name = header.get(source.signed);
        let old = headers.get(*name).expect("the sender sets it").as_bytes();
        let new = flipped(old, &at, bit);
        prop_assume!(HeaderValue::from_bytes(&new).is_ok() && !says_the_same(name, old, &new));
        let verdict = source.judge(&source.set(&headers, name, &new), &body);
        prop_assert!(verdict.is_err(), "{}: {}", source.name(), name);
    }

    #[test]
    fn no_header_value_whatever_makes_a_panic_or_is_believed(
        source in a_source(all_sources),
        header in any::<Index>(),
        value in prop::collection::vec(a_lawful_byte(), 0..300),
    ) {
        let headers = source.sign("id-1", b"{}");
        let name = header.get(source.signed);
        prop_assume!(headers.get(*name).is_some_and(|old| old.as_bytes() != value));
        let verdict = source.judge(&source.set(&headers, name, &value), b"{}");
        prop_assert!(verdict.is_err());
    }

    #[test]
    fn no_body_whatever_makes_a_panic_when_it_is_read(
        source in a_source(all_sources),
        prefix in prop::sample::select(vec!["", "payload=", "{", "a=%"]),
        tail in prop::collection::vec(any::<u8>(), 0..100),
        is_form in any::<bool>(),
    ) {
        let body = [prefix.as_bytes(), &tail].concat();
        let mut headers = HeaderMap::new();
        if is_form {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(http::header::CONTENT_TYPE, form);
        }
        let _ = source.judge(&headers, &body);
        let _ = source.provider.decode(&headers, &body.into());
    }
}

#[test]
fn a_signed_header_that_is_missing_empty_repeated_or_not_ascii_is_refused() {
    for source in all_sources() {
        let good = source.sign("id-1", b"{}");
        for name in source.signed {
            let mut missing = good.clone();
            missing.remove(*name);
            let mut repeated = good.clone();
            repeated.append(*name, good[*name].clone());
            let cases = [
                ("missing_header", missing),
                ("repeated_header", repeated),
                ("malformed_header", source.set(&good, name, b"")),
                ("", source.set(&good, name, "schl\u{fc}ssel".as_bytes())),
                ("", source.set(&good, name, &[0xff; 40])),
            ];
            for (reason, headers) in cases {
                let refusal = source.judge(&headers, b"{}").expect_err(name);
                let fits = reason.is_empty() || refusal.reason() == reason;
                assert!(fits, "{}, {name}: {refusal:?} for {reason}", source.name());
            }
        }
    }
}

#[test]
fn headers_of_a_hundred_thousand_bytes_are_refused_like_any_other() {
    for source in all_sources() {
        let good = source.sign("id-1", b"{}");
        for name in source.signed {
            for piece in ["a", "0", "v1,", "v1,AAAA v1a,AAAA ", "sha256=00,", "Basic ", "1.", "="] {
                let value = piece.repeat(100_000 / piece.len());
                let headers = source.set(&good, name, value.as_bytes());
                assert!(source.judge(&headers, b"{}").is_err(), "{}: {piece}", source.name());
            }
        }
    }
}

#[test]
fn an_event_or_delivery_header_that_is_repeated_is_refused() {
    for (provider, names) in [
        ("github", &["x-github-event", "x-github-delivery"][..]),
        ("gitlab", &["x-gitlab-event", "idempotency-key"]),
        ("bitbucket-cloud", &["x-event-key", "x-request-uuid"]),
        ("gitea", &["x-gitea-event", "x-gitea-delivery"]),
        ("forgejo", &["x-forgejo-event", "x-forgejo-delivery"]),
    ] {
        let source = source(provider, "hush", &[]);
        for name in names {
            let mut headers = source.sign("id-1", b"{}");
            headers.append(*name, HeaderValue::from_static("other"));
            let refusal = source.judge(&headers, b"{}").expect_err(name);
            assert_eq!(refusal.reason(), "repeated_header", "{name}");
        }
    }
}

#[test]
fn a_signed_timestamp_is_believed_for_a_while_and_no_longer() {
    for source in signed_sources().iter().filter(|source| source.signed.len() > 1) {
        let headers = source.sign("id-1", b"{}");
        let tolerance = i64::try_from(source.options.tolerance().as_secs()).expect("small");
        for (seconds, reason) in [
            (0, None),
            (tolerance, None),
            (-tolerance, None),
            (tolerance + 1, Some("stale_timestamp")),
            (-tolerance - 1, Some("future_timestamp")),
        ] {
            let later = now() + jiff::SignedDuration::from_secs(seconds);
            let verdict = source.judge_at(&headers, b"{}", &Method::POST, PATH, later);
            assert_eq!(verdict.err().map(|refusal| refusal.reason()), reason, "{seconds}");
        }
    }
}

#[test]
fn a_signed_method_and_path_cannot_be_changed() {
    let source = everything_signed();
    let headers = source.sign("id-1", b"{}");
    assert!(source.judge_at(&headers, b"{}", &Method::PUT, PATH, now()).is_err());
    assert!(source.judge_at(&headers, b"{}", &Method::POST, "/hooks/other", now()).is_err());
}

#[test]
fn a_wrong_signature_is_not_rescued_by_a_right_token() {
    let mut source = source("gitlab", SIGNING_TOKEN, &[]);
    source.secrets.push(Secret::new("plain token"));
    let headers = source.sign("id-1", b"{}");
    let headers = source.set(&headers, "x-gitlab-token", b"plain token");
    assert!(source.judge(&headers, b"{}").is_ok());
    assert_eq!(source.judge(&headers, b"[]"), Err(Refusal::BadSignature));
}

#[test]
fn a_signing_token_is_never_taken_as_a_plain_one() {
    let source = source("gitlab", SIGNING_TOKEN, &[]);
    let headers = source.set(&HeaderMap::new(), "x-gitlab-token", SIGNING_TOKEN.as_bytes());
    assert!(source.judge(&headers, b"{}").is_err());
}

#[test]
fn github_s_older_signature_must_be_allowed() {
    let mut source = source("github", "It's a Secret to Everybody", &[]);
    let old = HeaderValue::from_static("sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59");
    let headers: HeaderMap =
        [(HeaderName::from_static("x-hub-signature"), old)].into_iter().collect();
    let refusal = source.judge(&headers, b"Hello, World!").expect_err("not allowed");
    assert_eq!(refusal.reason(), "weak_scheme");
    source.options.allow_sha1 = true;
    assert!(source.judge(&headers, b"Hello, World!").is_ok());
}

#[test]
fn a_source_without_a_usable_secret_refuses_everything() {
    for mut source in all_sources() {
        let headers = source.sign("id-1", b"{}");
        for secrets in [vec![], vec![Secret::new("")]] {
            source.secrets = secrets;
            let refusal = source.judge(&headers, b"{}").expect_err("no secret");
            // Without a signing token, GitLab's signature is not asked for: its token is missed.
            let reasons = ["no_usable_secret", "missing_header"];
            assert!(reasons.contains(&refusal.reason()), "{}: {refusal:?}", source.name());
        }
    }
}

#[test]
fn a_source_that_lacks_a_setting_refuses_everything() {
    for name in ["hmac", "token", "basic"] {
        let source = source(name, "hush", &[]);
        let refusal = source.judge(&HeaderMap::new(), b"{}").expect_err("no settings");
        assert_eq!(refusal.reason(), "misconfigured", "{name}");
        assert!(!source.provider.check_options(&source.options).is_empty(), "{name}");
    }
}
