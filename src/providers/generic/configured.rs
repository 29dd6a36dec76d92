//! What the generic providers share: the configuration says where the event's name and the delivery's
//! id are.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::authenticate::timestamp::Unit;
use crate::authenticate::{Refusal, Verified, headers};
use crate::model::Value;
use crate::providers::{
    Identity, Meaning, Options, Outgoing, Place, SignFault, UNNAMED, header, json_content,
};

/// The sample payload of generic providers.
pub(in crate::providers) const SAMPLE: &str = include_str!("../samples/event.json");

/// The unit of a timestamp, where the source does not say.
pub(super) const DEFAULT_UNIT: Unit = Unit::Seconds;

/// Refuses a request in which a header that names the event or the delivery is repeated, empty or not
/// plain ASCII.
pub(in crate::providers) fn unambiguous(
    headers: &HeaderMap,
    options: &Options,
) -> Result<(), Refusal> {
    let places = [&options.event, &options.delivery_id].into_iter().flatten();
    headers::at_most_one(headers, places.filter_map(Place::header))
}

pub(in crate::providers) fn meaning(
    headers: &HeaderMap,
    body: &Value,
    options: &Options,
) -> Meaning {
    let name = options.event.as_ref().and_then(|place| place.read(headers, body));
    Meaning {
        kind: name.as_deref().unwrap_or(UNNAMED).into(),
        name: name.map(Into::into),
        action: None,
        handshake: None,
    }
}

/// The configured id, else the digest of the body.
pub(in crate::providers) fn identity(
    request: &Verified<'_>,
    body: &Value,
    options: &Options,
) -> Identity {
    given_id(request.headers(), body, options)
        .unwrap_or_else(|| Identity::of_bytes(&[request.body()]))
}

pub(in crate::providers) fn given_id(
    headers: &HeaderMap,
    body: &Value,
    options: &Options,
) -> Option<Identity> {
    let id = options.delivery_id.as_ref()?.read(headers, body)?;
    Some(Identity::of_sender(&id))
}

/// The headers of an outgoing request that carry the event's name and the delivery's id, where the
/// options place these in headers; and its content type.
pub(in crate::providers) fn naming(
    outgoing: &Outgoing<'_>,
    options: &Options,
    id: &str,
) -> Result<Vec<(HeaderName, HeaderValue)>, SignFault> {
    let mut headers = vec![json_content()];
    for (place, text) in [(&options.event, outgoing.event), (&options.delivery_id, id)] {
        if let Some(name) = place.as_ref().and_then(Place::header) {
            headers.push(header(name, text)?);
        }
    }
    Ok(headers)
}

/// The time as the configured header would carry it.
pub(in crate::providers) fn timestamp(options: &Options, now: Timestamp) -> String {
    options.timestamp_unit.unwrap_or(DEFAULT_UNIT).write(now)
}
