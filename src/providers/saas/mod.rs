//! Services that are neither forges nor data tools nor chat.

pub(super) mod aws_sns;
mod sns_message;
pub(super) mod standard_webhooks;
