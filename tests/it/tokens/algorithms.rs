//! Every algorithm that a source may list, with a key made for it.

use aws_lc_rs::hmac as keyed;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding,
};
use cdsw_gateway::authenticate::jwt::Algorithm;
use cdsw_gateway::model::Secret;
use serde_json::{Value as Json, json};

use super::issuer::*;

const SECRET: &[u8] =
    b"a secret of more bytes than the longest of the hashes has, which are sixty-four";

/// A signature by this algorithm, and the key set that it is checked with.
fn signed(algorithm: Algorithm, message: &[u8]) -> (Vec<u8>, Json) {
    let rsa = |padding: &'static dyn RsaEncoding| {
        let mut signature = vec![0; OURS.public_modulus_len()];
        OURS.sign(padding, &SystemRandom::new(), message, &mut signature).expect("it signs");
        let mut key = jwk(&OURS, "a");
        key["alg"] = json!(algorithm.as_str());
        (signature, key)
    };
    let curve = |signing: &'static EcdsaSigningAlgorithm, name: &str| {
        let pair = EcdsaKeyPair::generate(signing).expect("a key");
        let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
        let key = json!({ "kty": "EC", "crv": name, "x": encode(x), "y": encode(y) });
        (pair.sign(&SystemRandom::new(), message).expect("it signs").as_ref().to_vec(), key)
    };
    let shared = |hash| {
        let key = keyed::Key::new(hash, SECRET);
        (keyed::sign(&key, message).as_ref().to_vec(), jwk(&OURS, "a"))
    };
    match algorithm {
        Algorithm::Hs256 => shared(keyed::HMAC_SHA256),
        Algorithm::Hs384 => shared(keyed::HMAC_SHA384),
        Algorithm::Hs512 => shared(keyed::HMAC_SHA512),
        Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
        Algorithm::Rs384 => rsa(&RSA_PKCS1_SHA384),
        Algorithm::Rs512 => rsa(&RSA_PKCS1_SHA512),
        Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
        Algorithm::Ps384 => rsa(&RSA_PSS_SHA384),
        Algorithm::Ps512 => rsa(&RSA_PSS_SHA512),
        Algorithm::Es256 => curve(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
        Algorithm::Es384 => curve(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
        Algorithm::Es512 => curve(&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
        Algorithm::EdDsa => {
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(ED25519.public_key()) });
            (ED25519.sign(message).as_ref().to_vec(), key)
        }
    }
}

/// Why a token of this algorithm is refused, with its signature as `change` leaves it.
fn refused_after(algorithm: Algorithm, change: impl Fn(&mut Vec<u8>)) -> Option<&'static str> {
    let header = json!({ "alg": algorithm.as_str() }).to_string();
    let message = format!("{}.{}", encode(header), encode(claims().to_string()));
    let (mut signature, key) = signed(algorithm, message.as_bytes());
    change(&mut signature);
    let headers = bearer(&format!("{message}.{}", encode(signature)));
    let (options, secrets) = match algorithm.is_shared() {
        true => (configured(algorithm), vec![Secret::new(SECRET)]),
        false => (options_for(algorithm), Vec::new()),
    };
    let verdict = judge_headers(&options, &headers, &json!({ "keys": [key] }), &secrets);
    verdict.err().map(|refusal| refusal.reason())
}

#[test]
fn each_algorithm_is_believed_with_its_signature_and_no_other() {
    let algorithms: Vec<Algorithm> =
        Algorithm::names().map(|name| name.parse().expect("an algorithm")).collect();
    assert_eq!(algorithms.len(), 13);
    for algorithm in algorithms {
        let after = |change: &dyn Fn(&mut Vec<u8>)| refused_after(algorithm, change);
        assert_eq!(after(&|_| ()), None, "{algorithm}");
        assert_eq!(after(&|bytes| bytes[7] ^= 1), Some("bad_signature"), "{algorithm}");
        assert_eq!(after(&|bytes| bytes.truncate(7)), Some("bad_signature"), "{algorithm}");
        assert_eq!(after(&Vec::clear), Some("bad_signature"), "{algorithm}");
        assert_eq!(after(&|bytes| bytes.fill(0)), Some("bad_signature"), "{algorithm}");
    }
}
