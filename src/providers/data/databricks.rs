//! Databricks: webhooks of the workspace model registry, which are signed, and notifications of jobs, which
//! come with user name and password. The source's `user` says which of the two it takes.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{BasicOr, Mac};

static SIGNATURE: Mac = Mac::sha256("x-databricks-signature");

static PROOF: BasicOr = BasicOr(&SIGNATURE);

/// Databricks.
pub(in crate::providers) static DATABRICKS: Sender = Sender {
    event: &[At::Field(&["event"]), At::Field(&["event_type"])],
    samples: &[
        ("MODEL_VERSION_TRANSITIONED_STAGE", include_str!("../samples/databricks.json")),
        ("jobs.on_success", include_str!("../samples/databricks-job.json")),
    ],
    ..Sender::new("databricks", "Databricks", &ABOUT, &PROOF)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "Model registry: create a webhook with the API, `POST /api/2.0/mlflow/registry-webhooks/create`, with \
         `http_url_spec: {\"url\": \"https://HOST/hooks/databricks\", \"secret\": …}` and the \
         events.",
        "Jobs: in Settings > Notifications > Notification destinations add one of type Webhook, with \
         `https://HOST/hooks/databricks-jobs`, a user name and a password. Choose it under the job's \
         notifications. Such a source has `user:` and the password under `secrets`, and is another one than \
         that of the registry.",
    ],
    source: "provider: databricks\nsecrets: [{ env: DATABRICKS_WEBHOOK_SECRET }]",
    carries: "Of the registry: the kind is the body's `event` (`MODEL_VERSION_TRANSITIONED_STAGE`, …). \
              Deliveries have no id (`webhook_id` names the hook); the digest of the body, \
              which has a time, stands for it. The body is signed. Of a job: the kind is its `event_type` \
              (`jobs.on_start`, `jobs.on_success`, `jobs.on_failure`, …), `body.job.name` and \
              `body.run.run_id` say which. The digest of the body, which names the run, stands for the \
              delivery's id: a run that is repaired within ten minutes tells nothing new. Nothing is signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &[
        "https://docs.databricks.com/en/mlflow/model-registry-webhooks.html",
        "https://docs.databricks.com/en/jobs/notifications.html",
    ],
};
