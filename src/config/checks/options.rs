//! Builds the options of a provider from a source's settings.

use std::str::FromStr;
use std::time::Duration;

use super::checker::Checker;
use super::routes::claims;
use super::tokens::{self, Read};
use crate::config::shape::{EachShape, IdShape, PlaceShape, SourceShape, Texts};
use crate::config::yaml::{At, Id};
use crate::providers::{Options, Place, Template};

/// The largest `tolerance`. Repeats are recognized for this long; accepting an older request could
/// start a job a second time.
const LONGEST_TOLERANCE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The options. `None` if one of them cannot be read.
pub(super) fn options(checker: Checker<'_>, shape: &SourceShape) -> Option<Options> {
    let algorithm = parsed(checker, shape.algorithm.as_ref());
    let encoding = parsed(checker, shape.encoding.as_ref());
    let timestamp_unit = parsed(checker, shape.timestamp_unit.as_ref());
    let body = parsed(checker, shape.body.as_ref());
    let template = template(checker, shape.template.as_ref());
    let separator = separator(checker, shape.separator.as_ref());
    let event = place(checker, shape.event.as_ref());
    let delivery_id = id_place(checker, shape.delivery_id.as_ref());
    let scheme = parsed(checker, shape.scheme.as_ref());
    let action = place(checker, shape.action.as_ref());
    let each = each(checker, shape.each.as_ref());
    let public_url = public_url(checker, shape.public_url.as_ref());
    let preset = parsed(checker, shape.preset.as_ref());
    let algorithms = tokens::algorithms(checker, shape.algorithms.as_ref());
    let issuer = tokens::issuer(checker, shape.issuer.as_ref());
    let jwks_url = tokens::address(checker, shape.jwks_url.as_ref());
    let proxy = tokens::proxy(checker, shape.proxy.as_ref());
    let ca_file = tokens::ca_file(checker, shape.ca_file.as_ref());
    let audience = tokens::audience(checker, shape.audience.as_ref());
    if let Some(at) = &shape.tolerance {
        if at.value.0.is_zero() {
            checker.fault(at.id, "this must be more than zero", None);
        } else if at.value.0 > LONGEST_TOLERANCE {
            let hint = "repeats are known for 7 days; an older request could start a job again";
            checker.fault(at.id, "`tolerance` is more than 7 days", hint.to_owned());
        }
    }
    let required_claims = claims(checker, shape.required_claims.clone());
    Some(Options {
        allow_sha1: shape.allow_sha1,
        allow_older: shape.allow_older,
        timed: shape.timed,
        tolerance: shape.tolerance.as_ref().map(|at| at.value.0),
        header: shape.header.clone().map(|header| header.0),
        query: shape.query.clone(),
        body: body?.unwrap_or_default(),
        prefix: shape.prefix.clone(),
        prefix_optional: shape.prefix_optional,
        separator: separator?,
        algorithm: algorithm?,
        encoding: encoding?,
        template: template?,
        timestamp_header: shape.timestamp_header.clone().map(|header| header.0),
        timestamp_unit: timestamp_unit?,
        public_url: public_url?,
        unsigned: shape.unsigned,
        access_token: shape.access_token.is_some(),
        preset: preset?,
        issuer: issuer?,
        audience: audience?,
        algorithms: algorithms?,
        jwks_url: jwks_url?,
        ca_file: ca_file?,
        proxy: proxy?,
        required_claims,
        payload_hash: shape.payload_hash,
        topics: shape.topics.clone(),
        learn_secret: shape.learn_secret,
        user: shape.user.clone(),
        event: event?,
        delivery_id: delivery_id?,
        scheme: scheme?,
        action: action?,
        each: each?,
    })
}

fn parsed<T: FromStr<Err = String>>(checker: Checker<'_>, at: Option<&At<String>>) -> Read<T> {
    let Some(at) = at else { return Some(None) };
    at.value.parse().map(Some).map_err(|message: String| checker.fault(at.id, message, None)).ok()
}

