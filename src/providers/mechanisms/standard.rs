//! Standard Webhooks: an id, a time and a list of signatures, over `{id}.{time}.{body}`.

use http::HeaderName;
use jiff::Timestamp;

use crate::authenticate::standard_webhooks::{self as scheme, Key, Names, STANDARD};
use crate::authenticate::timestamp::Unit;
use crate::authenticate::{Proof, Refusal, Unverified, Verified};
use crate::model::Secret;
use crate::providers::mechanisms::Mechanism;
use crate::providers::{
    Identity, Options, Outgoing, SignFault, Signed, Verification, header, json_content,
};

/// Standard Webhooks, with its own header names or those of Svix.
pub(in crate::providers) struct Standard;

impl Mechanism for Standard {
    fn takes(&self) -> &'static [&'static str] {
        &["tolerance"]
    }

    fn check_secret(&self, secret: &Secret, _options: &Options) -> Result<(), String> {
        match Key::read(secret) {
            Ok(Key::Shared(_) | Key::Public(_)) => Ok(()),
            Ok(Key::Private(_)) => {
                Err("is a private key, which only the sender needs; give the `whpk_` one".into())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    fn authenticate(
        &self,
        request: &Unverified<'_>,
        verification: &Verification<'_>,
    ) -> Result<Proof, Refusal> {
        let Verification { secrets, options, now, .. } = *verification;
        let names = Names::in_use(request.headers);
        scheme::verify(request, names, secrets.iter().enumerate(), options.tolerance(), now)
    }

    fn sign(
        &self,
        outgoing: &Outgoing<'_>,
        secret: &Secret,
        _options: &Options,
        id: &str,
        now: Timestamp,
    ) -> Result<Signed, SignFault> {
        let mut headers = vec![json_content()];
        headers.extend(signed(outgoing.body, secret, id, now)?);
        Ok(headers.into())
    }

    fn signed_headers(&self, _options: &Options) -> Vec<HeaderName> {
        vec![STANDARD.id.clone(), STANDARD.timestamp.clone(), STANDARD.signature.clone()]
    }

    /// The id that was signed. It stays the same each time the sender sends the message.
    fn digest(&self, request: &Verified<'_>, _options: &Options) -> Identity {
        let names = Names::in_use(request.headers());
        Identity::of_header(request.headers(), &names.id)
            .unwrap_or_else(|| Identity::of_bytes(&[request.body()]))
    }

    fn sample_secret(&self) -> Secret {
        Secret::new("whsec_QSBzYW1wbGUgc2VjcmV0IHRoYXQgcHJvdmVzIG5vdGhpbmc=")
    }
}

/// The three headers of the scheme: id, time and signature.
pub(in crate::providers) fn signed(
    body: &[u8],
    secret: &Secret,
    id: &str,
    now: Timestamp,
) -> Result<Vec<(HeaderName, http::HeaderValue)>, SignFault> {
    let time = Unit::Seconds.write(now);
    let signature = scheme::sign(secret, id, &time, body).ok_or_else(|| {
        SignFault::Secret("is neither a `whsec_` secret nor a `whsk_` private key".to_owned())
    })?;
    Ok(vec![
        header(&STANDARD.id, id)?,
        header(&STANDARD.timestamp, time)?,
        header(&STANDARD.signature, signature)?,
    ])
}
