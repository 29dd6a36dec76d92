//! Why a body cannot be made plain.

use std::fmt;

use http::StatusCode;

use super::codings::KNOWN;

/// The longest text of a header that a message quotes, in characters.
const SHOWN: usize = 60;

/// Why a body cannot be made plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentFault {
    /// It has an encoding that is not read here.
    Coding(String),
    /// It has more encodings, one within the other, than are read.
    TooManyCodings {
        /// How many are read.
        most: usize,
    },
    /// Its text is in a charset that is not read here.
    Charset(String),
    /// It has several parts.
    Multipart(String),
    /// Its bytes are not what this encoding makes, or end too early.
    Broken(&'static str),
    /// Its text is not in the charset that the request names.
    OtherCharset(String),
    /// Without its encoding it is too large.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Without its encoding it is so many times larger that no sender would have made it.
    Swollen {
        /// How many times larger it may be.
        most: u64,
    },
    /// There is no room for it now.
    NoRoom,
}

impl ContentFault {
    /// The status of the answer to a request with such a body.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Coding(_)
            | Self::TooManyCodings { .. }
            | Self::Charset(_)
            | Self::Multipart(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Broken(_) | Self::OtherCharset(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } | Self::Swollen { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for ContentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coding(name) => write!(
                f,
                "the body has `Content-Encoding: {name}`, which is not read here; {} are",
                KNOWN.join(", ")
            ),
            Self::TooManyCodings { most } => {
                write!(f, "`Content-Encoding` names more than {most} encodings")
            }
            Self::Charset(name) => write!(
                f,
                "the body is in `charset={name}`, which is not read here; let the sender use UTF-8"
            ),
            Self::Multipart(kind) => write!(
                f,
                "the body is `{kind}`, and bodies of several parts are not read; let the sender post JSON"
            ),
            Self::Broken(coding) => write!(
                f,
                "the body has `Content-Encoding: {coding}`, and its bytes are not {coding} or end too early"
            ),
            Self::OtherCharset(name) => {
                write!(f, "the body is said to be in `charset={name}`, and is not")
            }
            Self::TooLarge { limit } => {
                write!(
                    f,
                    "without its encoding, the body is over this source's limit of {limit} bytes"
                )
            }
            Self::Swollen { most } => write!(
                f,
                "without its encoding, the body is more than {most} times as large as it was sent"
            ),
            Self::NoRoom => f.write_str("too many bytes in flight"),
        }
    }
}

impl std::error::Error for ContentFault {}

/// A text of a header as messages quote it: short, and of visible characters.
pub(super) fn shown(text: &str) -> String {
    let visible = text
        .chars()
        .map(|letter| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' });
    let mut short: String = visible.clone().take(SHOWN).collect();
    if visible.count() > SHOWN {
        short.push('…');
    }
    short
}
