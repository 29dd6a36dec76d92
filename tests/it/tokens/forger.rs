//! What forgers try.

use cdsw_gateway::authenticate::jwt::Algorithm;
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::json;

use super::issuer::*;

#[test]
fn a_good_token_is_believed_and_its_claims_are_told() {
    let proof = judge_headers(&options(), &bearer(&good()), &published(), &[]).expect("believed");
    assert_eq!(
        proof.claims().get("repository").and_then(|claim| claim.as_str()),
        Some("acme/risk")
    );
}

#[test]
fn a_token_without_a_signature_is_refused_however_it_says_so() {
    for algorithm in ["none", "None", "NONE", "nOnE", "", "RS256", "HS256"] {
        let token = unsigned(json!({ "alg": algorithm, "kid": "a" }), &claims());
        assert!(refused(&options(), &token).is_some(), "{algorithm}");
        let token =
            by_rsa(json!({ "alg": algorithm.to_lowercase(), "kid": "a" }), &claims(), &OURS);
        assert!(refused(&options(), &token).is_some(), "{algorithm}");
    }
    for header in [json!({}), json!({ "alg": null }), json!({ "alg": ["RS256"] }), json!([])] {
        let token = by_rsa(header.clone(), &claims(), &OURS);
        assert!(refused(&options(), &token).is_some(), "{header}");
    }
}

#[test]
fn a_public_key_is_never_taken_for_a_shared_secret() {
    let public = pem(&OURS);
    let forged = by_secret(json!({ "alg": "HS256", "kid": "a" }), &claims(), public.as_bytes());
    assert!(refused(&options(), &forged).is_some());
    assert!(refused_by(&configured(Algorithm::Rs256), &forged, public.as_bytes()).is_some());
    // Even where someone configures it as one.
    assert!(refused_by(&configured(Algorithm::Hs256), &forged, public.as_bytes()).is_some());
    let jwt = providers::find("jwt").expect("a provider");
    for text in [public, published().to_string()] {
        let checked = jwt.check_secret(&Secret::new(text), &configured(Algorithm::Hs256));
        assert!(checked.is_err(), "a public key is no secret");
    }
}

#[test]
fn a_shared_key_that_an_issuer_publishes_by_mistake_signs_nothing() {
    let secret = b"everyone can read this secret now, can they not";
    let set =
        json!({ "keys": [{ "kty": "oct", "kid": "a", "k": encode(secret) }, jwk(&OURS, "b")] });
    let forged = by_secret(json!({ "alg": "HS256", "kid": "a" }), &claims(), secret);
    for algorithm in [Algorithm::Rs256, Algorithm::Hs256] {
        let verdict = judge_headers(&options_for(algorithm), &bearer(&forged), &set, &[]);
        assert!(verdict.is_err(), "{algorithm}");
    }
}

#[test]
fn a_token_does_not_choose_the_key_that_it_is_judged_by() {
    let theirs = jwk(&STRANGERS, "a");
    for (name, value) in [
        ("jwk", theirs.clone()),
        ("jku", json!("https://evil.example.com/jwks")),
        ("x5u", json!("https://evil.example.com/key.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let header = json!({ "alg": "RS256", "kid": "a", name: value });
        let token = by_rsa(header.clone(), &claims(), &STRANGERS);
        assert_eq!(refused(&options(), &token), Some("bad_signature"), "{name}");
        let token = by_rsa(header, &claims(), &OURS);
        assert_eq!(refused(&options(), &token), None, "{name} is not looked at");
    }
}

#[test]
fn the_name_of_a_key_is_only_compared() {
    for id in ["", "z", "A", "a ", "../../dev/null", "' OR '1'='1", "a\u{0}", "https://x/jwks"] {
        let token = by_rsa(json!({ "alg": "RS256", "kid": id }), &claims(), &OURS);
        assert_eq!(refused(&options(), &token), Some("unknown_key"), "{id:?}");
    }
    for id in [json!(7), json!(["a"]), json!({}), json!(null)] {
        let token = by_rsa(json!({ "alg": "RS256", "kid": id }), &claims(), &OURS);
        assert_eq!(refused(&options(), &token), Some("unfit_token"), "{id}");
    }
}

#[test]
fn a_token_that_names_no_key_is_tried_with_those_that_fit() {
    let token = by_rsa(json!({ "alg": "RS256" }), &claims(), &OURS);
    assert_eq!(refused(&options(), &token), None);
    let token = by_rsa(json!({ "alg": "RS256" }), &claims(), &STRANGERS);
    assert_eq!(refused(&options(), &token), Some("bad_signature"));
}

#[test]
fn the_key_of_another_issuer_is_refused() {
    let token = by_rsa(json!({ "alg": "RS256", "kid": "a" }), &claims(), &STRANGERS);
    assert_eq!(refused(&options(), &token), Some("bad_signature"));
}

#[test]
fn keys_found_at_another_address_are_not_used() {
    let elsewhere = cdsw_gateway::providers::Options {
        jwks_url: Some("https://other.example.com/jwks".to_owned()),
        ..options()
    };
    assert_eq!(refused(&elsewhere, &good()), Some("unknown_key"));
}

#[test]
fn a_token_that_asks_for_an_extension_or_is_of_another_kind_is_refused() {
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("typ", json!("logout+jwt")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!(7)),
    ] {
        let header = json!({ "alg": "RS256", "kid": "a", name: value });
        let token = by_rsa(header.clone(), &claims(), &OURS);
        assert_eq!(refused(&options(), &token), Some("unfit_token"), "{header}");
    }
    for kind in ["JWT", "jwt", "at+jwt", "application/jwt"] {
        let token = by_rsa(json!({ "alg": "RS256", "kid": "a", "typ": kind }), &claims(), &OURS);
        assert_eq!(refused(&options(), &token), None, "{kind}");
    }
}

#[test]
fn two_authorization_headers_are_refused() {
    let mut headers = bearer(&good());
    headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    let verdict = judge_headers(&options(), &headers, &published(), &[]);
    assert_eq!(verdict.expect_err("refused").reason(), "repeated_header");
}

#[test]
fn what_is_not_a_token_is_refused() {
    let good = good();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{header}.{payload}"),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature} "),
        format!(" {good}"),
        good.replace('.', ","),
        good.repeat(100),
    ] {
        assert!(refused(&options(), &token).is_some(), "{token}");
    }
}
