//! Services that are neither forges nor data tools nor chat.

pub(super) mod asana;
pub(super) mod azure_event_grid;
pub(super) mod dropbox;
pub(super) mod notion;
pub(super) mod okta;
pub(super) mod standard_webhooks;
pub(super) mod x_twitter;
pub(super) mod zoom;
