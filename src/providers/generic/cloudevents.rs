//! CloudEvents over HTTP, by the binding of the specification, in all three content modes: structured, binary and
//! batch. Before it sends, a sender may ask for permission with an OPTIONS request.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::authenticate::{Refusal, Unverified};
use crate::model::Value;
use crate::providers::described::{MOST_PARTS, Sender};
use crate::providers::generic::by_scheme::{ByScheme, Form};
use crate::providers::generic::cloudevents_read::{self as read, Mode};
use crate::providers::generic::scheme::Scheme;
use crate::providers::greetings::permission;
use crate::providers::mechanisms::{FieldToken, HeaderOrAddress, Token};
use crate::providers::options::joined;
use crate::providers::{
    About, DecodeFault, Decoded, Greeting, Group, Handshake, Meaning, Outgoing, Proven, Provider,
    SignFault, header, json_content,
};

const SAMPLE: &str = include_str!("../samples/cloudevents.json");
const SAMPLE_KIND: &str = "com.example.dataset.published";
/// What `send` says is the source of an event whose body is not one itself.
const SAMPLE_SOURCE: &str = "/cdsw-gateway/send";

/// The two places that the specification names for a token (HTTP 1.1 Web Hooks, section 3).
static BEARER_TOKEN: HeaderOrAddress = HeaderOrAddress {
    header: Token { header: "authorization", prefix: "Bearer " },
    address: FieldToken { query: "access_token" },
};
static BEARER: Sender = Sender::new("cloudevents", "CloudEvents", &ABOUT, &BEARER_TOKEN);

/// Senders of CloudEvents.
pub(in crate::providers) static CLOUDEVENTS: ByScheme<CloudEvents> = ByScheme(CloudEvents);

/// The form of CloudEvents.
pub(in crate::providers) struct CloudEvents;

