//! Google Pub/Sub push. Google signs a token for the service account that the subscription names. It proves
//! who sent the message, and nothing about the message.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::hmac::base64;
use crate::authenticate::jwt::{self, Algorithm};
use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::{Secret, Value};
use crate::providers::forges::facts::{first_text, text};
use crate::providers::generic::Preset;
use crate::providers::generic::jwt::Jwt;
use crate::providers::{
    About, DecodeFault, Decoded, Group, Identity, KeyPlace, Meaning, Options, Outgoing, Proven,
    Provider, Published, SecretUse, SignFault, Signed, Verification, Wanted, decode, header,
    json_content, samples,
};

const SAMPLE: &str = include_str!("../samples/pubsub.json");
/// The claim that names the service account.
const ACCOUNT: &str = "email";

/// Google Pub/Sub push subscriptions.
pub(in crate::providers) struct PubSub;

/// The options for tokens of Google, which is the issuer unless the source names another.
fn of_google(options: &Options) -> Options {
    Options { preset: Some(Preset::Google), ..options.clone() }
}

impl Provider for PubSub {
    fn name(&self) -> &'static str {
        "pubsub"
    }

    fn title(&self) -> &'static str {
        "Google Pub/Sub"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes(&self) -> &'static [&'static str] {
        &["audience", "required_claims", "issuer", "jwks_url", "tolerance", "proxy", "ca_file"]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        if options.audience.is_empty() {
            return vec![
                "provider `pubsub` needs `audience`, as the subscription says it: the endpoint's address unless \
                 another is set there"
                    .to_owned(),
            ];
        }
        if !options.required_claims.names().any(|name| name == ACCOUNT) {
            return vec![
                "provider `pubsub` needs `required_claims: { email: … }`, the subscription's service account; \
                 Google signs tokens for everyone in the world"
                    .to_owned(),
            ];
        }
        Jwt.lacks(&of_google(options))
    }

    fn secret_use(&self, _options: &Options) -> SecretUse {
        SecretUse::None
    }

    fn publishes(&self, options: &Options) -> Option<KeyPlace> {
        Jwt.publishes(&of_google(options))
    }

    fn wanted(&self, request: &Unverified<'_>, options: &Options) -> Option<Wanted> {
        Jwt.wanted(request, &of_google(options))
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let options = of_google(verification.options);
        let proof =
            Jwt.authenticate(request, &Verification { options: &options, ..*verification })?;
        // Google says so of every service account. An address that is not verified is anybody's.
        let verified = proof.claims().get("email_verified").and_then(Value::as_bool);
        if verified == Some(true) { Ok(proof) } else { Err(Refusal::unfit_claim("email_verified")) }
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        Jwt.signed_headers(options)
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }

    fn tells_claims(&self) -> bool {
        true
    }

    /// `data` is what was published, decoded: JSON where it is JSON, else its text; null where it is neither, or
    /// where there is none.
    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        let body = decode::json(body)?;
        if !matches!(body, Value::Map(_)) {
            return Err(DecodeFault::Missing("field `message`".to_owned()));
        }
        let data = body.at(&["message", "data"]).and_then(Value::as_str).map(published);
        let others = body.entries().filter(|(name, _)| *name != "data");
        let others = others.map(|(name, value)| (name, value.clone()));
        let data = ("data", data.unwrap_or_default());
        Ok(Value::map(others.chain([data]).collect()).into())
    }

    fn meaning(
        &self,
        _headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let named: [&[&str]; 2] =
            [&["message", "attributes", "eventType"], &["message", "attributes", "ce-type"]];
        let name = first_text(body, &named);
        let kind = name.clone().unwrap_or_else(|| "message".into());
        Ok(Meaning { kind, name, action: None, handshake: None })
    }

    fn identity(&self, request: &Verified<'_>, body: &Value, _options: &Options) -> Identity {
        let id = text(body, &["message", "messageId"]);
        let id = id.or_else(|| text(body, &["message", "message_id"]));
        match id {
            Some(id) => Identity::of_sender(&id),
            None => Identity::of_bytes(&[request.body()]),
        }
    }

    /// Says how often it was tried.
    fn changing(&self) -> &'static [&'static str] {
        &["deliveryAttempt"]
    }

    /// The given body is published, unless it is a message already.
    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let token = jwt::sign(Algorithm::Rs256, &sample_claims(options, now), secret);
        let token =
            token.map_err(|_| SignFault::Secret("is not the private key of Google".to_owned()))?;
        let bearer = header(&AUTHORIZATION, format!("Bearer {token}"))?;
        let mut signed = Signed::from(vec![json_content(), bearer]);
        let given: Option<serde_json::Value> = serde_json::from_slice(outgoing.body).ok();
        if given.is_none_or(|body| body.get("message").is_none()) {
            let message = serde_json::json!({
                "message": {
                    "attributes": { "eventType": outgoing.event },
                    "data": BASE64_STANDARD.encode(outgoing.body),
                    "messageId": id,
                    "publishTime": now.to_string(),
                },
                "subscription": "projects/sample/subscriptions/sample",
            });
            signed.body = Some(message.to_string().into_bytes());
        }
        Ok(signed)
    }

    fn sample_secret(&self) -> Secret {
        samples::public_key()
    }

    fn sample_signer(&self) -> Secret {
        samples::private_key()
    }

    fn sample_published(&self, options: &Options) -> Option<Published> {
        Jwt.sample_published(&of_google(options))
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(SAMPLE)
    }

    fn sample_kind(&self) -> &'static str {
        "OBJECT_FINALIZE"
    }
}

