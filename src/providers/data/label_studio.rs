//! Label Studio. It signs nothing. The secret is in a header that is set for the webhook, or in the address.

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{FieldToken, HeaderOrAddress, Token};

static TOKEN: HeaderOrAddress = HeaderOrAddress {
    header: Token { header: "authorization", prefix: "Bearer " },
    address: FieldToken { query: "token" },
};

/// Label Studio.
pub(in crate::providers) static LABEL_STUDIO: Sender = Sender {
    event: &[At::Field(&["action"])],
    samples: &[("ANNOTATION_CREATED", include_str!("../samples/label-studio.json"))],
    ..Sender::new("label-studio", "Label Studio", &ABOUT, &TOKEN)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In the project: Settings > Webhooks > Add Webhook.",
        "Payload URL `https://HOST/hooks/label-studio`, and a header `Authorization` with the value \
         `Bearer SECRET`; the secret may also be in the address, as `?token=SECRET`. Leave `Send payload` \
         on, and choose the actions.",
        "To retrain after each 500 annotations, see [guides.md](guides.md#retrain-after-n-annotations).",
    ],
    source: "provider: label-studio\nsecrets: [{ env: LABEL_STUDIO_SECRET }]",
    carries: "The kind is the body's `action` (`ANNOTATION_CREATED`, `TASKS_CREATED`, \
              `PROJECT_UPDATED`, …). `body.project` has the counts, such as `finished_task_number` and \
              `total_annotations_number`. No delivery has an id; the digest of the body, which names the \
              annotation and its time, stands for it. Without `Send payload` each body of an action is \
              the same: write `repeats: never` then. Nothing is signed, and nothing is sent again.",
    yields: "",
    proven: Proven::Documented,
    sources: &[
        "https://labelstud.io/guide/webhook_reference",
        "HumanSignal/label-studio, label_studio/webhooks/utils.py",
    ],
};
