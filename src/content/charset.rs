//! The charset of a text body (`Content-Type: …; charset=…`), and the text in UTF-8.
//!
//! The bytes come first: what is UTF-8 is read as UTF-8, whatever the header says, so that nobody can have a
//! signed body read otherwise by changing a header that is not signed. Only charsets whose bytes are valid
//! UTF-8 by accident are told by marks that no JSON and no form has: zero bytes, or escapes.

use bytes::Bytes;
use encoding_rs::{Encoding, ISO_2022_JP, UTF_16BE, UTF_16LE};

use super::fault::shown;
use super::{Bounds, ContentFault};

/// The mark with which a text in ISO-2022-JP changes its alphabet.
const ESCAPE: u8 = 0x1b;

/// The charset that a content type names, unless it is UTF-8.
pub(super) fn named(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let named = parameters.filter_map(|parameter| parameter.split_once('='));
    let charset = named
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"'))
        .next()?;
    let is_utf8 = ["utf-8", "utf8", "us-ascii", "ascii", ""]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(charset));
    (!is_utf8).then_some(charset)
}

/// The text in UTF-8; none where it is that already.
///
/// # Errors
/// The charset is not known, or the bytes are not of it.
pub(super) fn to_utf8(
    charset: &str,
    bytes: &Bytes,
    bounds: &mut Bounds<'_>,
) -> Result<Option<Bytes>, ContentFault> {
    let Some(encoding) = encoding(charset, bytes) else {
        let is_read = std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0);
        return if is_read { Ok(None) } else { Err(ContentFault::Charset(shown(charset))) };
    };
    let is_marked = if encoding == UTF_16BE || encoding == UTF_16LE {
        is_wide(bytes)
    } else if encoding == ISO_2022_JP {
        bytes.contains(&ESCAPE)
    } else {
        std::str::from_utf8(bytes).is_err()
    };
    if !is_marked {
        return Ok(None);
    }
    // A byte of a charset becomes three of UTF-8 at most.
    let most = (bytes.len() as u64).saturating_mul(3);
    if !(bounds.room)(most) {
        return Err(ContentFault::NoRoom);
    }
    let bytes = bytes.strip_prefix(mark(encoding)).unwrap_or(bytes);
    let text = encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| ContentFault::OtherCharset(shown(charset)))?;
    if text.len() as u64 > bounds.most {
        return Err(ContentFault::TooLarge { limit: bounds.most });
    }
    Ok(Some(Bytes::from(text.into_owned())))
}

/// The charset of this name. `utf-16` leaves the order of bytes to their mark, or else to where the zeros are.
fn encoding(name: &str, bytes: &[u8]) -> Option<&'static Encoding> {
    if !name.eq_ignore_ascii_case("utf-16") {
        return Encoding::for_label_no_replacement(name.as_bytes());
    }
    Some(match bytes {
        [0xff, 0xfe, ..] => UTF_16LE,
        [first, 0, ..] if *first != 0 => UTF_16LE,
        _ => UTF_16BE,
    })
}

/// Whether its characters have two bytes: it begins with the mark of such a text, or one of its first two bytes
/// is zero, as for every character of ASCII.
fn is_wide(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..])
}

fn mark(encoding: &'static Encoding) -> &'static [u8] {
    if encoding == UTF_16BE {
        &[0xfe, 0xff]
    } else if encoding == UTF_16LE {
        &[0xff, 0xfe]
    } else {
        &[]
    }
}
