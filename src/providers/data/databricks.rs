//! Webhooks of the Databricks workspace model registry.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac = Mac::sha256("x-databricks-signature");

/// Databricks model registry.
pub(in crate::providers) static DATABRICKS: Sender = Sender {
    event: &[At::Field(&["event"])],
    samples: &[("MODEL_VERSION_TRANSITIONED_STAGE", include_str!("../samples/databricks.json"))],
    ..Sender::new("databricks", "Databricks model registry", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &["Create it with the API: `POST /api/2.0/mlflow/registry-webhooks/create`, with \
         `http_url_spec: {\"url\": \"https://HOST/hooks/databricks\", \"secret\": …}` and the \
         events."],
    source: "provider: databricks\nsecrets: [{ env: DATABRICKS_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `event` (`MODEL_VERSION_TRANSITIONED_STAGE`, …). \
              Deliveries have no id (`webhook_id` names the hook); the digest of the body, \
              which has a time, stands for it. The body is signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://docs.databricks.com/en/mlflow/model-registry-webhooks.html"],
};
