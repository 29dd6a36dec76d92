//! A request as a corpus writes it: the provider's name, the request line, headers, an empty line,
//! the body.

use bytes::Bytes;
use cdsw_gateway::authenticate::Unverified;
use cdsw_gateway::providers;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{line, text_line};

/// A request that was read.
pub(crate) struct Request {
    pub(crate) provider: &'static str,
    method: Method,
    path: String,
    query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// Reads as much as there is: what cannot be read is left out.
    pub(crate) fn read(data: &[u8]) -> Self {
        let (provider, data) = provider(data);
        let (first, mut data) = text_line(data);
        let (method, target) = first.split_once(' ').unwrap_or(("POST", &first));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        loop {
            let (header, rest) = line(data);
            data = rest;
            if header.is_empty() {
                break;
            }
            // A map of headers has a bound on their number; a connection has a lower one.
            if headers.len() < 1000
                && let Some((name, value)) = read_header(header)
            {
                headers.append(name, value);
            }
        }
        Self {
            provider,
            method: method.parse().unwrap_or(Method::POST),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Bytes::copy_from_slice(data),
        }
    }

    /// As it came in.
    pub(crate) fn unverified(&self) -> Unverified<'_> {
        let rest = self.path.strip_prefix("/hooks/").and_then(|path| path.split_once('/'));
        Unverified {
            method: &self.method,
            path: &self.path,
            rest: rest.map_or("", |(_, rest)| rest),
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// The provider that the first line names; one that its letters choose where there is none.
pub(crate) fn provider(data: &[u8]) -> (&'static str, &[u8]) {
    let (name, rest) = line(data);
    let named = providers::names().find(|known| known.as_bytes() == name);
    let chosen = || {
        let sum: usize = name.iter().map(|byte| usize::from(*byte)).sum();
        providers::names().nth(sum % providers::names().count()).unwrap_or("hmac")
    };
    (named.unwrap_or_else(chosen), rest)
}

/// `name: value`.
pub(crate) fn read_header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(line[..colon].trim_ascii()).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}
