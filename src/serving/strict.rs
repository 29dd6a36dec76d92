//! Line ends of request heads: a line feed without a carriage return is refused. Pure.
//!
//! RFC 9112 (section 2.2) lets a recipient take a bare line feed for the end of a line, and the HTTP library
//! does. A proxy in front may not, and then the two see different headers in the same bytes. So the bytes of
//! heads are looked at before the library reads them, and a bare line feed becomes a zero byte, which the
//! library answers with 400.
//!
//! A head that frames its body in two ways, by its length and by chunks, is found here too: the library drops
//! the length, and a proxy in front may not.
//!
//! To tell heads from bodies, this follows the framing of requests: `Content-Length`, and chunks. Where the
//! framing is not plain, such as a length behind many spaces, nothing more is looked at or changed, and the
//! connection ends with the answer to that request.

use memchr::memchr;

/// The bytes of a head's line that are kept: enough for the two headers that frame a body.
const KEPT: usize = 64;

/// Where in its requests a connection is.
#[derive(Debug)]
pub(super) struct LineEnds {
    at: At,
    line: Line,
    body: Body,
    /// Whether the request line has come.
    has_begun: bool,
    /// Which of the two headers that frame a body the head has.
    framed_by: FramedBy,
    /// How many heads have ended.
    heads: u64,
    /// The first head that frames its body in two ways, counted from 1.
    framed_twice: Option<u64>,
}

/// The headers of a head that frame its body.
#[derive(Clone, Copy, Debug, Default)]
struct FramedBy {
    length: bool,
    coding: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Head,
    /// This many bytes of a body are left.
    Content(u64),
    ChunkSize,
    /// This many bytes of a chunk and of its line end are left.
    Chunk(u64),
    Trailers,
    /// What follows is not looked at.
    Unknown,
}

/// How the head says that its body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    None,
    Length(u64),
    Chunked,
    Unknown,
}

/// The beginning of the line that is being read.
#[derive(Debug)]
struct Line {
    kept: [u8; KEPT],
    length: usize,
    /// Its last byte so far.
    last: u8,
}

impl LineEnds {
    pub(super) fn new() -> Self {
        let line = Line { kept: [0; KEPT], length: 0, last: 0 };
        Self {
            at: At::Head,
            line,
            body: Body::None,
            has_begun: false,
            framed_by: FramedBy::default(),
            heads: 0,
            framed_twice: None,
        }
    }

    /// The number of the request, counted from 1, whose head frames its body in two ways.
    pub(super) fn framed_twice(&self) -> Option<u64> {
        self.framed_twice
    }

    /// Whether it is not known any more where the next head begins.
    pub(super) fn are_unknown(&self) -> bool {
        self.at == At::Unknown
    }

