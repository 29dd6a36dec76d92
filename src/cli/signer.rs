//! What `send` signs with. Where a source is configured with its sender's public keys, or fetches them,
//! only the sender has the private key. `send` then signs with the sample key, which is in every copy of
//! the program. The source accepts that only where its own keys include the sample's public key.

use super::failure::Failure;
use super::screen::aside;
use crate::config::SourcePlan;
use crate::model::Secret;
use crate::providers::SecretUse;

/// The key to sign with for a source that has these secrets. An error where the source accepts only its
/// sender.
pub(super) fn of(source: &SourcePlan, secrets: &[Secret]) -> Result<Secret, Failure> {
    let provider = source.provider;
    if let Some(why) = only_the_sender(source) {
        return Err(Failure::Failed(why));
    }
    // Both are public.
    let sample = provider.sample_secret();
    let is_sample = |secret: &&Secret| secret.expose().trim_ascii() == sample.expose().trim_ascii();
    if secrets.iter().any(|secret| is_sample(&secret)) {
        aside("signed with the sample key, which the source has and which proves nothing");
        return Ok(provider.sample_signer());
    }
    Ok(secrets.first().cloned().unwrap_or_else(|| provider.sample_signer()))
}

/// Why the source can accept no request that is made here; none where it can.
pub(super) fn only_the_sender(source: &SourcePlan) -> Option<String> {
    let provider = source.provider;
    if source.unauthenticated || provider.secret_use(&source.options) != SecretUse::None {
        return None;
    }
    let place = provider.publishes(&source.options);
    // Plain HTTP goes to this machine alone, where the user can publish the sample key.
    if place.as_ref().is_some_and(|place| place.url.starts_with("http://")) {
        return None;
    }
    let place = place.map_or_else(
        || "where its sender publishes it".to_owned(),
        |place| format!("from {}", place.url),
    );
    Some(format!(
        "{} fetches its key {place}, so that it believes nobody but its sender, and `send` cannot \
         try it. Its routes can be tried with a saved payload: cdsw-gateway explain {} FILE",
        source.name, source.name
    ))
}

/// A fault in signing, with what to do about it where the source has its sender's public key.
pub(super) fn explain(source: &SourcePlan, failure: Failure) -> Failure {
    let (provider, name) = (source.provider, source.provider.name());
    match failure {
        Failure::Failed(why)
            if provider.sample_signer().expose() != provider.sample_secret().expose() =>
        {
            Failure::Failed(format!(
                "{why}. The secret of {} is its sender's public key. To try the source, put the \
                 sample key beside it under `secrets` for as long as you try: cdsw-gateway \
                 providers {name} --sample-secret",
                source.name
            ))
        }
        other => other,
    }
}
