//! Amazon SNS over HTTPS. A message names the address of the certificate of the key that signed it. The
//! gateway accepts only messages of configured topics, and only certificates from SNS in the topic's AWS
//! region.
//!
//! The signature covers certain fields and not the bytes of the body. `MessageAttributes` are not signed.
//! Raw message delivery is not signed at all, so it is refused.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::authenticate::hmac::Encoding;
use crate::authenticate::keys::{Scheme, sign, verify_published};
use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::{GitFacts, Secret, Value};
use crate::providers::described::MOST_PARTS;
use crate::providers::saas::aws_contents::{Content, contents, git_facts, is_test};
use crate::providers::saas::sns_message::{
    LONGEST_TOLERANCE, Message, NOTIFICATION, OF_NOTIFICATION, SUBSCRIPTION, UNSUBSCRIPTION,
    body_of, check_time, host, signed_text, text,
};
use crate::providers::{
    About, DecodeFault, Decoded, Group, Handshake, Identity, KeyForm, KeyPlace, Meaning, Options,
    Outgoing, Proven, Provider, Published, SecretUse, SignFault, Signed, Verification, Wanted,
    decode, s3, samples,
};

const SAMPLE: &str = include_str!("../samples/aws-sns.json");
/// The kind of a notification of which the content is not known.
const PLAIN_KIND: &str = "notification";

/// Amazon SNS.
pub(in crate::providers) struct AwsSns;

