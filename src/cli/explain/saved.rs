//! A request as it was saved: raw HTTP, a HAR file of a browser or proxy, or what GitHub shows of it. The content of a file
//! decides which of them it is, or whether it is only a payload.
//!
//! The bytes of the body are never converted, since a signature covers them.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::request::SavedRequest;
use super::{github_page, har, raw};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a file holds.
#[derive(Debug, PartialEq)]
pub(super) enum Given {
    /// A body alone.
    Payload(Vec<u8>),
    /// A whole request.
    Request(Box<SavedRequest>),
}

/// Finds out what the file holds, and reads it.
///
/// # Errors
/// The file cannot be read as what it seems to be: why, in words.
pub(super) fn read(bytes: Vec<u8>, entry: Option<usize>) -> Result<Given, String> {
    // Some editors put a byte order mark first. A payload keeps it, since it may have been sent with it;
    // a saved request does not.
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    if let Some(request) = har::read(text, entry) {
        return request.map(|request| Given::Request(Box::new(request)));
    }
    if entry.is_some() {
        return Err("--entry is for HAR files, and this is none".to_owned());
    }
    match github_page::read(text).or_else(|| raw::read(text)) {
        Some(request) => request.map(|request| Given::Request(Box::new(request))),
        None => Ok(Given::Payload(bytes)),
    }
}

impl SavedRequest {
    /// A request to this target: a path with a query, or a whole address.
    pub(super) fn to(method: &str, target: Option<&str>) -> Result<Self, String> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| format!("`{method}` is no method"))?;
        let path_and_query = target.map(|target| match target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
            None => target,
        });
        let path_and_query = path_and_query.map(|text| text.split('#').next().unwrap_or_default());
        let (path, query) =
            match path_and_query.map(|text| text.split_once('?').unwrap_or((text, ""))) {
                Some((path, query)) => (Some(path.to_owned()), query.to_owned()),
                None => (None, String::new()),
            };
        let (headers, body) = (HeaderMap::new(), Vec::new());
        Ok(Self { method, path, query, headers, body, doubt: None, lacks: None })
    }

    /// Adds a header. The pseudo-headers of HTTP/2, such as `:method`, are left out.
    pub(super) fn header(&mut self, name: &str, value: &[u8]) -> Result<(), String> {
        if name.starts_with(':') {
            return Ok(());
        }
        let parsed: Result<HeaderName, _> = name.trim().parse();
        let name = parsed.map_err(|_| format!("`{}` is not the name of a header", name.trim()))?;
        let value = HeaderValue::from_bytes(value.trim_ascii())
            .map_err(|_| format!("header `{name}` has a value that no header can have"))?;
        self.headers.append(name, value);
        Ok(())
    }

    /// The part of the path after the source's name, with `%XX` decoded as the gateway does.
    pub(super) fn rest(&self) -> String {
        let below = self.path.as_deref().and_then(|path| path.strip_prefix("/hooks/"));
        below
            .and_then(|below| below.split_once('/'))
            .map_or_else(String::new, |(_, rest)| plain(rest))
    }
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped =
            after.get(..2).filter(|_| *first == b'%').and_then(|two| hex::decode(two).ok());
        rest = if escaped.is_some() { &after[2..] } else { after };
        bytes.extend(escaped.unwrap_or_else(|| vec![*first]));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str) -> Vec<u8> {
        [BYTE_ORDER_MARK, text.as_bytes()].concat()
    }

    #[test]
    fn a_byte_order_mark_before_a_request_is_no_part_of_it() {
        let har = r#"{"log": {"entries": [{"request": {"method": "POST",
            "url": "https://a.example/hooks/a", "postData": {"text": "{}"}}}]}}"#;
        for text in [har, "POST /hooks/a HTTP/1.1\nX-Event: push\n\n{}", "X-Event: push\n\n{}"] {
            let Ok(Given::Request(request)) = read(marked(text), None) else {
                panic!("a request: {text}");
            };
            assert_eq!(request.body, b"{}");
        }
    }

    #[test]
    fn a_byte_order_mark_of_a_payload_was_sent_with_it() {
        assert_eq!(read(marked("{}"), None), Ok(Given::Payload(marked("{}"))));
    }
}
