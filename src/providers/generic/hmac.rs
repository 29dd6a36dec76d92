//! Any sender that signs with an HMAC in a header. Every detail of the signature is configured.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::hmac::{Algorithm, Encoding, Scheme};
use crate::authenticate::timestamp;
use crate::authenticate::{Proof, Refusal, Unverified, Verified, headers};
use crate::model::{Secret, Value};
use crate::providers::generic::configured;
use crate::providers::template::{Filling, Hole};
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, Meaning, Options, Outgoing, Place, Proven,
    Provider, SignFault, Signed, Template, Verification, decode, header,
};

const NO_HEADER: &str = "`header`, the name of the header that carries the signature";

/// A sender with a configured HMAC scheme.
pub(in crate::providers) struct Hmac;

impl Provider for Hmac {
    fn name(&self) -> &'static str {
        "hmac"
    }

    fn title(&self) -> &'static str {
        "Any sender with an HMAC signature"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        let template = template(options);
        let time = options.timestamp_header.as_ref().filter(|_| template.names(Hole::Timestamp));
        let id = id_header(options).filter(|_| template.names(Hole::Id));
        options.header.iter().chain(time).chain(id).cloned().collect()
    }

    fn takes(&self) -> &'static [&'static str] {
        &[
            "tolerance",
            "body",
            "header",
            "prefix",
            "prefix_optional",
            "separator",
            "algorithm",
            "encoding",
            "template",
            "timestamp_header",
            "timestamp_unit",
            "event",
            "action",
            "each",
            "delivery_id",
        ]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        let template = template(options);
        let signs_time = template.names(Hole::Timestamp);
        let has_time = options.timestamp_header.is_some();
        let has_id = id_header(options).is_some();
        let rules = [
            (
                options.header.is_none(),
                "provider `hmac` needs `header`, the name of the header that carries the signature",
            ),
            (
                signs_time && !has_time,
                "`template` names {timestamp}, so `timestamp_header` must say where it is",
            ),
            (
                has_time && !signs_time,
                "`timestamp_header` is of no use unless `template` names {timestamp}: anyone could change it",
            ),
            (
                !has_time && options.timestamp_unit.is_some(),
                "`timestamp_unit` is of no use without `timestamp_header`",
            ),
            (
                !has_time && options.tolerance.is_some(),
                "`tolerance` is of no use without `timestamp_header`",
            ),
            (
                template.names(Hole::Id) && !has_id,
                "`template` names {id}, so `delivery_id` must be a header",
            ),
            (
                options.prefix_optional && options.prefix.is_none(),
                "`prefix_optional` is of no use without `prefix`",
            ),
        ];
        rules.into_iter().filter(|(broken, _)| *broken).map(|(_, fault)| fault.to_owned()).collect()
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, options, now, .. } = *verification;
        configured::unambiguous(request.headers, options)?;
        let name = options.header.as_ref().ok_or(Refusal::Misconfigured(NO_HEADER))?;
        let value = headers::one(request.headers, name)?;
        let template = template(options);
        let time = signed_header(request.headers, &template, Hole::Timestamp, options)?;
        let id = signed_header(request.headers, &template, Hole::Id, options)?;
        let unit = options.timestamp_unit.unwrap_or(configured::DEFAULT_UNIT);
        if let Some(name) = &options.timestamp_header {
            timestamp::readable(name, time, unit).map_err(with_option)?;
        }
        let Unverified { method, path, body, .. } = *request;
        let signed = template.fill(&Filling { method, path, body, timestamp: time, id });
        let proof = scheme(options).verify(name, value, secrets, &signed)?;
        if let Some(name) = &options.timestamp_header {
            timestamp::check(name, time, unit, options.tolerance(), now).map_err(with_option)?;
        }
        Ok(proof)
    }

    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json_or_form(headers, body).map(Into::into)
    }

    fn decode_as(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        options: &Options,
    ) -> Result<Decoded, DecodeFault> {
        decode::in_form(headers, body, options.body).map(Into::into)
    }

    fn meaning(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        Ok(configured::meaning(headers, body, options))
    }

    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        configured::meanings(headers, body, options)
    }

    /// The configured id, else the digest of what was signed. The digest includes a signed timestamp,
    /// so two events with the same body are two deliveries.
    fn identity(&self, request: &Verified<'_>, body: &Value, options: &Options) -> Identity {
        configured::given_id(request.headers(), body, options).unwrap_or_else(|| {
            let template = template(options);
            let text = |hole| signed_header(request.headers(), &template, hole, options);
            let filling = Filling {
                method: request.method(),
                path: request.path(),
                body: request.body(),
                timestamp: text(Hole::Timestamp).unwrap_or_default(),
                id: text(Hole::Id).unwrap_or_default(),
            };
            Identity::of_bytes(&template.fill(&filling))
        })
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let name = options.header.as_ref().ok_or(SignFault::Misconfigured(NO_HEADER))?;
        let mut headers = configured::naming(outgoing, options, id)?;
        let time = configured::timestamp(options, now);
        if let Some(name) = &options.timestamp_header {
            headers.push(header(name, &time)?);
        }
        let Outgoing { method, path, body, .. } = *outgoing;
        let template = template(options);
        let signed = template.fill(&Filling { method, path, body, timestamp: &time, id });
        headers.push(header(name, scheme(options).sign(secret, &signed))?);
        Ok(headers.into())
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(configured::SAMPLE)
    }
}

