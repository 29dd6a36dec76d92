//! Notion. For a new subscription, Notion sends a greeting with the token that it will sign with. It signs
//! the greeting with that same token, so the signature proves only that the greeting was not changed.

use http::{Method, StatusCode};

use crate::authenticate::{Refusal, Unverified};
use crate::model::{Secret, Value};
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::Mac;
use crate::providers::mechanisms::Mechanism as _;
use crate::providers::{Greeting, Reply, Verification};

static SIGNATURE: Mac = Mac { prefix: "sha256=", ..Mac::sha256("x-notion-signature") };

/// Notion.
pub(in crate::providers) static NOTION: Sender = Sender {
    event: &[At::Field(&["type"])],
    id: &[At::Field(&["id"])],
    changing: &["attempt_number"],
    greet: Some(greeting),
    takes: &["learn_secret"],
    samples: &[("page.created", include_str!("../samples/notion.json"))],
    ..Sender::new("notion", "Notion", &ABOUT, &SIGNATURE)
};

/// A greeting is a body with the field `verification_token`.
fn greeting(
    _sender: &Sender,
    request: &Unverified<'_>,
    verification: &Verification<'_>,
) -> Option<Result<Greeting, Refusal>> {
    // No greeting is as long as this. The limit saves parsing longer deliveries twice.
    if *request.method != Method::POST || request.body.len() > 1024 {
        return None;
    }
    let body = Value::parse_json(request.body).ok()?;
    let token = body.get("verification_token")?.as_str().filter(|token| !token.is_empty())?;
    let secrets = [Secret::new(token)];
    let is_signed = request.headers.contains_key(SIGNATURE.header);
    let whole =
        SIGNATURE.authenticate(request, &Verification { secrets: &secrets, ..*verification });
    Some(match whole {
        Err(refusal) if is_signed => Err(refusal),
        _ => Ok(Greeting {
            offered: Some(Secret::new(token)),
            ..Greeting::new("a new subscription", Reply::empty(StatusCode::OK))
        }),
    })
}

static ABOUT: About = About {
    group: Group::Saas,
    setup: &[
        "In your integration: Webhooks > Create a subscription, `https://HOST/hooks/notion`, \
         with `learn_secret: true` and `secrets: [{ file: … }]` at the source.",
        "The gateway writes the token into that file; read it there and paste it into Notion to \
         verify the subscription. Then take `learn_secret` out.",
    ],
    source: "provider: notion\nsecrets: [{ env: NOTION_VERIFICATION_TOKEN }]",
    carries: "The kind is the body's `type` (`page.created`, …), the delivery's id its `id`. \
              The body is signed.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &[
        "https://developers.notion.com/reference/webhooks",
        "makenotion/notion-sdk-js, test/webhooks.test.ts",
    ],
};
