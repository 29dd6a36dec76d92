//! Signed tokens: none is believed that was not signed under the source's secret, and of those that
//! were, only one of the right issuer, for this audience, at this time, and for this body.

use bytes::Bytes;
use cdsw_gateway::authenticate::jwt::{Algorithm, DEFAULT_TOLERANCE, Keys, Rules, sign, verify};
use cdsw_gateway::authenticate::{Proof, Refusal, Unverified};
use cdsw_gateway::model::{Claims, Secret, Value};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};

use super::{line, site};

pub(crate) const ISSUER: &str = "https://ci.example.com";
pub(crate) const AUDIENCE: &str = "cdsw-gateway";
const SECRET: &str = "a secret of the fuzzer, of thirty-two bytes";

/// Two lines: a token, and claims in JSON to sign; then the body.
pub fn run(data: &[u8]) {
    let (token, data) = line(data);
    let (claims, body) = line(data);
    let forged = judge([&b"Bearer "[..], token].concat(), body, false);
    assert!(forged.is_none_or(|verdict| verdict.is_err()), "a forged token");

    let Ok(claims) = Value::parse_json(claims) else { return };
    let token =
        sign(Algorithm::Hs256, &claims, &Secret::new(SECRET)).expect("a shared secret signs");
    let header = format!("Bearer {token}").into_bytes();
    if let Some(Ok(proof)) = judge(header.clone(), body, false) {
        entitled(proof.claims());
    }
    if let Some(Ok(_)) = judge(header.clone(), body, true) {
        let longer = judge(header, &[body, b" "].concat(), true);
        assert!(longer.is_some_and(|verdict| verdict.is_err()), "the token of another body");
    }
}

/// The verdict on a header; none where there can be no such header.
fn judge(header: Vec<u8>, body: &[u8], payload_hash: bool) -> Option<Result<Proof, Refusal>> {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(header).ok()?)]);
    let (method, path) = (&Method::POST, "/hooks/fuzz");
    let body = &Bytes::copy_from_slice(body);
    let request = Unverified { method, path, rest: "", query: "", headers: &headers, body };
    let rules = Rules {
        header: &AUTHORIZATION,
        prefix: "Bearer ",
        algorithms: &[Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256],
        issuer: ISSUER,
        audience: &[AUDIENCE.to_owned()],
        required: &Claims::default(),
        payload_hash,
        tolerance: DEFAULT_TOLERANCE,
    };
    let secrets = [Secret::new(SECRET)];
    Some(verify(&request, &rules, Keys::Configured(&secrets), site::now()))
}

fn entitled(claims: &Value) {
    let text = |name| claims.get(name).and_then(Value::as_str);
    assert_eq!(text("iss"), Some(ISSUER));
    let several = claims.get("aud").and_then(Value::as_list).unwrap_or_default();
    let among = several.iter().any(|one| one.as_str() == Some(AUDIENCE));
    assert!(among || text("aud") == Some(AUDIENCE), "for another audience");
    let now = site::now().as_second();
    let expires = claims.get("exp").expect("it expires");
    assert!(expires.as_i64().is_none_or(|time| time >= now - 60), "it has expired");
    for name in ["nbf", "iat"] {
        let begins = claims.get(name).and_then(Value::as_i64);
        assert!(begins.is_none_or(|time| time <= now + 60), "its time has not come");
    }
}
