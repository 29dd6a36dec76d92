//! A text as it reads without its escapes of JSON and of addresses. Pure.

use memchr::{memchr_iter, memmem};

/// A text without its escapes.
pub(super) struct Unescaped {
    /// What it reads.
    pub(super) read: Vec<u8>,
    /// Where each of these bytes begins in the text, and the text's end behind the last.
    pub(super) starts: Vec<usize>,
}

/// The text without its escapes; none where it has no numeric one.
pub(super) fn unescaped(text: &[u8]) -> Option<Unescaped> {
    let is_escaped = memmem::find(text, b"\\u").is_some()
        || memchr_iter(b'%', text).any(|at| hex_byte(text.get(at + 1..at + 3)).is_some());
    if !is_escaped {
        return None;
    }
    let mut read = Vec::with_capacity(text.len());
    let mut starts = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let before = read.len();
        let length = match byte {
            b'\\' => json_escape(&text[at..], &mut read),
            b'%' => match hex_byte(text.get(at + 1..at + 3)) {
                Some(byte) => {
                    read.push(byte);
                    3
                }
                None => {
                    read.push(b'%');
                    1
                }
            },
            byte => {
                read.push(*byte);
                1
            }
        };
        starts.extend(std::iter::repeat_n(at, read.len() - before));
        at += length;
    }
    starts.push(text.len());
    Some(Unescaped { read, starts })
}

/// Writes what an escape of JSON stands for, and returns its length. What is none stands for itself.
fn json_escape(text: &[u8], read: &mut Vec<u8>) -> usize {
    let Some(first) = unit(text) else {
        return match text.get(1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => {
                read.push(*byte);
                2
            }
            _ => {
                read.push(b'\\');
                1
            }
        };
    };
    let second = text.get(6..).and_then(unit);
    let pair = [first, second.unwrap_or_default()];
    let is_pair = (0xd800..0xdc00).contains(&first) && second.is_some();
    let units = if is_pair { &pair[..] } else { &pair[..1] };
    read.extend_from_slice(String::from_utf16_lossy(units).as_bytes());
    6 * units.len()
}

/// The number of an escape `\uXXXX`.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.get(..6)?.strip_prefix(b"\\u")?;
    let digits = str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u16::from_str_radix(digits, 16).ok()
}

fn hex_byte(digits: Option<&[u8]>) -> Option<u8> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}
