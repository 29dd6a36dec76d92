//! Reads a request from a HAR file, the format in which browsers and proxies save traffic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde::Deserialize;

use super::request::SavedRequest;

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    post_data: Option<PostData>,
    /// Bytes that were sent; -1 where they are not known.
    #[serde(default = "unknown")]
    body_size: i64,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    text: Option<String>,
    #[serde(default)]
    mime_type: String,
    /// The fields of a form, where a tool kept them in place of the text.
    #[serde(default)]
    params: Vec<Param>,
    /// Some tools say `base64` here, as the standard does for answers.
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct Param {
    name: String,
    #[serde(default)]
    value: String,
}

fn unknown() -> i64 {
    -1
}

/// Reads the request of an entry, counted from 1; without a number, the last POST. `None` where the bytes
/// are not a HAR file.
///
/// # Errors
/// The file or the entry cannot be read: why, in words.
pub(super) fn read(bytes: &[u8], entry: Option<usize>) -> Option<Result<SavedRequest, String>> {
    let file: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    file.pointer("/log/entries")?.as_array()?;
    Some(
        serde_json::from_value(file)
            .map_err(|error| format!("this HAR file cannot be read: {error}"))
            .and_then(|har: Har| chosen(har.log.entries, entry))
            .and_then(saved),
    )
}

impl PostData {
    fn is_form(&self) -> bool {
        let media_type = self.mime_type.split(';').next().unwrap_or_default().trim();
        !self.params.is_empty()
            && media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// The form as most senders would write it.
    fn form(&self) -> Vec<u8> {
        let mut url: Url = "form:".parse().expect("a literal address");
        url.query_pairs_mut().extend_pairs(self.params.iter().map(|one| (&one.name, &one.value)));
        url.query().unwrap_or_default().as_bytes().to_vec()
    }
}

fn chosen(mut entries: Vec<Entry>, entry: Option<usize>) -> Result<Request, String> {
    let count = entries.len();
    let posts = |entry: &Entry| entry.request.method.eq_ignore_ascii_case("POST");
    let at = match entry {
        Some(number) => number.checked_sub(1).filter(|at| *at < count).ok_or_else(|| {
            format!("there is no entry {number}; this HAR file has {count}, counted from 1")
        })?,
        None => entries
            .iter()
            .rposition(posts)
            .ok_or("no entry of this HAR file posts anything; choose one with --entry N")?,
    };
    Ok(entries.swap_remove(at).request)
}

fn saved(request: Request) -> Result<SavedRequest, String> {
    let mut saved = SavedRequest::to(&request.method.to_ascii_uppercase(), Some(&request.url))?;
    for Header { name, value } in &request.headers {
        saved.header(name, value.as_bytes())?;
    }
    saved.body = match request.post_data {
        None => {
            saved.lacks = Some("this entry of the HAR file has no body (no postData)");
            Vec::new()
        }
        Some(PostData { text: Some(text), encoding, .. }) => match encoding.as_deref() {
            Some("base64") => STANDARD
                .decode(text)
                .map_err(|error| format!("the body is said to be base64 and is not: {error}"))?,
            _ => text.into_bytes(),
        },
        Some(data) if data.is_form() => {
            saved.doubt = Some(
                "the HAR file has no text of the body, only the fields of a form, so the body was \
                 put together from them"
                    .to_owned(),
            );
            data.form()
        }
        Some(_) => {
            return Err("the HAR file has no text of the body (postData.text), only what a tool \
                        read from it"
                .to_owned());
        }
    };
    let sent = usize::try_from(request.body_size).ok();
    let is_whole = saved.doubt.is_none();
    if let Some(sent) = sent.filter(|sent| is_whole && *sent != saved.body.len()) {
        saved.doubt = Some(format!(
            "the HAR file says that {sent} bytes were sent and holds {}, so the body was changed \
             when it was saved",
            saved.body.len()
        ));
    }
    Ok(saved)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(entries: serde_json::Value) -> Vec<u8> {
        json!({ "log": { "entries": entries } }).to_string().into_bytes()
    }

    fn post(url: &str, data: serde_json::Value) -> serde_json::Value {
        json!({ "request": { "method": "POST", "url": url, "postData": data,
            "headers": [{ "name": ":method", "value": "POST" }, { "name": "X-Event", "value": "push" }] } })
    }

    #[test]
    fn the_last_post_is_taken_unless_another_is_chosen() {
        let get = json!({ "request": { "method": "GET", "url": "https://a.example/" } });
        let one = post("https://a.example/one", json!({ "text": "1" }));
        let two =
            post("https://a.example/two?a=b", json!({ "text": "Mg==", "encoding": "base64" }));
        let file = file(json!([one, two, get]));
        let chosen = |entry| read(&file, entry).expect("a HAR file").expect("a request");
        let last = chosen(None);
        assert_eq!(
            (last.path.as_deref(), &*last.query, &*last.body),
            (Some("/two"), "a=b", &b"2"[..])
        );
        assert_eq!(last.headers["x-event"], "push");
        assert_eq!(chosen(Some(1)).body, b"1");
        assert_eq!(chosen(Some(3)).method, "GET");
        let fault = |entry| read(&file, Some(entry)).expect("a HAR file").expect_err("a fault");
        assert!(fault(0).contains("has 3") && fault(4).contains("has 3"));
    }

    #[test]
    fn what_was_lost_when_it_was_saved_is_said() {
        let lost = file(json!([post("https://a.example/", json!({ "params": [] }))]));
        assert!(read(&lost, None).expect("a HAR file").expect_err("lost").contains("no text"));
        let mut short = post("https://a.example/", json!({ "text": "12" }));
        short["request"]["bodySize"] = json!(3);
        let short = read(&file(json!([short])), None).expect("a HAR file").expect("a request");
        assert!(short.doubt.expect("a doubt").contains("3 bytes were sent and holds 2"));
        assert!(read(&file(json!([])), None).expect("a HAR file").is_err());
    }

    #[test]
    fn a_form_of_which_only_the_fields_were_saved_is_put_together_and_that_is_said() {
        let params = json!([{ "name": "payload", "value": "{\"a\": 1}" }, { "name": "b" }]);
        let data = json!({ "mimeType": "application/x-www-form-urlencoded; charset=utf-8",
            "params": params });
        let saved = read(&file(json!([post("https://a.example/", data)])), None);
        let saved = saved.expect("a HAR file").expect("a request");
        assert_eq!(saved.body, b"payload=%7B%22a%22%3A+1%7D&b=");
        assert!(saved.doubt.expect("a doubt").contains("put together"));
        let data = json!({ "mimeType": "multipart/form-data", "params": params });
        let parts = read(&file(json!([post("https://a.example/", data)])), None);
        assert!(parts.expect("a HAR file").is_err());
    }

    #[test]
    fn a_payload_is_no_har_file() {
        for text in ["{}", "[]", "{\"log\": {}}", "{\"log\": {\"entries\": 1}}", "nonsense"] {
            assert!(read(text.as_bytes(), None).is_none(), "{text}");
        }
    }
}