    /// Looks at the next bytes of the connection, and changes the bare line feeds among them that end a line
    /// of a head.
    pub(super) fn look(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let length = bytes.len();
            let taken = match self.at {
                At::Unknown => return,
                At::Content(left) => self.skip(left, length, At::Head, At::Content),
                At::Chunk(left) => self.skip(left, length, At::ChunkSize, At::Chunk),
                At::Head | At::ChunkSize | At::Trailers => self.read_line(bytes),
            };
            bytes = &mut bytes[taken..];
        }
    }

    fn skip(&mut self, left: u64, here: usize, then: At, still: fn(u64) -> At) -> usize {
        match usize::try_from(left) {
            Ok(left) if left <= here => {
                self.begin(then);
                left
            }
            _ => {
                self.at = still(left - here as u64);
                here
            }
        }
    }

    fn begin(&mut self, at: At) {
        self.at = at;
        if at == At::Head {
            self.body = Body::None;
            self.has_begun = false;
            self.framed_by = FramedBy::default();
        }
    }

    /// Reads to the end of a line, or of the bytes. Says how many it read.
    fn read_line(&mut self, bytes: &mut [u8]) -> usize {
        let Some(end) = memchr(b'\n', bytes) else {
            self.line.keep(bytes);
            return bytes.len();
        };
        self.line.keep(&bytes[..end]);
        if self.line.last != b'\r' && self.at == At::Head {
            bytes[end] = 0;
            self.at = At::Unknown;
            return end + 1;
        }
        self.end_line();
        self.line.length = 0;
        self.line.last = 0;
        end + 1
    }

    fn end_line(&mut self) {
        let is_empty = self.line.length == usize::from(self.line.last == b'\r');
        match self.at {
            // Empty lines before a request are skipped by the library too.
            At::Head if is_empty && !self.has_begun => {}
            At::Head if is_empty => self.end_head(),
            At::Head if !self.has_begun => self.has_begun = true,
            At::Head => self.header(),
            At::ChunkSize => match self.line.chunk_size() {
                Some(0) => self.at = At::Trailers,
                Some(size) => self.at = At::Chunk(size.saturating_add(2)),
                None => self.at = At::Unknown,
            },
            At::Trailers if is_empty => self.begin(At::Head),
            At::Trailers | At::Content(_) | At::Chunk(_) | At::Unknown => {}
        }
    }

    fn end_head(&mut self) {
        self.heads += 1;
        if self.framed_by.length && self.framed_by.coding {
            self.framed_twice.get_or_insert(self.heads);
        }
        match self.body {
            Body::None | Body::Length(0) => self.begin(At::Head),
            Body::Length(length) => self.at = At::Content(length),
            Body::Chunked => self.at = At::ChunkSize,
            Body::Unknown => self.at = At::Unknown,
        }
    }

    fn header(&mut self) {
        let Some((name, value)) = self.line.header() else { return };
        self.framed_by.length |= name.eq_ignore_ascii_case(b"content-length");
        self.framed_by.coding |= name.eq_ignore_ascii_case(b"transfer-encoding");
        let is_cut = self.line.length > KEPT;
        let framing = if is_cut && is_framing(name) {
            Body::Unknown
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let digits = str::from_utf8(value).ok().filter(|text| text.len() < 20);
            digits.and_then(|text| text.parse().ok()).map_or(Body::Unknown, Body::Length)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            match value.eq_ignore_ascii_case(b"chunked") {
                true => Body::Chunked,
                false => Body::Unknown,
            }
        } else {
            return;
        };
        self.body = match self.body {
            Body::None => framing,
            same if same == framing => same,
            _ => Body::Unknown,
        };
    }
}

