//! Reads headers that authentication depends on. Each must be there once and not be empty; otherwise the
//! request is refused.
//!
//! Two headers of one name are refused, since another program (a proxy, the sender's library) may use the
//! other one of the two.

use http::{HeaderMap, HeaderName};

use crate::authenticate::Refusal;

/// The header's bytes.
///
/// # Errors
/// Where it is missing, repeated or empty.
pub fn one_bytes<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a [u8], Refusal> {
    maybe_bytes(headers, name)?.ok_or_else(|| Refusal::MissingHeader(name.clone()))
}

/// The header's text.
///
/// # Errors
/// Where it is missing, repeated, empty or not printable ASCII.
pub fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    maybe(headers, name)?.ok_or_else(|| Refusal::MissingHeader(name.clone()))
}

/// The header's text, or none where it is missing.
///
/// # Errors
/// Where it is repeated, empty or not printable ASCII.
pub fn maybe<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    maybe_bytes(headers, name)?.map(|bytes| ascii(bytes, name)).transpose()
}

/// Checks headers that are not signed but name the event or the delivery. Their content cannot be proven,
/// but it can at least be unambiguous.
///
/// # Errors
/// Where one of them is repeated, empty or not printable ASCII.
pub fn at_most_one<'n>(
    headers: &HeaderMap,
    names: impl IntoIterator<Item = &'n HeaderName>,
) -> Result<(), Refusal> {
    names.into_iter().try_for_each(|name| maybe(headers, name).map(drop))
}

fn maybe_bytes<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::RepeatedHeader(name.clone()));
    }
    let bytes = value.as_bytes();
    if bytes.trim_ascii().is_empty() {
        return Err(malformed(name, "filled"));
    }
    Ok(Some(bytes))
}

fn ascii<'a>(bytes: &'a [u8], name: &HeaderName) -> Result<&'a str, Refusal> {
    match str::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => Ok(text),
        _ => Err(malformed(name, "printable ASCII")),
    }
}

pub(super) fn malformed(name: &HeaderName, expected: &'static str) -> Refusal {
    Refusal::MalformedHeader { header: name.clone(), expected }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HOST;

    use super::*;

    fn with(values: &[&[u8]]) -> HeaderMap {
        values
            .iter()
            .map(|value| (HOST, HeaderValue::from_bytes(value).expect("a lawful value")))
            .collect()
    }

    #[test]
    fn a_header_is_read_when_it_is_there_once() {
        assert_eq!(one(&with(&[b"a b"]), &HOST), Ok("a b"));
        assert_eq!(maybe(&with(&[]), &HOST), Ok(None));
    }

    #[test]
    fn a_header_that_is_missing_repeated_empty_or_not_ascii_is_refused() {
        let cases: [(&[&[u8]], &str); 5] = [
            (&[], "missing_header"),
            (&[b"a", b"a"], "repeated_header"),
            (&[b""], "malformed_header"),
            (&[b"  "], "malformed_header"),
            (&[b"\xc3\xa4"], "malformed_header"),
        ];
        for (values, reason) in cases {
            assert_eq!(one(&with(values), &HOST).map_err(|refusal| refusal.reason()), Err(reason));
        }
    }
}