impl Provider for AwsSns {
    fn name(&self) -> &'static str {
        "aws-sns"
    }

    fn title(&self) -> &'static str {
        "Amazon SNS"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes(&self) -> &'static [&'static str] {
        &["topics", "tolerance", "proxy", "ca_file"]
    }

    fn lacks(&self, options: &Options) -> Vec<String> {
        if options.topics.is_empty() {
            return vec![
                "provider `aws-sns` needs `topics`, the ARNs of the topics that it may be subscribed to".to_owned(),
            ];
        }
        let strange = options.topics.iter().filter(|topic| host(topic).is_none());
        let mut faults: Vec<String> = strange
            .map(|topic| format!("`topics` has {topic:?}, which is not the ARN of a topic"))
            .collect();
        if options.tolerance.is_some_and(|tolerance| tolerance > LONGEST_TOLERANCE) {
            faults.push(
                "`tolerance` is more than 6 days; an older message could be one that was accepted before"
                    .to_owned(),
            );
        }
        faults
    }

    fn secret_use(&self, _options: &Options) -> SecretUse {
        SecretUse::None
    }

    fn wanted(&self, request: &Unverified<'_>, options: &Options) -> Option<Wanted> {
        let body = body_of(request.body).ok()?;
        let message = Message::read(&body, options).ok()?;
        let place = KeyPlace {
            url: message.certificate.into(),
            form: KeyForm::Certificate,
            chosen_by_request: true,
            ca_file: options.ca_file.clone(),
            proxy: options.proxy.as_deref().map(Into::into),
        };
        Some(Wanted { place, key: None })
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let body = body_of(request.body)?;
        let message = Message::read(&body, verification.options)?;
        let keys = verification.keys_of(message.certificate)?;
        let signed = signed_text(&body, message.fields)?;
        let proof = verify_published(
            keys,
            message.scheme,
            signed.as_bytes(),
            &message.signature,
            verification.now,
        )?;
        check_time(&body, verification.options, verification.now)?;
        Ok(proof)
    }

    /// None. The type is read from the body, since the header that names it is not signed.
    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        Vec::new()
    }

    /// Where `Message` holds JSON, the parsed value is added as `message`, with the keys of S3's records decoded.
    fn decode(&self, _headers: &HeaderMap, body: &Bytes) -> Result<Decoded, DecodeFault> {
        let body = decode::json(body)?;
        let message = body.get("Message").and_then(Value::as_str).unwrap_or_default();
        let parsed = match Value::parse_json(message.as_bytes()) {
            Ok(parsed @ (Value::Map(_) | Value::List(_))) => s3::with_decoded_keys(parsed),
            _ => Value::Null,
        };
        let fields = body.entries().map(|(name, value)| (name, value.clone()));
        Ok(Value::map(fields.chain([("message", parsed)]).collect()).into())
    }

    fn meaning(
        &self,
        _headers: &HeaderMap,
        body: &Value,
        _options: &Options,
    ) -> Result<Meaning, DecodeFault> {
        let name = text(body, "Type").unwrap_or_default();
        let (kind, handshake) = match name {
            SUBSCRIPTION => {
                let url = text(body, "SubscribeURL").unwrap_or_default().to_owned();
                ("subscription_confirmation", Some(Handshake::Visit(url)))
            }
            UNSUBSCRIPTION => ("unsubscribe_confirmation", Some(Handshake::Acknowledge)),
            _ if body.get("message").is_some_and(is_test) => {
                (PLAIN_KIND, Some(Handshake::Acknowledge))
            }
            _ => (PLAIN_KIND, None),
        };
        Ok(Meaning { kind: kind.into(), name: Some(name.into()), action: None, handshake })
    }

    /// A notification of which the content is known is of the content's kind; it may tell of several things. The
    /// name of each is that of a plain notification, so that a route that asks for notifications gets them all.
    fn meanings(
        &self,
        headers: &HeaderMap,
        body: &Value,
        options: &Options,
    ) -> Result<Vec<Meaning>, DecodeFault> {
        let plain = self.meaning(headers, body, options)?;
        let is_notification = &*plain.kind == PLAIN_KIND && plain.handshake.is_none();
        let message = body.get("message").filter(|_| is_notification);
        let known = message.map(contents).unwrap_or_default();
        if known.len() > MOST_PARTS {
            return Err(DecodeFault::TooMany { most: MOST_PARTS });
        }
        if known.is_empty() {
            return Ok(vec![plain]);
        }
        let meaning = |content: Content| Meaning {
            kind: content.kind,
            name: Some(PLAIN_KIND.into()),
            action: content.action,
            handshake: None,
        };
        Ok(known.into_iter().map(meaning).collect())
    }

    fn tells_git(&self, _options: &Options) -> bool {
        true
    }

    /// Those of an event of EventBridge that came through a topic.
    fn git_facts(&self, _meaning: &Meaning, body: &Value) -> Vec<GitFacts> {
        body.get("message").and_then(git_facts).into_iter().collect()
    }

    /// A later try may be signed with a newer key.
    fn changing(&self) -> &'static [&'static str] {
        &["Signature", "SigningCertURL", "UnsubscribeURL"]
    }

    /// The message's id. It is signed, and stays the same each time SNS sends the message.
    fn identity(&self, request: &Verified<'_>, body: &Value, _options: &Options) -> Identity {
        match text(body, "MessageId") {
            Some(id) => Identity::of_sender(id),
            None => Identity::of_bytes(&[request.body()]),
        }
    }

    /// The given body becomes the message of a notification.
    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let topic = options.topics.first().ok_or(SignFault::Misconfigured("`topics`"))?;
        let certificate = sample_certificate(topic).ok_or(SignFault::Misconfigured("`topics`"))?;
        let fields = vec![
            ("Type", Cow::from(NOTIFICATION)),
            ("MessageId", id.into()),
            ("TopicArn", topic.into()),
            ("Message", String::from_utf8_lossy(outgoing.body)),
            ("Timestamp", now.to_string().into()),
            ("SignatureVersion", "2".into()),
            ("SigningCertURL", certificate.into()),
        ];
        let values = |fields: &[(&'static str, Cow<'_, str>)]| {
            Value::map(fields.iter().map(|(name, text)| (*name, Value::text(&**text))).collect())
        };
        let fault = || SignFault::Secret("is not the private key of Amazon SNS".to_owned());
        let signed = signed_text(&values(&fields), OF_NOTIFICATION).map_err(|_| fault())?;
        let signature = sign(Scheme::RsaSha256, secret, signed.as_bytes()).ok_or_else(fault)?;
        let signature = ("Signature", Encoding::Base64.encode(&signature).into());
        let mut body = String::new();
        // Writing to a string cannot fail.
        let _ = values(&[fields, vec![signature]].concat()).write_json(&mut body);
        let kind = HeaderName::from_static("x-amz-sns-message-type");
        let plain = HeaderValue::from_static("text/plain; charset=UTF-8");
        Ok(Signed {
            body: Some(body.into_bytes()),
            ..vec![
                (http::header::CONTENT_TYPE, plain),
                (kind, HeaderValue::from_static(NOTIFICATION)),
            ]
            .into()
        })
    }

    fn sample_secret(&self) -> Secret {
        samples::public_key()
    }

    fn sample_signer(&self) -> Secret {
        samples::private_key()
    }

    fn sample_published(&self, options: &Options) -> Option<Published> {
        samples::published(&sample_certificate(options.topics.first()?)?)
    }

    fn sample(&self, _kind: &str) -> Option<&'static str> {
        Some(SAMPLE)
    }

    fn sample_kind(&self) -> &'static str {
        "notification"
    }
}

