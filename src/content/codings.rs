//! `Content-Encoding` (RFC 9110, section 8.4): gzip, deflate and zstd, several within each other.
//!
//! What comes out is bounded at each step, so that a small body cannot become a large one: by the source's
//! limit, by how many times larger than what was sent it may be, and by the room that there is.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::fault::shown;
use super::{Bounds, ContentFault};

/// The encodings that are read.
pub const KNOWN: [&str; 3] = ["gzip", "deflate", "zstd"];

/// Encodings that a body may have within each other. Each costs a pass over the body.
const MOST_CODINGS: usize = 3;

/// How many times larger than what was sent a body may become, once it is larger than [`ALWAYS`]. The payloads
/// of senders become ten to forty times larger; what is made to fill a memory, a thousand times.
const MOST_TIMES: u64 = 200;
/// A body may become this large however small it was sent, in bytes.
const ALWAYS: u64 = 1 << 20;

/// Bytes that are unpacked at once.
const PIECE: usize = 64 * 1024;

/// Most bytes that a decoder of zstd may look back. RFC 9659 sets this bound for HTTP.
const ZSTD_WINDOW: u64 = 8 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Zstd,
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }
}

/// The body without its encodings; none where it has none.
///
/// # Errors
/// An encoding that is not read, bytes that are not what it makes, or too many of them.
pub(super) fn unpack(
    headers: &HeaderMap,
    body: &Bytes,
    bounds: &mut Bounds<'_>,
) -> Result<Option<Bytes>, ContentFault> {
    let codings = named(headers)?;
    // A body of no bytes has nothing to take an encoding off, and some clients name one all the same.
    if codings.is_empty() || body.is_empty() {
        return Ok(None);
    }
    let mut plain = body.clone();
    // They are named in the order in which they were applied.
    for coding in codings.into_iter().rev() {
        let mut out = Output { sent: body.len() as u64, bytes: Vec::new(), bounds: &mut *bounds };
        out.fill(coding, &plain)?;
        plain = Bytes::from(out.bytes);
    }
    Ok(Some(plain))
}

fn named(headers: &HeaderMap) -> Result<Vec<Coding>, ContentFault> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let text = value.to_str().map_err(|_| ContentFault::Coding("?".to_owned()))?;
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            codings.push(match &*name.to_ascii_lowercase() {
                "identity" => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "deflate" => Coding::Deflate,
                "zstd" => Coding::Zstd,
                _ => return Err(ContentFault::Coding(shown(name))),
            });
        }
    }
    match codings.len() > MOST_CODINGS {
        true => Err(ContentFault::TooManyCodings { most: MOST_CODINGS }),
        false => Ok(codings),
    }
}

/// What comes out of one encoding.
struct Output<'o, 'b> {
    /// Bytes of the body as sent.
    sent: u64,
    bytes: Vec<u8>,
    bounds: &'o mut Bounds<'b>,
}

impl Output<'_, '_> {
    fn fill(&mut self, coding: Coding, packed: &[u8]) -> Result<(), ContentFault> {
        match coding {
            Coding::Gzip => self.drain(coding, MultiGzDecoder::new(packed)),
            // The name means the format of zlib; some senders leave its head and sum away.
            Coding::Deflate if has_zlib_head(packed) => {
                self.drain(coding, ZlibDecoder::new(packed))
            }
            Coding::Deflate => self.drain(coding, DeflateDecoder::new(packed)),
            Coding::Zstd => self.frames(packed),
        }
    }

    /// All frames of zstd. Frames for other uses are skipped.
    fn frames(&mut self, mut packed: &[u8]) -> Result<(), ContentFault> {
        let broken = || ContentFault::Broken(Coding::Zstd.name());
        while !packed.is_empty() {
            match StreamingDecoder::new_with_max_window_size(&mut packed, ZSTD_WINDOW) {
                Ok(decoder) => self.drain(Coding::Zstd, decoder)?,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = usize::try_from(length).map_err(|_| broken())?;
                    packed = packed.get(length..).ok_or_else(broken)?;
                }
                Err(_) => return Err(broken()),
            }
        }
        Ok(())
    }

    /// Reads to the end, piece by piece.
    fn drain(&mut self, coding: Coding, mut from: impl Read) -> Result<(), ContentFault> {
        let mut piece = vec![0; PIECE];
        loop {
            let read = from.read(&mut piece).map_err(|_| ContentFault::Broken(coding.name()))?;
            if read == 0 {
                return Ok(());
            }
            self.may_be(self.bytes.len() as u64 + read as u64)?;
            self.bytes.extend_from_slice(&piece[..read]);
        }
    }

    fn may_be(&mut self, length: u64) -> Result<(), ContentFault> {
        if length > self.bounds.most {
            return Err(ContentFault::TooLarge { limit: self.bounds.most });
        }
        if length > ALWAYS.max(self.sent.saturating_mul(MOST_TIMES)) {
            return Err(ContentFault::Swollen { most: MOST_TIMES });
        }
        if (self.bounds.room)(length) { Ok(()) } else { Err(ContentFault::NoRoom) }
    }
}

/// Whether it begins as the format of zlib does (RFC 1950, section 2.2).
fn has_zlib_head(packed: &[u8]) -> bool {
    matches!(packed, [method, flags, ..]
        if method & 0x0f == 8 && method >> 4 <= 7
            && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}