/// The claims of a token that Google would sign for the source's service account.
fn sample_claims(options: &Options, now: Timestamp) -> Value {
    const LIFE: i64 = 300;
    let examples = options.required_claims.examples();
    let required = examples.map(|(name, text)| (name, Value::text(text.unwrap_or_default())));
    let seconds = now.as_second();
    let issuer = options.issuer.as_deref().or(Preset::Google.issuer());
    let usual = [
        ("iss", issuer.map(Value::text).unwrap_or_default()),
        ("aud", options.audience.first().map(|text| Value::text(&**text)).unwrap_or_default()),
        ("iat", Value::Int(seconds)),
        ("exp", Value::Int(seconds + LIFE)),
        ("email_verified", true.into()),
    ];
    Value::map(required.chain(usual).collect())
}

/// What was published, from its text in base64.
fn published(text: &str) -> Value {
    let Some(bytes) = base64(text) else {
        return Value::Null;
    };
    let bytes = Bytes::from(bytes);
    match Value::read_json(&bytes) {
        Ok(value) => value,
        Err(_) => match String::from_utf8_lossy(&bytes) {
            Cow::Borrowed(text) => Value::text(text),
            Cow::Owned(_) => Value::Null,
        },
    }
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "Create a subscription of type push with endpoint `https://HOST/hooks/pubsub`, with authentication by a \
         service account of your own; leave payload unwrapping off. The audience is the endpoint's address unless \
         you set another.",
        "Cloud Storage tells of new objects through a topic: `gcloud storage buckets notifications create gs://BUCKET \
         --topic=TOPIC --event-types=OBJECT_FINALIZE`.",
        "The gateway fetches Google's keys; set `proxy` where a forward proxy is needed.",
    ],
    source: "provider: pubsub\naudience: https://HOST/hooks/pubsub\nrequired_claims: { email: push@acme.iam.gserviceaccount.com }",
    carries: "The kind is the attribute `eventType` (Cloud Storage: `OBJECT_FINALIZE`, …) or `ce-type`, else `message`. \
              The delivery's id is `message.messageId`, which retries share. `body.data` is what was published, \
              decoded: JSON where it is JSON, else text, else null; `body.message.data` is its base64 as it was sent, \
              `body.message.attributes` the attributes. Any 2xx acknowledges the message; it is sent again until \
              then. The token is signed, the message is not.",
    yields: "The token's claims, as `claims`.",
    proven: Proven::Documented,
    sources: &[
        "https://cloud.google.com/pubsub/docs/push",
        "https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions",
        "https://cloud.google.com/storage/docs/pubsub-notifications",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> Value {
        let body = format!(r#"{{"message": {{"data": "{text}"}}, "data": "forged"}}"#);
        let decoded = PubSub.decode(&HeaderMap::new(), &Bytes::from(body)).expect("JSON");
        assert_eq!(decoded.body.at(&["message", "data"]).and_then(Value::as_str), Some(text));
        decoded.body.get("data").expect("a field").clone()
    }

    #[test]
    fn what_was_published_is_decoded_beside_its_text() {
        let json = data("eyJuYW1lIjogInRyYWluL2EuY3N2In0=");
        assert_eq!(json.get("name").and_then(Value::as_str), Some("train/a.csv"));
        assert_eq!(data("aGVsbG8="), Value::text("hello"));
        assert_eq!(data("/////w=="), Value::Null);
        assert_eq!(data("not base64!"), Value::Null);
        assert_eq!(data(""), Value::text(""));
    }

    #[test]
    fn a_body_that_is_no_message_is_read_or_refused_and_never_a_fault_of_the_program() {
        for (body, is_read) in
            [("{}", true), (r#"{"message": 7}"#, true), ("[]", false), ("7", false)]
        {
            let decoded = PubSub.decode(&HeaderMap::new(), &Bytes::from_static(body.as_bytes()));
            assert_eq!(decoded.is_ok(), is_read, "{body}");
        }
    }
}