fn is_framing(name: &[u8]) -> bool {
    [&b"content-length"[..], b"transfer-encoding"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

impl Line {
    fn keep(&mut self, bytes: &[u8]) {
        let from = self.length.min(KEPT);
        let to = (from + bytes.len()).min(KEPT);
        self.kept[from..to].copy_from_slice(&bytes[..to - from]);
        self.length = self.length.saturating_add(bytes.len());
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    /// The line without its end; of a long line, the beginning.
    fn text(&self) -> &[u8] {
        let text = &self.kept[..self.length.min(KEPT)];
        text.strip_suffix(b"\r").unwrap_or(text)
    }

    fn header(&self) -> Option<(&[u8], &[u8])> {
        let text = self.text();
        let colon = memchr(b':', text)?;
        Some((&text[..colon], text[colon + 1..].trim_ascii()))
    }

    fn chunk_size(&self) -> Option<u64> {
        let text = self.text();
        // Of a longer line, the size may be cut.
        let ends = text.iter().any(|byte| !byte.is_ascii_hexdigit());
        if self.length > KEPT && !ends {
            return None;
        }
        let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let digits = str::from_utf8(&text[..digits]).ok()?;
        u64::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What becomes of these bytes when they arrive in pieces of this size.
    fn looked_at(text: &str, piece: usize) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let mut line_ends = LineEnds::new();
        for piece in bytes.chunks_mut(piece.max(1)) {
            line_ends.look(piece);
        }
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_bare_line_feed_in_a_head_becomes_a_zero_byte() {
        for (text, expected) in [
            ("GET / HTTP/1.1\nhost: a\r\n\r\n", "GET / HTTP/1.1\0host: a\r\n\r\n"),
            ("GET / HTTP/1.1\r\nhost: a\nx: b\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\0x: b\r\n\r\n"),
            ("GET / HTTP/1.1\r\nhost: a\r\n\n", "GET / HTTP/1.1\r\nhost: a\r\n\0"),
            ("\nGET / HTTP/1.1\r\n\r\n", "\0GET / HTTP/1.1\r\n\r\n"),
            (
                "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\n\nGET / HTTP/1.1\n",
                "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\n\nGET / HTTP/1.1\0",
            ),
            (
                "POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n2;x=y\r\n\n\n\r\n0\r\nt: u\r\n\r\nGET /\n",
                "POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n2;x=y\r\n\n\n\r\n0\r\nt: u\r\n\r\nGET /\0",
            ),
        ] {
            for piece in 1..=text.len() {
                assert_eq!(looked_at(text, piece), expected, "in pieces of {piece}");
            }
        }
    }

    #[test]
    fn framing_that_is_not_plain_changes_nothing_and_ends_the_connection() {
        let (spaces, zeros) = (" ".repeat(70), "0".repeat(70));
        for head in [
            format!("Content-Length:{spaces}2\r\n\r\n{{}}"),
            format!("Content-Length: {zeros}2\r\n\r\n{{}}"),
            format!("Transfer-Encoding:{spaces}chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
            "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_owned(),
            format!("Transfer-Encoding: chunked\r\n\r\n{zeros}2\r\n\n\n\r\n0\r\n\r\n"),
        ] {
            let text = format!("POST / HTTP/1.1\r\n{head}");
            for piece in [1, 7, 1000] {
                let mut bytes = text.as_bytes().to_vec();
                let mut line_ends = LineEnds::new();
                bytes.chunks_mut(piece).for_each(|piece| line_ends.look(piece));
                assert_eq!(String::from_utf8(bytes).expect("text"), text);
                assert!(line_ends.are_unknown(), "{text:?}");
            }
        }
    }

    #[test]
    fn the_request_that_frames_its_body_in_two_ways_is_known_by_its_number() {
        let good = "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        let coded = "Transfer-Encoding: chunked\r\n";
        for (head, found) in [
            (format!("Content-Length: 2\r\n{coded}"), Some(2)),
            (format!("{coded}Content-Length: 2\r\n"), Some(2)),
            (format!("{coded}x: y\r\ncontent-length:{}2\r\n", " ".repeat(70)), Some(2)),
            (coded.repeat(2), None),
            ("Content-Length: 2\r\n".repeat(2), None),
        ] {
            let text = format!("{good}POST / HTTP/1.1\r\n{head}\r\n0\r\n\r\n");
            for piece in [1, 7, 1000] {
                let mut line_ends = LineEnds::new();
                text.clone().into_bytes().chunks_mut(piece).for_each(|piece| line_ends.look(piece));
                assert_eq!(line_ends.framed_twice(), found, "{head:?}");
            }
        }
    }

    proptest! {
        /// Whatever bodies hold, and however bytes arrive, requests whose lines end as they should are not
        /// changed.
        #[test]
        fn well_formed_requests_are_never_changed(
            requests in prop::collection::vec((any::<bool>(), "(\\n|\\r|a|: |GET / HTTP/1\\.1\\n){0,40}"), 1..5),
            piece in 1_usize..200,
        ) {
            let mut text = String::new();
            for (chunked, body) in requests {
                text.push_str("POST /hooks/a HTTP/1.1\r\nhost: b\r\n");
                if chunked {
                    text.push_str("Transfer-Encoding: chunked\r\n\r\n");
                    for (at, _) in body.char_indices().step_by(7) {
                        let part = &body[at..(at + 7).min(body.len())];
                        text.push_str(&format!("{:x}\r\n{part}\r\n", part.len()));
                    }
                    text.push_str("0\r\n\r\n");
                } else {
                    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
                }
            }
            prop_assert_eq!(looked_at(&text, piece), text);
        }
    }
}
