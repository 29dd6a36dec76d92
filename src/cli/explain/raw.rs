//! Reads a request saved as raw HTTP: `POST /hooks/github HTTP/1.1`, headers, an empty line, and the
//! body. The first line may be missing, as in what `curl -i` and many tools show.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

use super::request::SavedRequest;

/// The request; `None` where the bytes are not one.
///
/// # Errors
/// The request cannot be read: why, with the number of the line.
pub(super) fn read(bytes: &[u8]) -> Option<Result<SavedRequest, String>> {
    let (first, _) = line(bytes);
    let first = str::from_utf8(first).ok()?;
    if first.starts_with(['>', '*']) && is_marked(bytes) {
        return Some(Err("this is what `curl -v` prints; keep the lines that begin with `> `, \
                         without that mark, then an empty line and the body"
            .to_owned()));
    }
    if first.starts_with("HTTP/") {
        return Some(Err(
            "this is an answer (its first line says HTTP/…), not a request".to_owned()
        ));
    }
    if let Some((method, target)) = request_line(first) {
        return Some(SavedRequest::to(method, Some(target)).and_then(|to| with_head(to, bytes, 1)));
    }
    // Without a first line it is a request only if all before an empty line are headers.
    let looks_so = is_header(first.as_bytes()) && has_head(bytes);
    looks_so.then(|| SavedRequest::to("POST", None).and_then(|to| with_head(to, bytes, 0)))
}

/// Reads headers and body, after skipping `skip` lines.
fn with_head(mut request: SavedRequest, bytes: &[u8], skip: usize) -> Result<SavedRequest, String> {
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        let (text, below) = line(rest);
        rest = below;
        number += 1;
        if number <= skip {
            continue;
        }
        if text.is_empty() {
            break;
        }
        let read = str::from_utf8(text).ok().filter(|_| is_header(text)).and_then(|text| {
            let from = usize::from(text.starts_with(':'));
            let colon = text[from..].find(':')? + from;
            Some((&text[..colon], &text[colon + 1..]))
        });
        let (name, value) = read.ok_or_else(|| {
            format!("line {number} is not a header; write `Name: value`, and an empty line before the body")
        })?;
        request.header(name, value.as_bytes()).map_err(|why| format!("line {number}: {why}"))?;
    }
    if request.headers.contains_key(TRANSFER_ENCODING) {
        return Err(
            "the request was saved in chunks (Transfer-Encoding); save its body as it was \
                    before, and remove that header"
                .to_owned(),
        );
    }
    announced(&mut request, rest);
    Ok(request)
}

/// Cuts the body to its announced length where only a line break follows, which an editor may have added.
/// Any other difference in length is noted as a doubt.
fn announced(request: &mut SavedRequest, body: &[u8]) {
    let length = request.headers.get(CONTENT_LENGTH);
    let length: Option<usize> = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let whole = match length {
        Some(length) if body.len() > length => {
            let (whole, more) = body.split_at(length);
            if matches!(more, b"\n" | b"\r\n") { whole } else { body }
        }
        _ => body,
    };
    if let Some(length) = length.filter(|length| *length != whole.len()) {
        request.doubt = Some(format!(
            "its head announces a body of {length} bytes and the file holds {}, so it was changed \
             when it was saved",
            whole.len()
        ));
    }
    request.body = whole.to_vec();
}

/// The first line without its line break, and the bytes after it.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (text, rest) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &b""[..]),
    };
    (text.strip_suffix(b"\r").unwrap_or(text), rest)
}

/// Whether there is a request line behind `> `, the mark that `curl -v` puts before what it sends.
fn is_marked(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"> "));
    lines.any(|line| str::from_utf8(line).is_ok_and(|line| request_line(line.trim_end()).is_some()))
}

fn request_line(text: &str) -> Option<(&str, &str)> {
    let mut words = text.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let good = is_method && version.starts_with("HTTP/") && words.next().is_none();
    good.then_some((method, target))
}

