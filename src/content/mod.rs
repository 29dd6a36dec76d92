//! What a request says of the form of its own body, and the plain bytes that it stands for: `Content-Encoding`
//! undone, and the text in UTF-8.
//!
//! Signatures are checked over the bytes as sent, and these bytes are kept, so that they can be verified again.
//! Everything that reads a body's meaning reads the plain bytes: the steps after authentication, and a replay.
//! It works on memory alone.
//!
//! Neither header is signed by most senders. So they only ever make readable what is not: bytes that are UTF-8
//! are read as such whatever charset is named, and bytes that are not what the named coding makes are refused.

mod charset;
mod codings;
mod fault;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

pub use codings::KNOWN as KNOWN_CODINGS;
pub use fault::ContentFault;

/// How many bytes a body may become.
pub struct Bounds<'b> {
    /// Bytes of the plain body, and of each step on the way to it.
    pub most: u64,
    /// Asked for room for this many plain bytes in all, before they are there.
    pub room: &'b mut dyn FnMut(u64) -> bool,
}

/// Whether the request names an encoding of its body, so that [`plain`] may have work to do.
pub fn is_encoded(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_ENCODING)
}

/// The names of the encodings that the request says its body has, as it wrote them; none where it names none.
pub fn named_encoding(headers: &HeaderMap) -> Option<String> {
    let names: Vec<_> =
        headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect();
    (!names.is_empty()).then(|| fault::shown(&names.join(", ")))
}

/// The plain bytes of a body; none where they are the bytes as sent.
///
/// # Errors
/// What cannot be read, by its name, or is larger than it may be.
pub fn plain(
    headers: &HeaderMap,
    body: &Bytes,
    mut bounds: Bounds<'_>,
) -> Result<Option<Bytes>, ContentFault> {
    let unpacked = match is_encoded(headers) {
        true => codings::unpack(headers, body, &mut bounds)?,
        false => None,
    };
    let media_type = media_type(headers);
    let Some(charset) = media_type.and_then(charset::named) else {
        return Ok(unpacked);
    };
    let text = charset::to_utf8(charset, unpacked.as_ref().unwrap_or(body), &mut bounds)?;
    Ok(text.or(unpacked))
}

/// The header's text that says what the body is; none where it is absent or no text.
pub fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

/// The type alone, without its parameters, such as `application/json`.
pub fn bare_type(headers: &HeaderMap) -> &str {
    media_type(headers).unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

/// Whether the body is of several parts, which are not read.
pub fn is_multipart(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = bare_type(headers).split('/').next().unwrap_or_default();
    kind.eq_ignore_ascii_case("multipart") && body.trim_ascii_start().starts_with(b"--")
}

/// Whether this header tells of the form of the bytes that were sent, and so does not go with the plain ones.
pub fn is_of_sent_bytes(name: &HeaderName) -> bool {
    *name == CONTENT_ENCODING
}

#[cfg(test)]
mod tests;
