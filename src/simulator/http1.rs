//! As much of HTTP/1.1 as a stand-in needs: requests read whole, replies written as told, broken
//! ones included.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const HEAD: usize = 64 * 1024;
const BODY: usize = 4 * 1024 * 1024;

/// A request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The user of basic authentication when the password is empty.
    pub(super) fn key(&self) -> Option<Vec<u8>> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        let mut credentials = STANDARD.decode(encoded).ok()?;
        (credentials.pop() == Some(b':') && !credentials.contains(&b':')).then_some(credentials)
    }
}

/// Reads the next request; `None` when the other side has closed.
pub(super) async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && head.is_empty() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        if head.len() > HEAD {
            return Err(bad("the head is too long"));
        }
    }
    let text = String::from_utf8(head).map_err(|_| bad("the head is not text"))?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let mut request = Request {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        ..Request::default()
    };
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    request.body = body(stream, &request).await?;
    Ok(Some(request))
}

async fn body(stream: &mut BufReader<TcpStream>, request: &Request) -> io::Result<Vec<u8>> {
    if request.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        return chunks(stream).await;
    }
    let length: usize =
        request.header("content-length").unwrap_or("0").parse().map_err(|_| bad("a length"))?;
    if length > BODY {
        return Err(bad("the body is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}

async fn chunks(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    use tokio::io::AsyncBufReadExt as _;
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let size = usize::from_str_radix(line.trim(), 16).map_err(|_| bad("a chunk's size"))?;
        let start = body.len();
        if start + size > BODY {
            return Err(bad("the body is too long"));
        }
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..]).await?;
        stream.read_line(&mut String::new()).await?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// The head of a reply whose body is sent in chunks.
pub(super) fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let reason =
        http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or("Unknown"));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
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
    let length = u16::try_from(text.len()).expect("replies are short");
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

/// Ends the connection with a reset instead of an orderly close.
pub(super) fn reset(stream: BufReader<TcpStream>) {
    let _ = stream.get_ref().set_zero_linger();
    drop(stream);
}

/// Writes and flushes.
pub(super) async fn write(stream: &mut BufReader<TcpStream>, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
