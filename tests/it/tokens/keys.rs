//! Keys: which are read, and which are left out.

use cdsw_gateway::authenticate::jwt::Algorithm;
use cdsw_gateway::authenticate::keys::KeySet;
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers;
use serde_json::{Value as Json, json};

use super::issuer::*;

fn refused_with(key: Json) -> bool {
    let set = json!({ "keys": [key] });
    judge_headers(&options(), &bearer(&good()), &set, &[]).is_err()
}

#[test]
fn a_published_key_is_only_used_for_what_it_is_meant_for() {
    let with = |name: &str, value: Json| {
        let mut key = jwk(&OURS, "a");
        key[name] = value;
        key
    };
    assert!(!refused_with(jwk(&OURS, "a")));
    assert!(!refused_with(with("key_ops", json!(["verify"]))));
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(null)),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!("verify")),
        ("alg", json!("RS512")),
        ("alg", json!("RSA-OAEP")),
        ("kty", json!("EC")),
        ("kty", json!("oct")),
        ("kid", json!("A")),
        ("n", json!("AQAB")),
        ("n", json!("")),
        ("e", json!("")),
        ("e", json!(3)),
    ] {
        assert!(refused_with(with(name, value.clone())), "{name}: {value}");
    }
}

#[test]
fn a_set_is_refused_when_it_is_not_one_or_has_nothing_to_use() {
    let many: Vec<Json> = (0..101).map(|n| jwk(&OURS, &n.to_string())).collect();
    for text in [
        String::new(),
        "<html>".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        json!({ "keys": {} }).to_string(),
        json!({ "keys": [] }).to_string(),
        json!({ "keys": [1, null, {}] }).to_string(),
        json!({ "keys": many }).to_string(),
    ] {
        assert!(KeySet::from_jwks(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_file_of_public_keys_is_pem_or_a_key_set() {
    for text in [pem(&OURS), published().to_string()] {
        assert_eq!(refused_by(&configured(Algorithm::Rs256), &good(), text.as_bytes()), None);
    }
    let theirs = pem(&STRANGERS);
    let verdict = refused_by(&configured(Algorithm::Rs256), &good(), theirs.as_bytes());
    assert_eq!(verdict, Some("bad_signature"));
}

#[test]
fn a_private_key_a_weak_key_and_a_text_are_no_public_keys() {
    let jwt = providers::find("jwt").expect("a provider");
    let private = jwt.sample_signer();
    let weak = Secret::new(include_str!("../../keys/rsa-1024.public.pem"));
    for secret in [private, weak, Secret::new("canary-text")] {
        let fault = jwt.check_secret(&secret, &configured(Algorithm::Rs256)).expect_err("refused");
        assert!(!fault.contains("canary") && !fault.contains("MII"), "{fault}");
    }
}

#[test]
fn a_shared_secret_signs_where_the_source_says_so_and_is_long_enough() {
    let secret = b"a secret of at least thirty-two bytes";
    let token = by_secret(json!({ "alg": "HS256" }), &claims(), secret);
    assert_eq!(refused_by(&configured(Algorithm::Hs256), &token, secret), None);
    let verdict =
        refused_by(&configured(Algorithm::Hs256), &token, b"another of thirty-two bytes, too");
    assert_eq!(verdict, Some("bad_signature"));
    assert!(refused_by(&configured(Algorithm::Rs256), &token, secret).is_some());
    let jwt = providers::find("jwt").expect("a provider");
    let short = jwt.check_secret(&Secret::new("short"), &configured(Algorithm::Hs256));
    assert!(short.is_err());
}
