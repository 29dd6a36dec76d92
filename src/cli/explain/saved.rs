//! A request as it was saved: raw HTTP, or a HAR file of a browser or proxy. Which of them a file
//! is, or that it is a payload alone, is told by its content.
//!
//! The body's bytes stay as they are, whatever ends the lines before them: a signature covers them.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{har, raw};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a file holds.
#[derive(Debug, PartialEq)]
pub(super) enum Given {
    /// A body alone.
    Payload(Vec<u8>),
    /// A whole request.
    Request(Box<SavedRequest>),
}

/// A request that was saved.
#[derive(Debug, PartialEq)]
pub(super) struct SavedRequest {
    pub(super) method: Method,
    /// Its path; none where its first line was not saved.
    pub(super) path: Option<String>,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Why its body is not the one that was sent.
    pub(super) doubt: Option<String>,
    /// What the file lacks for a signature to be checked: said where one is missing.
    pub(super) lacks: Option<&'static str>,
}

/// Tells what it is and reads it.
///
/// # Errors
/// Why it cannot be read as what it seems to be.
pub(super) fn read(bytes: Vec<u8>, entry: Option<usize>) -> Result<Given, String> {
    // Some editors put a mark before the text. It belongs to a payload that was sent with it, and
    // to nothing else.
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    if let Some(request) = har::read(text, entry) {
        return request.map(|request| Given::Request(Box::new(request)));
    }
    if entry.is_some() {
        return Err("--entry is for HAR files, and this is none".to_owned());
    }
    match raw::read(text) {
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

    /// Adds a header. Those that HTTP/2 keeps its first line in are left out.
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

    /// What stands behind the source's name in its path, with its `%XX` resolved as the gateway
    /// does.
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
