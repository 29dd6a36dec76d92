//! The three headers of Standard Webhooks and the shapes of its secrets: nothing forged is
//! believed, what is signed is, and no secret is quoted.

use bytes::Bytes;
use cdsw_gateway::authenticate::Unverified;
use cdsw_gateway::authenticate::standard_webhooks::{Key, Names, STANDARD, sign, verify};
use cdsw_gateway::authenticate::timestamp::DEFAULT_TOLERANCE;
use cdsw_gateway::model::Secret;
use http::{HeaderMap, HeaderValue, Method};

use super::{line, site};

const SECRET: &str = "whsec_YSBzZWNyZXQgb2YgdGhlIGZ1enplcg==";

/// Four lines: a secret, and the headers' texts: id, timestamp, signatures. Then the body.
pub fn run(data: &[u8]) {
    let (secret, data) = line(data);
    let (id, data) = line(data);
    let (time, data) = line(data);
    let (signatures, body) = line(data);
    let mut headers = HeaderMap::new();
    let three =
        [(&STANDARD.id, id), (&STANDARD.timestamp, time), (&STANDARD.signature, signatures)];
    for (name, value) in three {
        let Ok(value) = HeaderValue::from_bytes(value) else { return };
        headers.insert(name, value);
    }
    assert!(!believed(&headers, body, &Secret::new(SECRET)), "a forged request");

    let secret = Secret::new(secret);
    if let Err(fault) = Key::read(&secret) {
        assert!(fault.len() < 100);
        assert!(!believed(&headers, body, &secret), "a secret that is none");
        return;
    }
    let now = site::now().as_second().to_string();
    let Ok(id) = str::from_utf8(id) else { return };
    let is_shared = matches!(Key::read(&secret), Ok(Key::Shared(_)));
    let Some(signature) = sign(&secret, id, &now, body).filter(|_| is_shared) else { return };
    headers.insert(&STANDARD.timestamp, HeaderValue::from_str(&now).expect("digits"));
    headers.insert(&STANDARD.signature, HeaderValue::from_str(&signature).expect("base64"));
    // Only printable ASCII can be in a header whose text decides something.
    let printable = id.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if printable && !id.trim().is_empty() {
        assert!(believed(&headers, body, &secret), "what it signs itself");
        let longer = [body, b" "].concat();
        assert!(!believed(&headers, &longer, &secret), "the same signature, a longer body");
    }
}

fn believed(headers: &HeaderMap, body: &[u8], secret: &Secret) -> bool {
    let request = Unverified {
        method: &Method::POST,
        path: "/hooks/fuzz",
        rest: "",
        query: "",
        headers,
        body: &Bytes::copy_from_slice(body),
    };
    let names = Names::in_use(headers);
    verify(&request, names, [(0, secret)], DEFAULT_TOLERANCE, site::now()).is_ok()
}