fn template(checker: Checker<'_>, at: Option<&At<String>>) -> Read<Template> {
    let Some(at) = at else { return Some(None) };
    Template::parse(&at.value)
        .map(Some)
        .map_err(|message| {
            let hint = "an example is \"{timestamp}.{body}\"".to_owned();
            checker.fault(at.id, format!("`template` {message}"), hint);
        })
        .ok()
}

/// The address of `public_url`. It is kept exactly as written, because the sender signs this text.
fn public_url(checker: Checker<'_>, at: Option<&At<String>>) -> Read<String> {
    let Some(at) = at else { return Some(None) };
    let is_address = reqwest::Url::parse(&at.value).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if is_address {
        return Some(Some(at.value.clone()));
    }
    let hint =
        "write it as it was given to the sender, such as https://hooks.example.com/hooks/sms";
    checker.fault(
        at.id,
        "`public_url` is not an http or https address without a query",
        hint.to_owned(),
    );
    None
}

fn separator(checker: Checker<'_>, at: Option<&At<String>>) -> Read<char> {
    let Some(at) = at else { return Some(None) };
    let mut chars = at.value.chars();
    match (chars.next(), chars.next()) {
        (Some(separator), None) => Some(Some(separator)),
        _ => {
            checker.fault(
                at.id,
                "`separator` must be one character",
                "write \",\" or \" \"".to_owned(),
            );
            None
        }
    }
}

fn place(checker: Checker<'_>, at: Option<&At<PlaceShape>>) -> Read<Place> {
    let Some(at) = at else { return Some(None) };
    match (&at.value.header, &at.value.field) {
        (Some(header), None) => Some(Some(Place::Header(header.0.clone()))),
        (None, Some(field)) => Some(Some(Place::Field(path(checker, field.id, &field.value)?))),
        _ => {
            if !checker.is_damaged(at.id) {
                let hint = "write { header: X-Event } or { field: event.type }".to_owned();
                checker.fault(at.id, "a place is either a `header` or a `field`", hint);
            }
            None
        }
    }
}

/// Where the delivery's id is.
fn id_place(checker: Checker<'_>, at: Option<&At<IdShape>>) -> Read<Place> {
    let Some(at) = at else { return Some(None) };
    match (&at.value.header, &at.value.field, &at.value.fields) {
        (Some(header), None, None) => Some(Some(Place::Header(header.0.clone()))),
        (None, Some(field), None) => {
            Some(Some(Place::Field(path(checker, field.id, &field.value)?)))
        }
        (None, None, Some(fields)) => {
            fields_of(checker, fields).map(|paths| Some(Place::Fields(paths)))
        }
        _ => {
            if !checker.is_damaged(at.id) {
                let hint =
                    "write { header: X-Id }, { field: event.id } or { fields: [source, id] }";
                let fault = "an id is in a `header`, in a `field` or in several `fields`";
                checker.fault(at.id, fault, hint.to_owned());
            }
            None
        }
    }
}

fn fields_of(checker: Checker<'_>, fields: &At<Texts>) -> Option<Vec<Vec<String>>> {
    let named = fields.each();
    if named.is_empty() {
        let hint = "write the fields that together are an id, such as [source, id]".to_owned();
        checker.fault(fields.id, "`fields` is empty", hint);
        return None;
    }
    let paths: Vec<_> = named.into_iter().map(|(id, text)| path(checker, id, text)).collect();
    paths.into_iter().collect()
}

/// The field that holds the list of events; an empty path for the body itself.
fn each(checker: Checker<'_>, at: Option<&At<EachShape>>) -> Read<Vec<String>> {
    let Some(at) = at else { return Some(None) };
    let field = checker.need(at.id?, "field", at.value.field.clone())?;
    if field.value == "." {
        return Some(Some(Vec::new()));
    }
    path(checker, field.id, &field.value).map(Some)
}

/// The names in a path of nested fields.
fn path(checker: Checker<'_>, id: Option<Id>, text: &str) -> Option<Vec<String>> {
    let names: Vec<String> = text.split('.').map(str::to_owned).collect();
    if names.iter().any(String::is_empty) {
        let hint = "write names with dots between them, such as event.type".to_owned();
        checker.fault(id, "this is not a field of the body", hint);
        return None;
    }
    Some(names)
}