fn template(options: &Options) -> Template {
    options.template.clone().unwrap_or_default()
}

fn scheme(options: &Options) -> Scheme<'_> {
    Scheme {
        algorithm: options.algorithm.unwrap_or(Algorithm::Sha256),
        encoding: options.encoding.unwrap_or(Encoding::Hex),
        prefix: options.prefix.as_deref().unwrap_or_default(),
        prefix_optional: options.prefix_optional,
        separator: options.separator,
    }
}

/// Adds the option that would help to the refusal of a time in the wrong unit.
fn with_option(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::MalformedTime { header, expected: timestamp::MILLISECONDS } => {
            let expected = "in seconds since 1970: it looks like milliseconds, which \
                            `timestamp_unit: milliseconds` takes";
            Refusal::MalformedTime { header, expected }
        }
        Refusal::MalformedTime { header, expected: timestamp::SECONDS } => {
            let expected = "in milliseconds since 1970: it looks like seconds, which \
                            `timestamp_unit: seconds` takes";
            Refusal::MalformedTime { header, expected }
        }
        other => other,
    }
}

fn id_header(options: &Options) -> Option<&HeaderName> {
    options.delivery_id.as_ref().and_then(Place::header)
}

/// The text for a placeholder that a header fills. Empty where the template does not contain it.
fn signed_header<'h>(
    headers: &'h HeaderMap,
    template: &Template,
    hole: Hole,
    options: &Options,
) -> Result<&'h str, Refusal> {
    let (name, lacking) = match hole {
        Hole::Timestamp => (options.timestamp_header.as_ref(), "`timestamp_header`"),
        _ => (id_header(options), "a header for `delivery_id`"),
    };
    match (template.names(hole), name) {
        (false, _) => Ok(""),
        (true, None) => Err(Refusal::Misconfigured(lacking)),
        (true, Some(name)) => headers::one(headers, name),
    }
}

static ABOUT: About = About {
    group: Group::Generic,
    setup: &[
        "Read in the sender's documentation which header carries the signature, which hash and which encoding it has, and what is signed.",
    ],
    source: "provider: hmac\nheader: X-Signature\nprefix: \"sha256=\"\nsecrets: [{ env: HMAC_SECRET }]",
    carries: "The kind is where `event` says, the delivery's id where `delivery_id` says; without that, the digest of what was signed stands for it. `template` says what is signed. With `each: { field: Records }` each element of that list is an event of its own, `body.Records[event.part]`, with kind and action from within it. `action` says where the word for what was done is.",
    yields: "",
    proven: Proven::Literal,
    sources: &["the vectors of the providers that sign so"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_options_lack_is_said() {
        let options = Options {
            template: Some(Template::parse("{id}.{timestamp}.{body}").expect("good")),
            ..Options::default()
        };
        let faults = Hmac.check_options(&options);
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn an_unsigned_timestamp_is_a_fault() {
        let options = Options {
            header: Some(HeaderName::from_static("x-signature")),
            timestamp_header: Some(HeaderName::from_static("x-time")),
            ..Options::default()
        };
        let faults = Hmac.check_options(&options);
        assert!(faults.iter().any(|fault| fault.contains("anyone could change it")), "{faults:?}");
    }
}
