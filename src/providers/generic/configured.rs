//! What the generic providers share: the configuration says where the events, their names and actions, and the
//! delivery's id are.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::authenticate::timestamp::Unit;
use crate::authenticate::{Refusal, Verified, headers};
use crate::model::Value;
use crate::providers::described::MOST_PARTS;
use crate::providers::options::joined;
use crate::providers::{
    DecodeFault, Identity, Meaning, Options, Outgoing, Place, SignFault, UNNAMED, header,
    json_content,
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
    let places = [&options.event, &options.action, &options.delivery_id].into_iter().flatten();
    headers::at_most_one(headers, places.filter_map(Place::header))
}

/// The kind of the first event.
pub(in crate::providers) fn meaning(
    headers: &HeaderMap,
    body: &Value,
    options: &Options,
) -> Meaning {
    meaning_of(headers, body, &parts(body, options)[0], options)
}

/// The kind of every event: of the body, or of each element of the list that `each` names.
pub(in crate::providers) fn meanings(
    headers: &HeaderMap,
    body: &Value,
    options: &Options,
) -> Result<Vec<Meaning>, DecodeFault> {
    let parts = parts(body, options);
    if parts.len() > MOST_PARTS {
        return Err(DecodeFault::TooMany { most: MOST_PARTS });
    }
    Ok(parts.iter().map(|part| meaning_of(headers, body, part, options)).collect())
}

/// The events in a body. There is always at least one: a body without the list, or with an empty one, is an
/// event itself.
pub(in crate::providers) fn parts<'v>(body: &'v Value, options: &Options) -> &'v [Value] {
    let list = options
        .each
        .as_ref()
        .and_then(|path| path.iter().try_fold(body, |value, name| value.get(name))?.as_list());
    list.filter(|parts| !parts.is_empty()).unwrap_or(std::slice::from_ref(body))
}

fn meaning_of(headers: &HeaderMap, body: &Value, part: &Value, options: &Options) -> Meaning {
    let read = |place: &Option<Place>| place.as_ref()?.read_in(headers, part, body);
    let name = read(&options.event);
    Meaning {
        kind: name.as_deref().unwrap_or(UNNAMED).into(),
        name: name.map(Into::into),
        action: read(&options.action).map(Into::into),
        handshake: None,
    }
}

/// The configured id, else the digest of the body. Where the body has no id and its events have, the id is
/// made of all of theirs.
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
    let place = options.delivery_id.as_ref()?;
    let of_parts = || {
        options.each.as_ref()?;
        let parts = parts(body, options).iter();
        let ids: Option<Vec<_>> = parts.map(|part| place.read_in(headers, part, body)).collect();
        Some(joined(&ids?))
    };
    let id = place.read(headers, body).or_else(of_parts)?;
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
