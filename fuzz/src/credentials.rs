//! Credentials in a header: exactly the right token, and exactly the right user and password, are
//! believed.

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, basic, hmac, token};
use cdsw_gateway::model::Secret;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};

use super::text_line;

pub(crate) const PASSWORD: &str = "open sesame";
pub(crate) const USER: &str = "ali:baba";

/// The token's prefix on the first line, then the text of the header.
pub fn run(data: &[u8]) {
    let (prefix, value) = text_line(data);
    let Ok(header) = HeaderValue::from_bytes(value) else { return };
    let headers = HeaderMap::from_iter([(AUTHORIZATION, header)]);
    let request = Unverified {
        method: &Method::POST,
        path: "/hooks/fuzz",
        rest: "",
        query: "",
        headers: &headers,
        body: &Bytes::new(),
    };
    let secrets = [Secret::new(PASSWORD)];
    let by_token = token::verify(&request, &AUTHORIZATION, &prefix, secrets.iter().enumerate());
    assert_eq!(by_token.is_ok(), value == format!("{prefix}{PASSWORD}").as_bytes());

    // A user name with a colon can be nobody's. Beyond printable ASCII there are no credentials.
    let printable = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
    for (user, expected) in [(USER, None), ("ali", Some(format!("ali:{PASSWORD}")))] {
        let given = str::from_utf8(value).ok().and_then(|text| text.split_once(' '));
        let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let given = given.and_then(|(_, encoded)| hmac::base64(encoded.trim()));
        let given = given.filter(|_| printable);
        let right = given.is_some() && given.as_deref() == expected.as_deref().map(str::as_bytes);
        assert_eq!(basic::verify(&request, user, &secrets).is_ok(), right);
    }
}
