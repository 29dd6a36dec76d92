//! Prometheus Alertmanager. It signs nothing. The secret is a bearer token, or the password of HTTP basic
//! authentication where the source has a `user`.

use http::HeaderMap;

use crate::model::Value;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{BasicOr, Token};

static BEARER: Token = Token { header: "authorization", prefix: "Bearer " };
static PROOF: BasicOr = BasicOr(&BEARER);

/// Prometheus Alertmanager.
pub(in crate::providers) static ALERTMANAGER: Sender = Sender {
    action: &[At::Field(&["status"])],
    takes: &["user", "header", "prefix"],
    kind: Some(kind),
    samples: &[("alert", include_str!("../samples/alertmanager.json"))],
    ..Sender::new("alertmanager", "Prometheus Alertmanager", &ABOUT, &PROOF)
};

fn kind(_headers: &HeaderMap, body: &Value) -> Option<&'static str> {
    body.get("alerts").map(|_| "alert")
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &["In `alertmanager.yml`, under the receiver: `webhook_configs: [{ url: \
         https://HOST/hooks/alertmanager, http_config: { authorization: { credentials: SECRET } \
         } }]`. For a header of your own (`http_config: { http_headers: … }`), write its name as \
         `header` of the source."],
    source: "provider: alertmanager\nrepeats: { window: 7d }\nsecrets: [{ env: ALERTMANAGER_TOKEN }]",
    carries: "The kind is `alert`, the action the body's `status` (`firing`, `resolved`). A \
              group's key stays the same for ever, so it is no delivery's id; the digest of the \
              body, in which every alert has its beginning, stands for it, and a reminder that \
              says nothing new is a repeat for as long as `repeats` says. Nothing is signed.",
    yields: "",
    proven: Proven::Assembled,
    sources: &["https://prometheus.io/docs/alerting/latest/configuration/"],
};
