//! Weights & Biases automations. The signature covers the payload, which is made from a template that
//! people write. Where a webhook has an access token, it is sent as a bearer token in addition to the
//! signature. A source with `access_token` requires both.
//!
//! The documentation writes the signature in base64, but some receivers compare hex. So both are accepted.

use http::HeaderName;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use crate::authenticate::{Proof, Refusal, Unverified, token};
use crate::model::Secret;
use crate::providers::about::{About, Group, Proven};
use crate::providers::described::{At, Sender};
use crate::providers::mechanisms::{Mac, Mechanism, Writing};
use crate::providers::{
    Options, Outgoing, SAMPLE_ACCESS_TOKEN, SignFault, Signed, Verification, header,
};

static SIGNATURE: Mac = Mac {
    writing: Writing::Either,
    prefix: "sha256=",
    prefix_optional: true,
    ..Mac::sha256("x-wandb-signature")
};

/// Weights & Biases.
pub(in crate::providers) static WANDB: Sender = Sender {
    event: &[At::Field(&["event_type"])],
    // A template of the payload may name the access token.
    secret_in_body: true,
    samples: &[("LINK_ARTIFACT", include_str!("../samples/wandb.json"))],
    ..Sender::new("wandb", "Weights & Biases automations", &ABOUT, &WithToken)
};

/// The signature, and an access token where the source requires one.
struct WithToken;

impl Mechanism for WithToken {
    fn takes(&self) -> &'static [&'static str] {
        &["access_token"]
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        if !verification.options.access_token {
            return SIGNATURE.authenticate(request, verification);
        }
        let tokens = verification.access_tokens.iter().enumerate();
        let token = token::verify(request, &AUTHORIZATION, "Bearer ", tokens)?;
        SIGNATURE.authenticate(request, verification).map(|proof| proof.beside(&token))
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let mut signed = SIGNATURE.sign(outgoing, secret, options, id, now)?;
        if options.access_token {
            let sample = Secret::new(SAMPLE_ACCESS_TOKEN);
            let token = outgoing.access_token.unwrap_or(&sample);
            signed.headers.push(header(&AUTHORIZATION, [b"Bearer ", token.expose()].concat())?);
        }
        Ok(signed)
    }

    fn signed_headers(&self, options: &Options) -> Vec<HeaderName> {
        let token = options.access_token.then_some(AUTHORIZATION);
        SIGNATURE.signed_headers(options).into_iter().chain(token).collect()
    }
}

static ABOUT: About = About {
    group: Group::Data,
    setup: &[
        "In the team's settings: Secrets, add the secret (and an access token); then Webhooks > New \
         webhook, `https://HOST/hooks/wandb`, with both.",
        "Create an automation with that webhook. Put something into its payload that tells one \
         event from the next, such as `\"version\": \"${artifact_version_string}\"`.",
    ],
    source: "provider: wandb\nsecrets: [{ env: WANDB_WEBHOOK_SECRET }]",
    carries: "The payload is a template of yours. The kind is its `event_type` where it has one. No \
              delivery has an id; the digest of the body stands for it, so a payload that is always \
              the same is taken for a repeat for ten minutes. The body is signed. Add `access_token: \
              { env: … }` where the webhook has one, or a list while it is being replaced.",
    yields: "",
    proven: Proven::Recomputed,
    sources: &["https://docs.wandb.ai/guides/automations/create-automations/webhook"],
};
