//! MLflow's model registry. Its scheme is that of Standard Webhooks, but with header names of its own and
//! the secret's text as the key. It retries a request with the same id, time and signature.

use crate::authenticate::hmac::Algorithm;
use crate::authenticate::timestamp::{DEFAULT_TOLERANCE, Unit};
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
    samples: &[("model_version", include_str!("../samples/mlflow.json"))],
    ..Sender::new("mlflow", "MLflow model registry", &ABOUT, &SIGNATURE)
};

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
              about is under `data`. The id, the time and the body are signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["mlflow 3.18.0, mlflow/webhooks", "https://mlflow.org/docs/latest/ml/webhooks"],
};
