//! Grafana's alerting. The names of its headers are settings in Grafana. Where Grafana is configured to
//! send a time, the signature covers it too.

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::authenticate::hmac::Scheme;
use crate::authenticate::timestamp::{self, Unit};
use crate::authenticate::{Proof, Refusal, Unverified, headers};
use crate::model::{Secret, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender, Unnamed};
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Handshake, Options, Outgoing, SignFault, Signed, Verification, header, json_content,
};

/// The default name of the header of the signature.
const SIGNATURE: HeaderName = HeaderName::from_static("x-grafana-alerting-signature");

/// Grafana.
pub(in crate::providers) static GRAFANA: Sender = Sender {
    action: &[At::Field(&["status"])],
    kind: Some(|_, body| body.get("alerts").map(|_| "alert")),
    unnamed: Unnamed::Body,
    handshake: Some(test),
    samples: &[("alert", include_str!("../samples/grafana.json"))],
    ..Sender::new("grafana", "Grafana alerting", &ABOUT, &Alerting)
};

/// What the button "Test" of a contact point sends.
fn test(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let alerts = body.get("alerts")?.as_list()?;
    let label = |alert: &Value, name: &str, value: &str| {
        alert.at(&["labels", name]).and_then(Value::as_str) == Some(value)
    };
    let is_test = |alert: &Value| {
        label(alert, "alertname", "TestAlert") && label(alert, "instance", "Grafana")
    };
    (!alerts.is_empty() && alerts.iter().all(is_test)).then_some(Handshake::Acknowledge)
}

/// HMAC-SHA-256 of the body, or of time and body with a colon between them.
struct Alerting;

impl Alerting {
    fn header(options: &Options) -> HeaderName {
        options.header.clone().unwrap_or(SIGNATURE)
    }

    fn signed<'a>(time: Option<&'a str>, body: &'a [u8]) -> Vec<&'a [u8]> {
        match time {
            Some(time) => vec![time.as_bytes(), b":", body],
            None => vec![body],
        }
    }
}

impl Mechanism for Alerting {
    fn takes(&self) -> &'static [&'static str] {
        &["header", "timestamp_header", "tolerance"]
    }

    fn lacks(&self, _provider: &str, options: &Options) -> Vec<String> {
        if options.tolerance.is_some() && options.timestamp_header.is_none() {
            return vec!["`tolerance` is of no use without `timestamp_header`".to_owned()];
        }
        Vec::new()
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, options, now, .. } = *verification;
        let name = Self::header(options);
        let value = headers::one(request.headers, &name)?;
        let time = options.timestamp_header.as_ref();
        let given = time.map(|name| headers::one(request.headers, name)).transpose()?;
        if let (Some(name), Some(given)) = (time, given) {
            timestamp::readable(name, given, Unit::Seconds)?;
        }
        let signed = Self::signed(given, request.body);
        let proof = Scheme::HEX_SHA256.verify(&name, value, secrets, &signed)?;
        if let (Some(name), Some(given)) = (time, given) {
            timestamp::check(name, given, Unit::Seconds, options.tolerance(), now)?;
        }
        Ok(proof)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        _id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let time = Unit::Seconds.write(now);
        let named = options.timestamp_header.as_ref();
        let signed = Self::signed(named.map(|_| &*time), outgoing.body);
        let signature = Scheme::HEX_SHA256.sign(secret, &signed);
        let mut headers = vec![json_content(), header(&Self::header(options), signature)?];
        if let Some(name) = named {
            headers.push(header(name, &time)?);
        }
        Ok(headers.into())
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        let time = options.timestamp_header.clone();
        std::iter::once(Self::header(options)).chain(time).collect()
    }
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In Alerting > Contact points > Add contact point, integration Webhook.",
        "URL `https://HOST/hooks/grafana`. Under HMAC signature: the secret, and the timestamp \
         header `X-Grafana-Alerting-Timestamp`, so that nobody can send a request again later.",
    ],
    source: "provider: grafana\ntimestamp_header: X-Grafana-Alerting-Timestamp\nsecrets: [{ env: GRAFANA_WEBHOOK_SECRET }]",
    carries: "The kind is `alert`, the action the body's `status` (`firing`, `resolved`). A group's \
              key stays the same for ever, so it is no delivery's id; the digest of the body, in \
              which every alert has its beginning, stands for it. The body is signed, and the time \
              where one is sent. The test of a contact point starts nothing.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["grafana/alerting, http/hmac.go"],
};
