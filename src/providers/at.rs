//! Places in a request, where a sender told in data has its event's name, what was done, or what
//! names the delivery.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use crate::model::Value;

/// A place in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// A header, in lower case.
    Header(&'static str),
    /// One of two headers, of which the sender sends one, in lower case.
    EitherHeader(&'static str, &'static str),
    /// A field of the body.
    Field(&'static [&'static str]),
    /// A field of one of the body's parts; of the whole body, where it is no list of them.
    Part(&'static [&'static str]),
    /// The first of these fields of the body that is filled.
    Either(&'static [&'static [&'static str]]),
}

impl At {
    /// The header that it is, where it is one.
    pub(super) fn header(self) -> Option<HeaderName> {
        match self {
            Self::Header(name) | Self::EitherHeader(name, _) => Some(HeaderName::from_static(name)),
            Self::Field(_) | Self::Part(_) | Self::Either(_) => None,
        }
    }

    /// What is there, in this part of the body.
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

    /// A JSON body with this text in its place, where it is a field that holds a text.
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
