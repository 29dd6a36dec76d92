//! dbt Cloud. The signature is in the header `Authorization`, without a scheme before it. A proxy that
//! interprets or rewrites that header breaks it.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac = Mac::sha256("authorization");

/// dbt Cloud.
pub(in crate::providers) static DBT_CLOUD: Sender = Sender {
    event: &[At::Field(&["eventType"])],
    action: &[At::Field(&["data", "runStatus"])],
    id: &[At::Field(&["eventId"])],
    samples: &[("job.run.completed", include_str!("../samples/dbt-cloud.json"))],
    ..Sender::new("dbt-cloud", "dbt Cloud", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In Account settings > Webhooks > Create webhook.",
        "Endpoint `https://HOST/hooks/dbt-cloud`, the events and jobs. Copy the secret token, \
         which is shown once.",
    ],
    source: "provider: dbt-cloud\nsecrets: [{ env: DBT_CLOUD_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `eventType` (`job.run.started`, `job.run.completed`, \
              `job.run.errored`), the action `data.runStatus`, the delivery's id `eventId`. The \
              body is signed. dbt tries five times.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://docs.getdbt.com/docs/deploy/webhooks"],
};
