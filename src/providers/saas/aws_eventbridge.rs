//! Amazon EventBridge, which sends its events to an API destination. It signs nothing: the destination's
//! connection says how it proves itself.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::model::{GitFacts, Value};
use crate::providers::described::{At, Sender};
use crate::providers::generic::{ByScheme, Form, Scheme};
use crate::providers::mechanisms::{FieldToken, HeaderOrAddress, Token};
use crate::providers::saas::aws_contents::{contents, git_facts};
use crate::providers::{
    About, DecodeFault, Decoded, Group, Meaning, Outgoing, Proven, Provider, SignFault, UNNAMED,
    decode, json_content,
};

const SAMPLE: &str = include_str!("../samples/aws-eventbridge.json");
const SAMPLE_KIND: &str = "Object Created";

static BEARER_TOKEN: HeaderOrAddress = HeaderOrAddress {
    header: Token { header: "authorization", prefix: "Bearer " },
    address: FieldToken { query: "token" },
};
static BEARER: Sender = Sender::new("aws-eventbridge", "Amazon EventBridge", &ABOUT, &BEARER_TOKEN);

/// Amazon EventBridge.
pub(in crate::providers) static AWS_EVENTBRIDGE: ByScheme<EventBridge> = ByScheme(EventBridge);

/// The form of an event of EventBridge.
pub(in crate::providers) struct EventBridge;

impl Form for EventBridge {
    fn name(&self) -> &'static str {
        "aws-eventbridge"
    }

    fn title(&self) -> &'static str {
        "Amazon EventBridge"
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
        &[Scheme::Token, Scheme::Basic, Scheme::Jwt]
    }

    fn bearer(&self) -> &'static dyn Provider {
        &BEARER
    }

    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        decode::json(body).map(Into::into)
    }

    fn meanings(
        &self,
        _headers: &HeaderMap,
        body: &Value,
        _scheme: Scheme,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        // A rule may change what it sends, so that anything may come.
        let first = contents(body).into_iter().next();
        let kind = first.map_or_else(|| UNNAMED.into(), |content| content.kind);
        Ok(vec![Meaning { name: Some(kind.clone()), kind, action: None, handshake: None }])
    }

    fn id(&self, body: &Value) -> Option<String> {
        let id = At::Field(&["id"]).read(&HeaderMap::new(), body, body)?;
        Some(id.to_string())
    }

    fn git_facts(&self, body: &Value) -> Vec<GitFacts> {
        git_facts(body).into_iter().collect()
    }

    fn tells_git(&self) -> bool {
        true
    }

    fn headers(
        &self,
        _outgoing: &Outgoing<'_>,
        _id: &str,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SignFault> {
        Ok(vec![json_content()])
    }

    fn sample(&self, kind: &str) -> Option<&'static str> {
        (kind == SAMPLE_KIND).then_some(SAMPLE)
    }

    fn sample_of(&self, kind: &str, id: &str) -> Option<Vec<u8>> {
        At::Field(&["id"]).written(self.sample(kind)?, id)
    }

    fn sample_kind(&self) -> &'static str {
        SAMPLE_KIND
    }
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In EventBridge create a connection with authorization type API key, header `Authorization` and value \
         `Bearer SECRET`; for another header name it as the source's `header`. A connection with user name and \
         password needs `scheme: basic` and `user`, one with OAuth `scheme: jwt`.",
        "Create an API destination with that connection, endpoint `https://HOST/hooks/aws-eventbridge` and method \
         POST, and a rule that sends the events to it. Leave the target's input as it is: a route reads the whole \
         event.",
    ],
    source: "provider: aws-eventbridge\nsecrets: [{ env: EVENTBRIDGE_API_KEY }]",
    carries: "The kind is the event's `detail-type` (`Object Created`, `ECR Image Action`, …), the delivery's id its \
              `id`. What happened is in `body.detail`: of S3, `body.detail.bucket.name` and \
              `body.detail.object.key`, which is not encoded. Nothing is signed.",
    yields: "Git facts of an image in ECR (`repository`, `tag`, `deleted`) and of a change in CodeCommit \
             (`repository`, `branch` or `tag`, `sha`, `before`, `deleted`).",
    proven: Proven::Documented,
    sources: &[
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html",
        "https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html",
    ],
};
