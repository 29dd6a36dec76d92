//! Places in a request from which the event's name, its action or the delivery's id is read, for senders
//! that are described in data.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use crate::model::Value;

/// A place in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The header of this name, in lower case.
    Header(&'static str),
    /// One of two headers, in lower case. The sender sends one of them.
    EitherHeader(&'static str, &'static str),
    /// A field of the body, by its path.
    Field(&'static [&'static str]),
    /// A field of one of the body's parts, by its path. Where the body has no parts, of the whole body.
    Part(&'static [&'static str]),
    /// The first of these fields of the body that is filled.
    Either(&'static [&'static [&'static str]]),
}

impl At {
    /// The header's name, where the place is a header. Of two headers, the first.
    pub(super) fn header(self) -> Option<HeaderName> {
        match self {
            Self::Header(name) | Self::EitherHeader(name, _) => Some(HeaderName::from_static(name)),
            Self::Field(_) | Self::Part(_) | Self::Either(_) => None,
        }
    }

    /// The text in this place, where it is not empty. `part` is the part of the body to look at.
    pub(super) fn read(self, headers: &HeaderMap, body: &Value, part: &Value) -> Option<Arc<str>> {
        match self {
            Self::Header(name) => {
                let text = headers.get(name)?.to_str().ok()?;
                (!text.is_empty()).then(|| text.into())
            }
            Self::EitherHeader(name, other) => {
                let first = Self::Header(name).read(headers, body, part);
                first.or_else(|| Self::Header(other).read(headers, body, part))
            }
            Self::Field(path) => text(body.at(path)?),
            Self::Part(path) => text(part.at(path)?),
            Self::Either(paths) => paths.iter().find_map(|path| text(body.at(path)?)),
        }
    }

    /// The JSON body with this text in this place. `None` where the place is not a text field of it.
    pub(super) fn written(self, body: &str, text: &str) -> Option<Vec<u8>> {
        let path = match self {
            Self::Field(path) => path,
            Self::Either(paths) => paths.first()?,
            _ => return None,
        };
        let mut tree: serde_json::Value = serde_json::from_str(body).ok()?;
        let field = path.iter().try_fold(&mut tree, |value, name| value.get_mut(name))?;
        if !field.is_string() {
            return None;
        }
        *field = text.into();
        serde_json::to_vec(&tree).ok()
    }
}

/// Text, or a whole number as text, unless it is empty.
fn text(value: &Value) -> Option<Arc<str>> {
    let number = || Some(value.as_i64()?.to_string().into());
    let large = || Some(value.as_u64()?.to_string().into());
    value.as_arc_str().cloned().or_else(number).or_else(large).filter(|text| !text.is_empty())
}