impl Form for CloudEvents {
    fn name(&self) -> &'static str {
        "cloudevents"
    }

    fn title(&self) -> &'static str {
        "CloudEvents"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes(&self) -> &'static [&'static str] {
        &[
            "scheme",
            "header",
            "prefix",
            "user",
            "tolerance",
            "prefix_optional",
            "separator",
            "algorithm",
            "encoding",
            "template",
            "timestamp_header",
            "timestamp_unit",
            "preset",
            "issuer",
            "audience",
            "algorithms",
            "jwks_url",
            "ca_file",
            "proxy",
            "required_claims",
            "payload_hash",
        ]
    }

    fn schemes(&self) -> &'static [Scheme] {
        &Scheme::ALL
    }

    fn bearer(&self) -> &'static dyn Provider {
        &BEARER
    }

    fn greet(&self, request: &Unverified<'_>) -> Option<Result<Greeting, Refusal>> {
        permission(request)
    }

    fn decode(&self, headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        read::events(headers, body).map(Into::into)
    }

    /// A signature covers the body and no attribute in a header. So where a signed body is an event itself, it is
    /// read as that alone: nobody who saw it can give it other attributes.
    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        scheme: Scheme,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        let is_binary = read::mode(headers)? == Mode::Binary;
        if scheme == Scheme::Hmac && is_binary && body.get("data").is_some_and(read::holds_events) {
            let fault = "its signed data is an event itself, which is not taken in binary mode";
            return Err(DecodeFault::NotCloudEvent(fault.to_owned()));
        }
        let events = events(body);
        if events.len() > MOST_PARTS {
            return Err(DecodeFault::TooMany { most: MOST_PARTS });
        }
        if events.is_empty() {
            let (kind, handshake) = ("empty_batch".into(), Some(Handshake::Acknowledge));
            return Ok(vec![Meaning { kind, name: None, action: None, handshake }]);
        }
        let meaning = |event: &Value| {
            let kind = event.get("type").and_then(Value::as_arc_str).cloned();
            let kind = kind.ok_or_else(|| DecodeFault::Missing("attribute `type`".to_owned()))?;
            Ok(Meaning { name: Some(kind.clone()), kind, action: None, handshake: None })
        };
        events.iter().map(meaning).collect()
    }

    /// Source and id together identify an event, and all events together a batch.
    fn id(&self, body: &Value) -> Option<String> {
        let events = events(body).iter();
        let parts = events.flat_map(|event| ["source", "id"].map(|name| event.get(name)));
        let texts: Option<Vec<_>> = parts.map(|value| value.and_then(Value::as_str)).collect();
        texts.filter(|texts| !texts.is_empty()).map(|texts| joined(&texts))
    }

    /// A body that is an event or a list of them goes in structured mode or as a batch, any other in binary mode.
    fn headers(
        &self,
        outgoing: &Outgoing<'_>,
        id: &str,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SignFault> {
        let content = |text| (CONTENT_TYPE, HeaderValue::from_static(text));
        match Value::parse_json(outgoing.body) {
            Ok(body @ Value::List(_)) if read::holds_events(&body) => {
                Ok(vec![content("application/cloudevents-batch+json")])
            }
            Ok(body) if read::holds_events(&body) => {
                Ok(vec![content("application/cloudevents+json; charset=utf-8")])
            }
            _ => {
                let attribute =
                    |name, text: &str| header(&HeaderName::from_static(name), read::encoded(text));
                Ok(vec![
                    json_content(),
                    attribute("ce-specversion", "1.0")?,
                    attribute("ce-id", id)?,
                    attribute("ce-source", SAMPLE_SOURCE)?,
                    attribute("ce-type", outgoing.event)?,
                ])
            }
        }
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        (kind == SAMPLE_KIND).then_some(SAMPLE)
    }

    fn sample_of(&self, kind: &str, id: &str) -> Option<Vec<u8>> {
        let mut event: serde_json::Value = serde_json::from_str(self.sample(kind)?).ok()?;
        event["id"] = id.into();
        serde_json::to_vec(&event).ok()
    }

    fn sample_kind(&self) -> &'static str {
        SAMPLE_KIND
    }
}

/// The events of a body: of a batch each of the list, else the body.
fn events(body: &Value) -> &[Value] {
    body.as_list().unwrap_or(std::slice::from_ref(body))
}

static ABOUT: About = About {
    group: Group::Generic,
    setup: &[
        "Give the sender `https://HOST/hooks/NAME`, and a token that it sends as `Authorization: Bearer TOKEN`, or \
         as `?access_token=TOKEN` in the address.",
        "With `scheme: basic`, `scheme: hmac` or `scheme: jwt` the source is proved as with the provider of that \
         name, and takes its options; `scheme: token` with `header` takes the token in another header.",
        "Azure Event Grid, Knative and others ask for permission first (OPTIONS with `WebHook-Request-Origin`): the \
         gateway allows it. An address in `WebHook-Request-Callback` is never called.",
    ],
    source: "provider: cloudevents\nsecrets: [{ env: CLOUDEVENTS_TOKEN }]",
    carries: "The kind is the event's `type`, the delivery's id its `source` and `id` together. Structured, binary \
              and batch mode look alike to a route: `body.source`, `body.subject`, extensions by their names, \
              and `body.data`, parsed where it is JSON. What came as `data_base64` is in `data` too where it is \
              text. In a batch each event is one of its own, `body[event.part]`; one that is there twice counts \
              once; the ids of all name the delivery. Only JSON is read (415 for other formats), and only \
              `specversion` 1.0; an event that the specification forbids is refused with 400. The token proves \
              nothing about the body; with `scheme: hmac` the body is signed, and in binary mode no attribute is.",
    yields: "With `scheme: jwt`, the token's claims, as for [`jwt`](#jwt).",
    proven: Proven::Documented,
    sources: &[
        "https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md",
        "https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md",
        "https://github.com/cloudevents/conformance",
    ],
};
