//! Airtable. A notification says only that a base has changed. The job has to ask Airtable what changed.
//! The secret is base64, as Airtable gives it (`macSecretBase64`).

use crate::providers::about::{About, Group, Proven};
use crate::providers::described::Sender;
use crate::providers::mechanisms::{Key, Mac};

static SIGNATURE: Mac =
    Mac { prefix: "hmac-sha256=", key: Key::Base64, ..Mac::sha256("x-airtable-content-mac") };

/// Airtable.
pub(in crate::providers) static AIRTABLE: Sender = Sender {
    samples: &[("event", include_str!("../samples/airtable.json"))],
    ..Sender::new("airtable", "Airtable", &ABOUT, &SIGNATURE)
};

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "Create it with the API: `POST https://api.airtable.com/v0/bases/BASE/webhooks` with \
         `notificationUrl` `https://HOST/hooks/airtable`.",
        "The answer holds `macSecretBase64`: that is the secret. A webhook ends after seven \
         days unless it is refreshed.",
    ],
    source: "provider: airtable\nsecrets: [{ env: AIRTABLE_MAC_SECRET }]",
    carries: "Every event is of kind `event`; `body.base.id` names the base. The digest of the \
              body, which has a time, stands for the delivery's id. The body is signed.",
    yields: "",
    proven: Proven::Literal,
    sources: &["gtalarico/pyairtable"],
};
