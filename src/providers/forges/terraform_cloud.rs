//! HCP Terraform (Terraform Cloud) notifications. They are signed with HMAC-SHA-512. The notification that
//! verifies a configuration is a handshake.

use http::HeaderMap;

use crate::authenticate::hmac::Algorithm;
use crate::model::Value;
use crate::providers::Handshake;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;

static SIGNATURE: Mac =
    Mac { algorithm: Algorithm::Sha512, ..Mac::sha256("x-tfe-notification-signature") };

/// HCP Terraform.
pub(in crate::providers) static TERRAFORM_CLOUD: Sender = Sender {
    parts: Some(&["notifications"]),
    event: &[At::Part(&["trigger"])],
    action: &[At::Part(&["run_status"])],
    handshake: Some(verification),
    samples: &[("run:completed", include_str!("../samples/terraform-cloud.json"))],
    ..Sender::new("terraform-cloud", "HCP Terraform", &ABOUT, &SIGNATURE)
};

fn verification(_headers: &HeaderMap, body: &Value) -> Option<Handshake> {
    let first = body.get("notifications")?.as_list()?.first()?;
    (first.get("trigger")?.as_str()? == "verification").then_some(Handshake::Acknowledge)
}

static ABOUT: About = About {
    group: Group::Forges,
    setup: &[
        "In the workspace: Settings > Notifications > Create a notification > Webhook.",
        "URL `https://HOST/hooks/terraform-cloud` and a token; choose the triggers. Terraform \
         sends a verification at once, which must get a 2xx.",
    ],
    source: "provider: terraform-cloud\nsecrets: [{ env: TFC_NOTIFICATION_TOKEN }]",
    carries: "Each of `notifications` is an event of its own, whose kind is its `trigger` \
              (`run:completed`, …) and whose action its `run_status`. One run is told of several times with the same trigger, so the \
              digest of the body stands for the delivery's id. The body is signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &[
        "https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations",
    ],
};
