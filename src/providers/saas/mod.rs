//! Services that are neither forges nor data tools nor chat.

pub(super) mod anthropic;
pub(super) mod asana;
pub(super) mod aws_sns;
pub(super) mod azure_event_grid;
pub(super) mod convoy;
pub(super) mod dropbox;
pub(super) mod hook0;
pub(super) mod hubspot;
pub(super) mod intercom;
pub(super) mod jira;
pub(super) mod linear;
pub(super) mod microsoft_graph;
pub(super) mod notion;
pub(super) mod okta;
pub(super) mod openai;
pub(super) mod pagerduty;
pub(super) mod sentry;
pub(super) mod shopify;
mod sns_message;
pub(super) mod standard_webhooks;
pub(super) mod stripe;
pub(super) mod svix;
pub(super) mod twilio;
pub(super) mod x_twitter;
pub(super) mod zendesk;
pub(super) mod zoom;
