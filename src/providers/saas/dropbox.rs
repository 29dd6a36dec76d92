//! Dropbox. A notification says only whose files have changed. Two changes of the same account have the
//! same body, so only those within a short window count as one (`repeats:` of the source).

use http::Method;

use crate::authenticate::{Refusal, Unverified};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::Sender;
use crate::providers::greetings::{challenge, in_query};
use crate::providers::mechanisms::Mac;
use crate::providers::{Greeting, Reply, Verification};

const CHALLENGE: &str = "challenge";

static SIGNATURE: Mac = Mac::sha256("x-dropbox-signature");

/// Dropbox.
pub(in crate::providers) static DROPBOX: Sender = Sender {
    greet: Some(verification),
    samples: &[("event", include_str!("../samples/dropbox.json"))],
    ..Sender::new("dropbox", "Dropbox", &ABOUT, &SIGNATURE)
};

fn verification(
    _sender: &Sender,
    request: &Unverified<'_>,
    _grounds: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    if *request.method != Method::GET {
        return None;
    }
    in_query(request.query, CHALLENGE).map(|text| {
        let text = text?;
        challenge(CHALLENGE, &text).map(|text| Greeting::new("verification", Reply::text(text)))
    })
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In the App Console, in your app: Webhooks, `https://HOST/hooks/dropbox`. Dropbox asks \
         at once, with GET.",
        "The secret is the app secret.",
    ],
    source: "provider: dropbox\nsecrets: [{ env: DROPBOX_APP_SECRET }]",
    carries: "Every event is of kind `event`; the accounts are in `body.list_folder.accounts`. \
              The body is signed. Two changes of one account have the same body: within ten minutes \
              they count as one, unless `repeats:` of the source says otherwise.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://www.dropbox.com/developers/reference/webhooks"],
};