/// The address at which the certificate of a sample message would be.
fn sample_certificate(topic: &str) -> Option<String> {
    Some(format!("https://{}/SimpleNotificationService-sample.pem", host(topic)?))
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the SNS console open the topic, choose Create subscription, protocol HTTPS, and enter the source's address. Leave raw message delivery off: raw messages are not signed.",
        "Set the topic's attribute `SignatureVersion` to 2, so that messages are signed with SHA-256. Version 1 (SHA-1) is accepted too.",
        "The gateway confirms the subscription by itself, once the topic is listed under `topics`. It must be able to reach sns.REGION.amazonaws.com; set `proxy` where a forward proxy is needed.",
    ],
    source: "provider: aws-sns\ntopics: [\"arn:aws:sns:eu-west-1:123456789012:datasets\"]",
    carries: "The kind is what the message tells of: `Records[].eventName` of S3 (`ObjectCreated:Put`, …), each record an \
event of its own, `body.message.Records[event.part]`; `detail-type` of EventBridge; `AlarmName` of CloudWatch, with the new \
state as the action. Any other message is a `notification`; `event: notification` takes all of them. The keys of S3's objects \
are decoded in `body.message` (`s3.object.key`; where it was sent as another text, that is `s3.object.key_as_sent`). The \
message with which S3 tries a topic out (`s3:TestEvent`) starts nothing. The delivery's id is the body's `MessageId`, which retries share. Signed are `Message`, `MessageId`, `Subject`, `Timestamp`, `TopicArn` and `Type`; `MessageAttributes` are not. A `Message` that is JSON is also there parsed, as `body.message`. SNS sends a message again for an hour at most; one whose `Timestamp` is more than 2 hours old is refused, or older than `tolerance` where the source sets it.",
    yields: "Git facts of events of EventBridge, as [`aws-eventbridge`](#aws-eventbridge) tells them.",
    proven: Proven::Literal,
    sources: &[
        "https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
        "https://github.com/aws/aws-js-sns-message-validator",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind, action and whether it is a handshake, of each thing that a notification with this message tells of.
    fn told(message: &str) -> (Value, Vec<(String, Option<String>, bool)>) {
        let text = serde_json::json!({ "Type": "Notification", "Message": message }).to_string();
        let decoded = AwsSns.decode(&HeaderMap::new(), &Bytes::from(text)).expect("JSON").body;
        let meanings = AwsSns.meanings(&HeaderMap::new(), &decoded, &Options::default());
        let meanings = meanings.expect("kinds").into_iter().map(|meaning| {
            let action = meaning.action.map(|action| action.to_string());
            (meaning.kind.to_string(), action, meaning.handshake.is_some())
        });
        (decoded, meanings.collect())
    }

    #[test]
    fn each_record_of_a_bucket_is_an_event_of_its_own_kind_with_its_key_decoded() {
        let (body, told) = told(
            r#"{"Records": [
                {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "train%2Fa+1.csv"}}},
                {"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": "old.csv"}}}]}"#,
        );
        let kinds: Vec<_> = told.iter().map(|(kind, _, greets)| (&**kind, *greets)).collect();
        assert_eq!(kinds, [("ObjectCreated:Put", false), ("ObjectRemoved:Delete", false)]);
        let records = body.at(&["message", "Records"]).and_then(Value::as_list).expect("a list");
        let key = records[0].at(&["s3", "object", "key"]).and_then(Value::as_str);
        assert_eq!(key, Some("train/a 1.csv"));
    }

    #[test]
    fn the_test_of_a_bucket_is_a_handshake() {
        let test = r#"{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}"#;
        assert_eq!(told(test).1, [("notification".to_owned(), None, true)]);
    }

    #[test]
    fn events_and_alarms_are_known_and_other_messages_are_notifications() {
        let alarm = r#"{"AlarmName": "drift", "NewStateValue": "ALARM"}"#;
        assert_eq!(told(alarm).1, [("drift".to_owned(), Some("ALARM".to_owned()), false)]);
        let event = r#"{"detail-type": "Object Created", "detail": {}}"#;
        assert_eq!(told(event).1, [("Object Created".to_owned(), None, false)]);
        for message in ["hello", "7", "{}", "[]", r#"{"Records": {}}"#] {
            assert_eq!(told(message).1, [("notification".to_owned(), None, false)], "{message}");
        }
    }

    #[test]
    fn a_message_that_is_json_is_there_parsed_beside_its_text() {
        let decoded =
            AwsSns.decode(&HeaderMap::new(), &Bytes::from_static(br#"{"Message": "{\"a\": 1}"}"#));
        let body = decoded.expect("JSON").body;
        assert_eq!(body.at(&["message", "a"]).and_then(Value::as_i64), Some(1));
        assert_eq!(text(&body, "Message"), Some(r#"{"a": 1}"#));
        let decoded =
            AwsSns.decode(&HeaderMap::new(), &Bytes::from_static(br#"{"Message": "hello"}"#));
        assert!(decoded.expect("JSON").body.get("message").is_some_and(Value::is_null));
    }
}
