//! Microsoft Graph's change notifications. Graph signs nothing that a subscriber without its own keys could
//! check. It sends the text that the subscription was made with, `clientState`, with each notification.
//!
//! The secret is in the body, so that it is taken out of it before anything sees the delivery.

use http::{HeaderName, Method};
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, token};
use crate::model::{Secret, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, MOST_PARTS, Sender};
use crate::providers::greetings::{in_query, sentence};
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Greeting, Options, Outgoing, Reply, SignFault, Signed, Verification, json_content,
};

const TOKEN: &str = "validationToken";
const LIST: &str = "value";
const SECRET: &str = "clientState";

/// Largest body that is read before it is known who sent it, in bytes. Graph batches some 100 notifications.
const LARGEST: usize = 4 << 20;

/// Microsoft Graph.
pub(in crate::providers) static MICROSOFT_GRAPH: Sender = Sender {
    parts: Some(&[LIST]),
    event: &[At::Part(&["changeType"]), At::Part(&["lifecycleEvent"])],
    secret_in_body: true,
    greet: Some(validation),
    samples: &[("updated", include_str!("../samples/microsoft-graph.json"))],
    ..Sender::new("microsoft-graph", "Microsoft Graph", &ABOUT, &ClientState)
};

/// The secret in each notification of the list. One without it, or with another text, spoils them all.
struct ClientState;

impl Mechanism for ClientState {
    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let expected = "a JSON object with a list `value` of notifications";
        let unfit = || Refusal::MalformedBody { expected };
        let body = (request.body.len() <= LARGEST).then(|| Value::parse_json(request.body).ok());
        let body = body.flatten().ok_or_else(unfit)?;
        let list = body.get(LIST).and_then(Value::as_list).ok_or_else(unfit)?;
        if list.len() > MOST_PARTS {
            return Err(unfit());
        }
        let prove = |notification: &Value| {
            let given = notification.get(SECRET).and_then(Value::as_str);
            let given = given.ok_or(Refusal::MissingField(SECRET.into()))?;
            token::verify_text(given, verification.secrets.iter().enumerate())
        };
        let mut proofs = list.iter().map(prove);
        let first = proofs.next().ok_or_else(unfit)?;
        proofs.try_fold(first?, |first, next| next.map(|_| first))
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        _id: &str,
        _now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let fault = || SignFault::Body("a JSON object with a list `value` of notifications");
        let text = str::from_utf8(secret.expose());
        let text = text.map_err(|_| SignFault::Secret("is not text".to_owned()))?;
        let mut body: serde_json::Value =
            serde_json::from_slice(outgoing.body).map_err(|_| fault())?;
        let list = body.get_mut(LIST).and_then(|list| list.as_array_mut()).ok_or_else(fault)?;
        for notification in list {
            let fields = notification.as_object_mut().ok_or_else(fault)?;
            fields.insert(SECRET.to_owned(), text.into());
        }
        let body = Some(body.to_string().into_bytes());
        Ok(Signed { body, ..vec![json_content()].into() })
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        Vec::new()
    }

    fn signs_body(&self, _options: &Options) -> bool {
        false
    }
}

/// When a subscription is made or renewed, Graph wants a text back that it sends in the address.
fn validation(
    _sender: &Sender,
    request: &Unverified<'_>,
    _verification: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    if *request.method != Method::POST || !request.body.is_empty() {
        return None;
    }
    in_query(request.query, TOKEN).map(|text| {
        let text = text?;
        Ok(Greeting::new("a validation", Reply::text(sentence(TOKEN, &text)?)))
    })
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "Create a subscription (`POST /v1.0/subscriptions`) with `notificationUrl` and \
         `lifecycleNotificationUrl` `https://HOST/hooks/microsoft-graph`, and a long random text as \
         `clientState` (255 characters at most): it is the secret. Graph asks at once whether the address is \
         meant; the gateway answers.",
        "Subscriptions expire; renew them with a tool of your own. The gateway never calls Graph.",
    ],
    source: "provider: microsoft-graph\nsecrets: [{ env: GRAPH_CLIENT_STATE }]",
    carries: "Each of `value` is an event of its own: `body.value[event.part]` is the one that a route looks \
              at. Its kind is its `changeType` (`created`, `updated`, `deleted`), or its `lifecycleEvent` \
              (`reauthorizationRequired`, `subscriptionRemoved`, `missed`); `resource` says of what. Each \
              must carry the secret. No delivery has an id; the digest of the body stands for it. Nothing is \
              signed. Encrypted contents (`includeResourceData`) are not decrypted.",
    yields: "",
    proven: Proven::Documented,
    sources: &[
        "https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
        "https://learn.microsoft.com/graph/api/resources/changenotification",
    ],
};

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    fn judge(body: &str) -> Result<Option<usize>, &'static str> {
        let (method, headers) = (&Method::POST, &HeaderMap::new());
        let body = Bytes::copy_from_slice(body.as_bytes());
        let request = Unverified { method, path: "/", rest: "", query: "", headers, body: &body };
        let secrets = [Secret::new("another"), Secret::new("a client state")];
        let options = Options::default();
        let verification = Verification::new(&secrets, &options, Timestamp::UNIX_EPOCH);
        let verdict = ClientState.authenticate(&request, &verification);
        verdict.map(|proof| proof.secret()).map_err(|refusal| refusal.reason())
    }

    #[test]
    fn each_notification_must_carry_the_secret() {
        let good = r#"{"clientState": "a client state"}"#;
        assert_eq!(judge(&format!(r#"{{"value": [{good}, {good}]}}"#)), Ok(Some(1)));
        for (other, reason) in [
            (r#"{"clientState": "a client statf"}"#, "wrong_credentials"),
            (r#"{"clientState": ""}"#, "wrong_credentials"),
            (r#"{"clientState": null}"#, "missing_field"),
            (r#"{"clientState": ["a client state"]}"#, "missing_field"),
            ("{}", "missing_field"),
            ("7", "missing_field"),
        ] {
            for list in [format!("{good}, {other}"), format!("{other}, {good}"), other.to_owned()] {
                assert_eq!(judge(&format!(r#"{{"value": [{list}]}}"#)), Err(reason), "{list}");
            }
        }
    }

    #[test]
    fn a_body_without_notifications_is_refused() {
        for body in ["", "{", "[]", "{}", r#"{"value": []}"#, r#"{"value": {}}"#] {
            assert_eq!(judge(body), Err("malformed_body"), "{body}");
        }
        let many = "{},".repeat(MOST_PARTS);
        assert_eq!(judge(&format!(r#"{{"value": [{many}{{}}]}}"#)), Err("malformed_body"));
    }
}
