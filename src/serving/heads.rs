//! Refuses requests whose heads are not what HTTP/1.1 asks for, and the HTTP library takes all the same; and says
//! why a connection ended that brought no request at all.

use axum::body::Body;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};

use crate::observe::ConnectionEnd;

/// What is wrong with the head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadFault {
    /// It names no host (RFC 9112, section 3.2).
    NoHost,
    /// It names several hosts.
    SeveralHosts,
    /// It gives a length beside a transfer coding (RFC 9112, section 6.1).
    FramedTwice,
    /// It has a transfer coding other than `chunked`.
    TransferCoding,
}

impl HeadFault {
    /// The fault of a request; none where it has none. `framed_twice`: its head gives a length beside a
    /// transfer coding, of which the library has dropped one.
    pub(super) fn of<Any>(request: &Request<Any>, framed_twice: bool) -> Option<Self> {
        let headers = request.headers();
        let hosts = headers.get_all(HOST).iter().count();
        if framed_twice {
            return Some(Self::FramedTwice);
        }
        if !is_plain(headers) {
            return Some(Self::TransferCoding);
        }
        match hosts {
            0 if request.version() >= Version::HTTP_11 => Some(Self::NoHost),
            0 | 1 => None,
            _ => Some(Self::SeveralHosts),
        }
    }

    /// How its connection ends, for logs and metrics.
    pub(super) fn end(self) -> ConnectionEnd {
        match self {
            Self::NoHost | Self::SeveralHosts => ConnectionEnd::BadHead,
            Self::FramedTwice | Self::TransferCoding => ConnectionEnd::BadFraming,
        }
    }

    /// The answer, which is the last one of its connection.
    pub(super) fn answer(self) -> Response<Body> {
        let (status, words) = match self {
            Self::NoHost => (StatusCode::BAD_REQUEST, "the request has no `Host` header"),
            Self::SeveralHosts => {
                (StatusCode::BAD_REQUEST, "the request has several `Host` headers")
            }
            Self::FramedTwice => (
                StatusCode::BAD_REQUEST,
                "the request has `Content-Length` beside `Transfer-Encoding`",
            ),
            Self::TransferCoding => (
                StatusCode::NOT_IMPLEMENTED,
                "the only transfer coding that is read is `chunked`; compress with `Content-Encoding`",
            ),
        };
        let body = serde_json::json!({ "error": words }).to_string();
        let mut answer = Response::new(Body::from(body));
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        answer
    }
}

/// Whether the body has no transfer coding but `chunked`, once.
fn is_plain(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(only), None) => only.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    }
}

/// The first bytes of a connection, as far as they tell that it does not speak HTTP/1.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Opening {
    bytes: [u8; Opening::LENGTH],
    length: usize,
}

impl Opening {
    const LENGTH: usize = 12;
    /// What other protocols begin with.
    const OTHERS: [(&[u8], ConnectionEnd); 5] = [
        (b"PROXY ", ConnectionEnd::ProxyProtocol),
        (b"\r\n\r\n\0\r\nQUIT\n", ConnectionEnd::ProxyProtocol),
        (b"\x16\x03", ConnectionEnd::Tls),
        (b"PRI * HTTP/2", ConnectionEnd::Http2),
        (b"\x80\x2e\x01", ConnectionEnd::Tls),
    ];

    /// Bytes have arrived. Only the first ones are kept. True once there are enough of them.
    pub(super) fn arrived(&mut self, bytes: &[u8]) -> bool {
        let room = Self::LENGTH - self.length;
        if room > 0 {
            let taken = room.min(bytes.len());
            self.bytes[self.length..self.length + taken].copy_from_slice(&bytes[..taken]);
            self.length += taken;
        }
        self.length == Self::LENGTH
    }

    /// The protocol that it is, where it is not HTTP/1.
    pub(super) fn other(&self) -> Option<ConnectionEnd> {
        let begun = &self.bytes[..self.length];
        let mut others = Self::OTHERS.iter();
        others.find(|(start, _)| begun.starts_with(start)).map(|(_, end)| *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(version: Version, headers: &[(&str, &str)]) -> Option<HeadFault> {
        let mut request = Request::builder().version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        HeadFault::of(&request.body(()).expect("a request"), false)
    }

    #[test]
    fn a_request_names_one_host_and_no_coding_but_chunked() {
        let host = ("host", "a");
        for (headers, expected) in [
            (&[host][..], None),
            (&[], Some(HeadFault::NoHost)),
            (&[host, host], Some(HeadFault::SeveralHosts)),
            (&[host, ("transfer-encoding", "Chunked")], None),
            (&[host, ("transfer-encoding", "gzip, chunked")], Some(HeadFault::TransferCoding)),
            (
                &[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
                Some(HeadFault::TransferCoding),
            ),
        ] {
            assert_eq!(fault(Version::HTTP_11, headers), expected, "{headers:?}");
        }
        assert_eq!(fault(Version::HTTP_10, &[]), None);
        assert_eq!(fault(Version::HTTP_10, &[host, host]), Some(HeadFault::SeveralHosts));
    }

    #[test]
    fn other_protocols_are_known_by_their_first_bytes_however_they_arrive() {
        for (bytes, expected) in [
            (&b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"[..], Some(ConnectionEnd::ProxyProtocol)),
            (b"\r\n\r\n\0\r\nQUIT\n\x21", Some(ConnectionEnd::ProxyProtocol)),
            (b"\x16\x03\x01\x02\0\x01", Some(ConnectionEnd::Tls)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(ConnectionEnd::Http2)),
            (b"POST / HTTP/1.1\r\n", None),
            (b"PROX", None),
            (b"", None),
        ] {
            for piece in [1, 3, 100] {
                let mut opening = Opening::default();
                bytes.chunks(piece).for_each(|piece| _ = opening.arrived(piece));
                assert_eq!(opening.other(), expected, "{bytes:?}");
            }
        }
    }
}
