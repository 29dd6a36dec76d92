//! What a token must claim.

use cdsw_gateway::authenticate::jwt::Algorithm;
use cdsw_gateway::model::{Claims, Patterns};
use cdsw_gateway::providers::Options;
use serde_json::{Value as Json, json};

use super::issuer::*;

/// Why the good token is refused once these claims are changed.
fn with(options: &Options, changes: Json) -> Option<&'static str> {
    let claims = claims_with(changes);
    refused(options, &by_rsa(json!({ "alg": "RS256", "kid": "a" }), &claims, &OURS))
}

#[test]
fn issuer_and_audience_are_the_same_to_the_letter() {
    for changes in [
        json!({ "iss": null }),
        json!({ "iss": "https://issuer.example.com/" }),
        json!({ "iss": "https://ISSUER.example.com" }),
        json!({ "iss": [ISSUER] }),
        json!({ "aud": null }),
        json!({ "aud": "" }),
        json!({ "aud": [] }),
        json!({ "aud": "https://hooks.example.com/" }),
        json!({ "aud": "https://hooks" }),
        json!({ "aud": ["https://other.example.com"] }),
        json!({ "aud": { "0": AUDIENCE } }),
        json!({ "aud": [[AUDIENCE]] }),
    ] {
        assert_eq!(with(&options(), changes.clone()), Some("wrong_claim"), "{changes}");
    }
    let several = json!({ "aud": ["https://other.example.com", AUDIENCE] });
    assert_eq!(with(&options(), several), None);
}

#[test]
fn a_token_is_good_from_its_beginning_to_its_end_give_or_take_a_minute() {
    for (changes, verdict) in [
        (json!({ "exp": null }), Some("wrong_claim")),
        (json!({ "exp": "1790000300" }), Some("wrong_claim")),
        (json!({ "exp": 1e300 }), Some("wrong_claim")),
        (json!({ "exp": i64::MAX }), Some("wrong_claim")),
        (json!({ "exp": true }), Some("wrong_claim")),
        (json!({ "exp": NOW - 60 }), Some("expired_token")),
        (json!({ "exp": NOW - 59 }), None),
        (json!({ "exp": NOW as f64 + 0.5 }), None),
        (json!({ "nbf": NOW + 61 }), Some("future_timestamp")),
        (json!({ "nbf": NOW + 60 }), None),
        (json!({ "nbf": "soon" }), Some("wrong_claim")),
        (json!({ "iat": NOW + 61 }), Some("future_timestamp")),
        (json!({ "iat": null, "nbf": null }), None),
    ] {
        assert_eq!(with(&options(), changes.clone()), verdict, "{changes}");
    }
}

#[test]
fn claims_that_the_source_requires_must_be_there_and_fit() {
    let patterns = Patterns::parse(&["acme/*".to_owned()]).expect("a pattern");
    let required_claims = Claims::new(vec![("repository".into(), patterns)]);
    let options = Options { required_claims, ..options() };
    assert_eq!(with(&options, json!({})), None);
    for changes in [
        json!({ "repository": null }),
        json!({ "repository": "evil/risk" }),
        json!({ "repository": "acme/risk/x" }),
        json!({ "repository": { "name": "acme/risk" } }),
    ] {
        assert_eq!(with(&options, changes.clone()), Some("wrong_claim"), "{changes}");
    }
}

#[test]
fn a_token_that_must_name_the_body_names_this_body() {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    let options = Options { payload_hash: true, ..options() };
    let hash = Sha256::digest(&BODY);
    let base64 = base64::prelude::BASE64_STANDARD.encode(hash);
    for text in [hex::encode(hash), hex::encode_upper(hash), base64, encode(hash)] {
        assert_eq!(with(&options, json!({ "payload_hash": text })), None, "{text}");
    }
    let other = hex::encode(Sha256::digest(b"other"));
    for claim in [json!(null), json!(""), json!(other), json!(hex::encode(hash)[..62]), json!(7)] {
        let verdict = with(&options, json!({ "payload_hash": claim }));
        assert_eq!(verdict, Some("wrong_claim"), "{claim}");
    }
}

#[test]
fn only_the_listed_algorithms_are_taken_and_each_by_its_own_kind_of_key() {
    let tokens = [
        (Algorithm::Rs256, good()),
        (Algorithm::Es256, by_p256(json!({ "alg": "ES256", "kid": "b" }), &claims())),
        (Algorithm::EdDsa, by_ed25519(json!({ "alg": "EdDSA", "kid": "c" }), &claims())),
    ];
    for (own, token) in &tokens {
        for (listed, _) in &tokens {
            let verdict = refused(&options_for(*listed), token);
            assert_eq!(verdict.is_none(), own == listed, "{own} where {listed} is listed");
        }
    }
    // The key says that it is for RS256.
    let token = by_rsa(json!({ "alg": "PS256", "kid": "a" }), &claims(), &OURS);
    assert_eq!(refused(&options_for(Algorithm::Ps256), &token), Some("unknown_key"));
    let token = by_rsa(json!({ "alg": "RS256", "kid": "b" }), &claims(), &OURS);
    assert_eq!(refused(&options(), &token), Some("unknown_key"));
}

#[test]
fn a_header_and_prefix_of_ones_own_are_used_and_the_header_is_kept_secret() {
    use http::{HeaderMap, HeaderName, HeaderValue};

    let name = HeaderName::from_static("x-ci-token");
    let options = Options { header: Some(name.clone()), ..options() };
    let value = HeaderValue::from_str(&good()).expect("lawful");
    let headers: HeaderMap = [(name.clone(), value)].into_iter().collect();
    assert!(judge_headers(&options, &headers, &published(), &[]).is_ok());
    assert!(judge_headers(&options, &bearer(&good()), &published(), &[]).is_err());
    let jwt = cdsw_gateway::providers::find("jwt").expect("a provider");
    assert!(jwt.secret_headers(&options).contains(&name));
}
