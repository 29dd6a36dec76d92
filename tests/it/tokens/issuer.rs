//! An issuer with keys made for the test, and a source that believes it.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac as keyed;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use cdsw_gateway::authenticate::jwt::Algorithm;
use cdsw_gateway::authenticate::keys::KeySet;
use cdsw_gateway::authenticate::{Proof, Refusal, Unverified};
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::{self, Options, Published, Verification};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::RSAPublicKey;

pub const ISSUER: &str = "https://issuer.example.com";
pub const AUDIENCE: &str = "https://hooks.example.com";
pub const JWKS: &str = "https://issuer.example.com/jwks";
pub const NOW: i64 = 1_790_000_000;

pub static OURS: LazyLock<RsaKeyPair> = LazyLock::new(rsa);
pub static STRANGERS: LazyLock<RsaKeyPair> = LazyLock::new(rsa);
pub static P256: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"));
pub static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::generate().expect("a key"));

fn rsa() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A public RSA key as a JSON Web Key.
pub fn jwk(key: &RsaKeyPair, id: &str) -> Json {
    let der = key.public_key().as_ref();
    let (_, public) = RSAPublicKey::from_der(der).expect("an RSA key");
    let plain = |number: &[u8]| encode(number.strip_prefix(&[0]).unwrap_or(number));
    json!({
        "kty": "RSA", "kid": id, "use": "sig", "alg": "RS256",
        "n": plain(public.modulus),
        "e": plain(public.exponent),
    })
}

/// A public RSA key in PEM form.
pub fn pem(key: &RsaKeyPair) -> String {
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().expect("it has a form");
    let text = BASE64_STANDARD.encode(der.as_ref());
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// What the issuer publishes, with the RSA key `a`, a P-256 key `b` and an Ed25519 key `c`.
pub fn published() -> Json {
    let point = P256.public_key().as_ref();
    json!({ "keys": [
        jwk(&OURS, "a"),
        { "kty": "EC", "crv": "P-256", "kid": "b", "x": encode(&point[1..33]), "y": encode(&point[33..]) },
        { "kty": "OKP", "crv": "Ed25519", "kid": "c", "x": encode(ED25519.public_key()) },
    ]})
}

pub fn claims() -> Json {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "job", "iat": NOW, "nbf": NOW, "exp": NOW + 300,
        "repository": "acme/risk",
    })
}

/// The good claims with some of them changed; null takes one away.
pub fn claims_with(changes: Json) -> Json {
    let mut claims = claims();
    for (name, value) in changes.as_object().expect("a map") {
        match value {
            Json::Null => claims.as_object_mut().expect("a map").remove(name),
            value => claims.as_object_mut().expect("a map").insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn signed(header: &Json, claims: &Json) -> String {
    format!("{}.{}", encode(header.to_string()), encode(claims.to_string()))
}

/// A token by an RSA key, whatever its header says.
pub fn by_rsa(header: Json, claims: &Json, key: &RsaKeyPair) -> String {
    let signed = signed(&header, claims);
    let mut signature = vec![0; key.public_modulus_len()];
    let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
        if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
    key.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("it signs");
    format!("{signed}.{}", encode(signature))
}

pub fn by_p256(header: Json, claims: &Json) -> String {
    let signed = signed(&header, claims);
    let signature = P256.sign(&SystemRandom::new(), signed.as_bytes()).expect("it signs");
    format!("{signed}.{}", encode(signature))
}

pub fn by_ed25519(header: Json, claims: &Json) -> String {
    let signed = signed(&header, claims);
    format!("{signed}.{}", encode(ED25519.sign(signed.as_bytes())))
}

/// A token by a shared secret, whatever its header says.
pub fn by_secret(header: Json, claims: &Json, secret: &[u8]) -> String {
    let signed = signed(&header, claims);
    let key = keyed::Key::new(keyed::HMAC_SHA256, secret);
    format!("{signed}.{}", encode(keyed::sign(&key, signed.as_bytes())))
}

/// A token without a signature.
pub fn unsigned(header: Json, claims: &Json) -> String {
    format!("{}.", signed(&header, claims))
}

/// The good token.
pub fn good() -> String {
    by_rsa(json!({ "alg": "RS256", "kid": "a" }), &claims(), &OURS)
}

/// A source that fetches keys from the issuer.
pub fn options() -> Options {
    Options {
        issuer: Some(ISSUER.to_owned()),
        audience: vec![AUDIENCE.to_owned()],
        algorithms: vec![Algorithm::Rs256],
        jwks_url: Some(JWKS.to_owned()),
        ..Options::default()
    }
}

pub fn options_for(algorithm: Algorithm) -> Options {
    Options { algorithms: vec![algorithm], ..options() }
}

/// A source with keys of its own.
pub fn configured(algorithm: Algorithm) -> Options {
    Options { jwks_url: None, ..options_for(algorithm) }
}

pub fn bearer(token: &str) -> HeaderMap {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("a lawful value");
    [(AUTHORIZATION, value)].into_iter().collect()
}

pub static BODY: Bytes = Bytes::from_static(br#"{"dataset": "loans"}"#);

/// What the source says of these headers, with what the issuer publishes.
pub fn judge_headers(
    options: &Options,
    headers: &HeaderMap,
    published: &Json,
    secrets: &[Secret],
) -> Result<Proof, Refusal> {
    let method = &Method::POST;
    let request =
        Unverified { method, path: "/hooks/ci", rest: "", query: "", headers, body: &BODY };
    let keys = KeySet::from_jwks(published.to_string().as_bytes()).unwrap_or_default();
    let published = Published { url: JWKS.into(), keys };
    let now = Timestamp::from_second(NOW).expect("in range");
    let verification =
        Verification { published: Some(&published), ..Verification::new(secrets, options, now) };
    providers::find("jwt").expect("a provider").authenticate(&request, &verification)
}

/// The reason why the token is refused; none where it is believed.
pub fn refused(options: &Options, token: &str) -> Option<&'static str> {
    let verdict = judge_headers(options, &bearer(token), &published(), &[]);
    verdict.err().map(|refusal| refusal.reason())
}

/// The same for a source with keys of its own.
pub fn refused_by(options: &Options, token: &str, secret: &[u8]) -> Option<&'static str> {
    let secrets = [Secret::new("another secret that is long enough"), Secret::new(secret)];
    let verdict = judge_headers(options, &bearer(token), &json!({}), &secrets);
    verdict.err().map(|refusal| refusal.reason())
}
