//! MLflow's model registry. Its scheme is that of Standard Webhooks, but with header names of its own and
//! the secret's text as the key. It retries a request with the same id, time and signature.

use std::sync::Arc;

use http::HeaderMap;

use crate::authenticate::hmac::Algorithm;
use crate::authenticate::timestamp::{DEFAULT_TOLERANCE, Unit};
use crate::model::Value;
use crate::providers::Handshake;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{Mac, Part, Time, Writing};

const ID: &str = "x-mlflow-delivery-id";
const TIMESTAMP: &str = "x-mlflow-timestamp";

static SIGNATURE: Mac = Mac {
    algorithm: Algorithm::Sha256,
    writing: Writing::Base64,
    prefix: "v1,",
    signs: &[
        Part::Header(ID),
        Part::Text("."),
        Part::Header(TIMESTAMP),
        Part::Text("."),
        Part::Body,
    ],
    time: Some(Time { header: TIMESTAMP, unit: Unit::Seconds, tolerance: DEFAULT_TOLERANCE }),
    ..Mac::sha256("x-mlflow-signature")
};

/// MLflow.
pub(in crate::providers) static MLFLOW: Sender = Sender {
    event: &[At::Field(&["entity"])],
    action: &[At::Field(&["action"])],
    id: &[At::Header(ID)],
    named: Some(whole_name),
    handshake: Some(example),
    samples: &[("model_version", include_str!("../samples/mlflow.json"))],
    ..Sender::new("mlflow", "MLflow model registry", &ABOUT, &SIGNATURE)
};

/// MLflow's own name of an event, which is what its webhooks are created for: `model_version.created`.
fn whole_name(_headers: &HeaderMap, body: &Value) -> Option<Arc<str>> {
    let (entity, action) = (body.get("entity")?.as_str()?, body.get("action")?.as_str()?);
    Some(format!("{entity}.{action}").into())
}

/// What `test_webhook` sends: example data, which the versions of MLflow have had in common so far.
fn example(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let data = body.get("data")?;
    let has = |field: &str, texts: &[&str]| {
        data.get(field).is_none_or(|value| value.as_str().is_some_and(|text| texts.contains(&text)))
    };
    let is_example = data.get("name")?.as_str()? == "example_model"
        && has("version", &["1"])
        && has("alias", &["example_alias"])
        && has("key", &["example_key"])
        && has("run_id", &["abcd1234abcd5678"])
        && has("description", &["An example registered model", "An example model version"]);
    is_example.then_some(Handshake::Acknowledge)
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "Create a webhook: `MlflowClient().create_webhook(name=…, url=\"https://HOST/hooks/mlflow\", \
         events=[\"model_version.created\"], secret=…)`.",
        "MLflow sends only to `https` addresses that resolve to public ones, unless its server is \
         started with `_MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS=true`.",
    ],
    source: "provider: mlflow\nsecrets: [{ env: MLFLOW_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `entity` (`model_version`, `model_version_alias`, \
              `registered_model`, …) and the action its `action` (`created`, `set`, …); what it is \
              about is under `data`. `event:` also takes MLflow's own name of both, \
              `model_version.created`. What `test_webhook` sends, a model of the name \
              `example_model`, starts nothing. The id, the time and the body are signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["mlflow 3.18.0, mlflow/webhooks", "https://mlflow.org/docs/latest/ml/webhooks"],
};