/// `Name: value`, and nothing that a payload begins with.
fn is_header(text: &[u8]) -> bool {
    let text = text.strip_prefix(b":").unwrap_or(text);
    let Some(colon) = text.iter().position(|byte| *byte == b':') else { return false };
    colon > 0
        && text[..colon].iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn has_head(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (text, below) = line(rest);
        if text.is_empty() {
            return true;
        }
        if !is_header(text) {
            return false;
        }
        rest = below;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> SavedRequest {
        read(text.as_bytes()).expect("a request").expect("a good one")
    }

    #[test]
    fn the_bytes_of_a_body_stay_as_they_are_whatever_ends_the_lines_of_the_head() {
        for body in ["{}", "{\r\n}\r\n", "{\n}\n", "\r\n\r\n{}", "a\r\n\r\nb: c\n\n"] {
            for end in ["\r\n", "\n"] {
                for first in ["POST /hooks/a?b=c HTTP/1.1", ""] {
                    let first =
                        if first.is_empty() { String::new() } else { format!("{first}{end}") };
                    let text = format!("{first}X-Event: push{end}X-Other:{end}{end}{body}");
                    let request = good(&text);
                    assert_eq!(request.body, body.as_bytes(), "{text:?}");
                    assert_eq!(request.headers["x-event"], "push");
                    assert_eq!(request.headers["x-other"], "");
                }
            }
        }
    }

    #[test]
    fn method_path_and_query_are_those_of_the_first_line() {
        let request = good("GET https://a.example/hooks/x/y%2B%zz?z=1&z=2 HTTP/2\n\n");
        assert_eq!((request.method.as_str(), &*request.rest()), ("GET", "y+%zz"));
        assert_eq!(
            (request.path.as_deref(), &*request.query),
            (Some("/hooks/x/y%2B%zz"), "z=1&z=2")
        );
        let request = good(":method: POST\nX-A: 1\nX-A: 2\n\n{}");
        assert_eq!(request.path, None);
        assert_eq!(request.headers.get_all("x-a").iter().count(), 2, "both are kept");
    }

    #[test]
    fn a_body_is_as_long_as_its_head_announces() {
        for (text, body, doubted) in [
            ("Content-Length: 2\n\n{}", "{}", false),
            ("Content-Length: 2\r\n\r\n{}\r\n", "{}", false),
            ("Content-Length: 3\n\n{}\n", "{}\n", false),
            ("Content-Length: 4\n\n{\n}", "{\n}", true),
            ("Content-Length: 2\n\n{}{}", "{}{}", true),
        ] {
            let request = good(text);
            assert_eq!(request.body, body.as_bytes(), "{text:?}");
            assert_eq!(request.doubt.is_some(), doubted, "{text:?}");
        }
    }

    #[test]
    fn a_payload_is_no_request() {
        for text in [
            "",
            "{}",
            "{\"a: b\": 1}\n\n{}",
            "[1]",
            "payload=%7B%7D",
            "a: b",
            "a: b\nc",
            "a b: c\n\n",
            "\n\n{}",
            "POST it HTTP",
        ] {
            assert!(read(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(read(b"\xff\xfe\n\n").is_none());
    }

    #[test]
    fn what_is_wrong_with_a_request_is_said_with_its_line() {
        for (text, says) in [
            ("HTTP/1.1 200 OK\n\n", "this is an answer"),
            ("* Connected\n> POST /hooks/a HTTP/1.1\r\n> X-A: 1\r\n>\n{}", "`curl -v` prints"),
            ("> POST /hooks/a HTTP/2\n> X-A: 1\n\n{}", "without that mark"),
            ("POST / HTTP/1.1\nX-A: 1\nnonsense\n\n", "line 3 is not a header"),
            ("POST / HTTP/1.1\nX-A: \u{1}\n\n", "line 2: header `x-a`"),
            ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n2\r\n{}", "saved in chunks"),
        ] {
            let fault = read(text.as_bytes()).expect("it seems one").expect_err("a fault");
            assert!(fault.contains(says), "{fault}");
        }
    }
}
