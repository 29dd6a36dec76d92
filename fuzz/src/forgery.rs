//! What a sender signs is believed; the same signature under another body is not, and neither is
//! another text in a signed header, unless the true signature is still in it.

use bytes::Bytes;
use cdsw_gateway::authenticate::Unverified;
use cdsw_gateway::config::SourcePlan;
use cdsw_gateway::model::Value;
use cdsw_gateway::providers::{Outgoing, SignFault, Signed};
use http::{HeaderMap, HeaderValue, Method};

use super::request::{provider, read_header};
use super::site::{self, Site};
use super::{line, text_line};

/// Senders that sign a part of the body, which alone is read.
const PARTLY_SIGNED: &[&str] = &["segment"];
/// What parts the true body from the forged one.
pub(crate) const BETWEEN: &[u8] = b"\n--\n";

/// Five parts: the provider's name, the delivery's id, a header line to put in, and then the true
/// and the forged body with `--` on a line of its own between them.
pub fn run(data: &[u8]) {
    let (provider, data) = provider(data);
    let (id, data) = text_line(data);
    let (header, data) = line(data);
    let (body, forged) = match data.windows(BETWEEN.len()).position(|part| part == BETWEEN) {
        Some(at) => (&data[..at], &data[at + BETWEEN.len()..]),
        None => (data, &b"{}"[..]),
    };
    // No sender names a delivery by anything but printable text.
    let id = format!("id{}", id.replace(|c: char| !c.is_ascii_graphic(), ""));
    let site = Site::of(provider);
    let source = site.source;
    let Ok(signed) = sign(source, &id, body) else { return };
    let headers: HeaderMap = signed.headers.iter().cloned().collect();
    let body = &signed.body.map_or_else(|| Bytes::copy_from_slice(body), Bytes::from);
    let forged = &Bytes::copy_from_slice(forged);
    if !believed(site, &headers, &signed.query, body) {
        // What some senders put into the body (a secret, a time) has no place in one without fields.
        let decoded = source.provider.decode(&headers, body);
        let has_fields = decoded.is_ok_and(|decoded| matches!(decoded.body, Value::Map(_)));
        return assert!(!has_fields, "{provider} does not believe what it signs");
    }
    let signs_body = source.provider.signs_body(&source.options);
    if signs_body && !reads_alike(source, &headers, body, forged) {
        assert!(
            !believed(site, &headers, &signed.query, forged),
            "{provider} believes a forged body"
        );
    }
    let Some((name, value)) = read_header(header) else { return };
    let Some(old) = headers.get(&name).cloned() else { return };
    if !source.provider.signed_headers(&source.options).contains(&name) || holds(&value, &old) {
        return;
    }
    let mut changed = headers;
    changed.insert(&name, value);
    assert!(!believed(site, &changed, &signed.query, body), "{provider} believes a forged {name}");
}

fn sign(source: &SourcePlan, id: &str, body: &[u8]) -> Result<Signed, SignFault> {
    let path = path(source);
    let event = source.provider.sample_kind();
    let outgoing = Outgoing { method: &Method::POST, path: &path, event, body, access_token: None };
    let signer = source.provider.sample_signer();
    source.provider.sign(&outgoing, &signer, &source.options, id, site::now())
}

fn believed(site: &Site, headers: &HeaderMap, query: &str, body: &Bytes) -> bool {
    let path = path(site.source);
    let request = Unverified { method: &Method::POST, path: &path, rest: "", query, headers, body };
    site.source.prove_by(&request, &site.verification()).is_ok()
}

fn path(source: &SourcePlan) -> String {
    format!("/hooks/{}", source.name)
}

/// Some senders sign the fields of a body, not its bytes; and of some only a part is signed and read,
/// which two bodies that cannot be read may share.
fn reads_alike(source: &SourcePlan, headers: &HeaderMap, body: &Bytes, forged: &Bytes) -> bool {
    let read = |body| source.provider.decode(headers, body).ok();
    let (ours, theirs) = (read(body), read(forged));
    let shared = ours.is_some() || PARTLY_SIGNED.contains(&source.provider.name());
    body == forged || (shared && ours == theirs)
}

/// Whether the longest word of the old text is still there, in either case and either alphabet of
/// base64: senders may add further signatures.
fn holds(new: &HeaderValue, old: &HeaderValue) -> bool {
    let plain = |value: &HeaderValue| -> String {
        let one = |byte: &u8| match byte.to_ascii_lowercase() {
            b'-' => '+',
            b'_' => '/',
            byte => char::from(byte),
        };
        value.as_bytes().iter().map(one).collect()
    };
    let old = plain(old);
    let words = old.split(|c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '/'));
    plain(new).contains(words.max_by_key(|word| word.len()).unwrap_or_default())
}
