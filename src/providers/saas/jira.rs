//! Jira Cloud: webhooks that an administrator registers with a secret.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac = Mac { prefix: "sha256=", ..Mac::sha256("x-hub-signature") };

/// Jira Cloud.
pub(in crate::providers) static JIRA: Sender = Sender {
    event: &[At::Field(&["webhookEvent"])],
    action: &[At::Field(&["issue_event_type_name"])],
    id: &[At::Header("x-atlassian-webhook-identifier")],
    samples: &[("jira:issue_updated", include_str!("../samples/jira.json"))],
    ..Sender::new("jira", "Jira Cloud", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Saas,
    setup: &["In Settings > System > WebHooks > Create a WebHook, `https://HOST/hooks/jira`; a \
         secret, the events and a JQL filter."],
    source: "provider: jira\nsecrets: [{ env: JIRA_WEBHOOK_SECRET }]",
    carries: "The kind is the body's `webhookEvent` (`jira:issue_updated`, …), the action \
              `issue_event_type_name`, the delivery's id `X-Atlassian-Webhook-Identifier`, the \
              same for every try. The body is signed.",
    yields: "",
    proven: Proven::Literal,
    sources: &["https://developer.atlassian.com/cloud/jira/platform/webhooks/"],
};
