//! Reads what GitHub's page "Recent Deliveries" shows of a request: the block "Headers", which begins with
//! `Request URL:`, and below it the payload.

use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::request::SavedRequest;

/// The request; `None` where the text is no such block.
///
/// # Errors
/// A line of the block is no header: which.
pub(super) fn read(bytes: &[u8]) -> Option<Result<SavedRequest, String>> {
    let text = str::from_utf8(bytes).ok()?;
    let mut lines =
        text.lines().filter(|line| !is_title(line)).skip_while(|line| line.trim().is_empty());
    let url = lines.next().and_then(|line| after(line, "request url:"));
    url.map(|url| whole(text, url))
}

fn whole(text: &str, url: &str) -> Result<SavedRequest, String> {
    let method = text.lines().find_map(|line| after(line, "request method:"));
    let mut request = SavedRequest::to(method.unwrap_or("POST"), Some(url))?;
    let begin = text.find(['{', '[']).unwrap_or(text.len());
    // A payload as a form is shown as the JSON in it.
    let body_at = text.find("\npayload=").map_or(begin, |at| begin.min(at + 1));
    let (head, body) = text.split_at(body_at);
    for (number, line) in (1..).zip(head.lines()) {
        let is_own = after(line, "request url:").or(after(line, "request method:")).is_some();
        if is_own || is_title(line) || line.trim().is_empty() {
            continue;
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("line {number} is not a header"))?;
        request.header(name, value.as_bytes()).map_err(|why| format!("line {number}: {why}"))?;
    }
    if body.starts_with(['{', '[']) {
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    request.body = body.trim_end().as_bytes().to_vec();
    request.doubt =
        Some("GitHub's page shows the payload in another layout than it was sent in".to_owned());
    Ok(request)
}

/// The titles that are copied along with what stands below them.
fn is_title(line: &str) -> bool {
    ["headers", "payload", "request"].contains(&line.trim().to_ascii_lowercase().as_str())
}

fn after<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let line = line.trim();
    let begins = line.get(..name.len())?.eq_ignore_ascii_case(name);
    begins.then(|| line[name.len()..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: &str = "Request URL: https://hooks.example.com/hooks/github?x=1\n\
        Request method: POST\nAccept: */*\ncontent-type: application/json\n\
        User-Agent: GitHub-Hookshot/7a3b9d1\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958\n\
        X-GitHub-Event: pull_request\nX-Hub-Signature-256: sha256=00\n";

    #[test]
    fn the_block_headers_with_its_payload_is_a_request() {
        for between in ["\n", "", "\nPayload\n", "Payload\n\n"] {
            for title in ["", "Headers\n", "Request\nHeaders\n\n"] {
                let text = format!("{title}{HEADERS}{between}{{\n  \"action\": \"opened\"\n}}\n");
                let request = read(text.as_bytes()).expect("a request").expect("a good one");
                assert_eq!(request.headers["x-github-event"], "pull_request");
                assert_eq!(
                    (request.path.as_deref(), &*request.query),
                    (Some("/hooks/github"), "x=1")
                );
                assert_eq!(request.body, b"{\n  \"action\": \"opened\"\n}");
                assert!(request.doubt.is_some(), "its signature cannot be checked");
            }
        }
    }

    #[test]
    fn a_payload_that_was_sent_as_a_form_is_read_as_the_json_that_is_shown() {
        let text = HEADERS.replace("application/json", "application/x-www-form-urlencoded");
        let request = read(format!("{text}\n{{}}").as_bytes()).expect("a request").expect("good");
        assert_eq!(request.headers[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn anything_else_is_no_such_block() {
        for text in
            ["", "{}", "X-A: 1\n\n{}", "POST / HTTP/1.1\nRequest URL: x\n\n", "\u{e9}\u{e9}"]
        {
            assert!(read(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(read(b"Request URL: https://a.example/\nnonsense\n\n{}").expect("one").is_err());
    }
}
