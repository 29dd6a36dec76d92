//! The parts of HTTP/1 that the simulator needs: it parses heads of requests and builds replies. It works
//! on bytes and uses no socket.

use std::io;

/// Why a request could not be read.
#[derive(Debug)]
pub(super) enum ReadFault {
    /// The client closed the connection.
    Gone,
    /// The request is malformed or too long.
    Bad {
        /// The HTTP status of the answer.
        status: u16,
        /// Why, in words.
        why: &'static str,
    },
}

impl From<io::Error> for ReadFault {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

pub(super) fn bad(status: u16, why: &'static str) -> ReadFault {
    ReadFault::Bad { status, why }
}

/// The head of a request.
pub(super) struct Head {
    pub(super) method: String,
    pub(super) path: String,
    /// True for HTTP/1.1, which has chunks and keeps connections open.
    modern: bool,
    headers: Vec<(String, String)>,
}

/// How a request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Framing {
    /// So many bytes.
    Length(usize),
    /// Chunks, each with its length.
    Chunked,
}

impl Framing {
    pub(super) fn is_longer_than(self, most: usize) -> bool {
        matches!(self, Self::Length(length) if length > most)
    }
}

impl Head {
    /// Reads a whole head, with the empty line at its end.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ReadFault> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(path), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(bad(400, "the request line is not method, path and version"));
        };
        let modern = match version {
            "HTTP/1.1" => true,
            "HTTP/1.0" => false,
            _ => return Err(bad(505, "the version is not HTTP/1.1 or HTTP/1.0")),
        };
        if !is_token(method)
            || !path.starts_with('/')
            || !path.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(bad(400, "the request line is not method, path and version"));
        }
        let headers =
            lines.filter(|line| !line.is_empty()).map(header).collect::<Result<_, _>>()?;
        Ok(Self { method: method.to_owned(), path: path.to_owned(), modern, headers })
    }

    /// The first header of this name, which is written in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// How the body is delimited. Headers that two readers could understand differently are refused.
    pub(super) fn framing(&self) -> Result<Framing, ReadFault> {
        let mut lengths = self.all("content-length");
        let length = lengths.next();
        if let Some(coding) = self.header("transfer-encoding") {
            let plain = coding.eq_ignore_ascii_case("chunked") && length.is_none() && self.modern;
            return if plain {
                Ok(Framing::Chunked)
            } else {
                Err(bad(400, "the body has another transfer coding, or a length and chunks"))
            };
        }
        let Some(length) = length else { return Ok(Framing::Length(0)) };
        if lengths.next().is_some() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad(400, "the length of the body is not one number"));
        }
        if length.is_empty() {
            return Err(bad(400, "the length of the body is not one number"));
        }
        // A number that no `usize` holds is longer than any limit.
        Ok(Framing::Length(length.parse().unwrap_or(usize::MAX)))
    }

    /// Whether the client waits to be told that it may send the body.
    pub(super) fn expects_continue(&self) -> bool {
        let expects = self.header("expect").unwrap_or_default();
        self.modern && expects.eq_ignore_ascii_case("100-continue")
    }

    /// Whether the client understands a reply in chunks.
    pub(super) fn understands_chunks(&self) -> bool {
        self.modern
    }

    /// Whether the connection stays open after the answer.
    pub(super) fn keeps_open(&self) -> bool {
        let mut options = self.all("connection").flat_map(|value| value.split(','));
        self.modern && !options.any(|option| option.trim().eq_ignore_ascii_case("close"))
    }
}

fn header(line: &str) -> Result<(String, String), ReadFault> {
    match line.split_once(':') {
        Some((name, value)) if is_token(name) => {
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        }
        _ => Err(bad(400, "a header is not a name, a colon and a value")),
    }
}

/// RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

/// The size that the line before a chunk gives.
pub(super) fn chunk_size(line: &[u8]) -> Result<usize, ReadFault> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let digits = text.split(';').next().unwrap_or_default().trim();
    // `from_str_radix` alone would also accept a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let size = plain.then(|| usize::from_str_radix(digits, 16).ok()).flatten();
    size.ok_or_else(|| bad(400, "the size of a chunk is not a number"))
}

/// The piece of a path with its `%XX` decoded; `None` where an escape is broken or the result is not
/// UTF-8.
pub(super) fn unescaped(piece: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let mut byte = [0];
        hex::decode_to_slice(digits, &mut byte).ok()?;
        bytes.push(byte[0]);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The head of a reply.
pub(super) fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let known = http::StatusCode::from_u16(status).ok();
    let reason = known.and_then(|status| status.canonical_reason()).unwrap_or("Unknown");
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
    for (name, value) in headers {
        head.extend([*name, ": ", *value, "\r\n"]);
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A whole body as one chunk and the end.
pub(super) fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 32);
    if !body.is_empty() {
        bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// Text as gzip without compressing it: one stored block (RFC 1951, 3.2.4; RFC 1952, 2.3).
pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("the usual answer is short");
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&(!length).to_le_bytes());
    bytes.extend_from_slice(text);
    bytes.extend_from_slice(&crc32(text).to_le_bytes());
    bytes.extend_from_slice(&u32::from(length).to_le_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
