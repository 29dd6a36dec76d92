//! Reading: how often each secret of a source and each token of the API is used, never its value.

use std::sync::Arc;

use axum::extract::State;

use super::problem::Json;
use super::views::{SecretView, SecretsView, TokenView};
use super::{Admin, TokenTrace};
use crate::config::{SecretRef, SourcePlan};

/// Every secret of every source, including those that have verified no delivery yet.
pub(super) async fn secrets(State(admin): State<Admin>) -> Json<SecretsView> {
    let plan = admin.live.plan();
    let secrets = plan.sources.values().flat_map(|source| secrets_of(&admin, source));
    let (since, tokens) = (admin.proofs.began(), tokens_of(&admin));
    Json(SecretsView { since, secrets: secrets.collect(), tokens })
}

/// The tokens that this process accepts, with how often each was used.
fn tokens_of(admin: &Admin) -> Vec<TokenView> {
    let view = |(name, reference): (&Arc<str>, &SecretRef)| {
        let TokenTrace { uses, last, changed } = admin.tokens.of(name);
        TokenView { name: name.to_string(), reference: reference.to_string(), uses, last, changed }
    };
    admin.live.plan().server.tokens(admin.role).iter().map(view).collect()
}

/// The secrets of a source, with how often each verified a delivery.
pub(super) fn secrets_of(admin: &Admin, source: &SourcePlan) -> Vec<SecretView> {
    let lists = [("secrets", &source.secrets), ("access_token", &source.access_tokens)];
    let each = lists.into_iter().flat_map(|(key, list)| {
        list.iter().enumerate().map(move |(place, reference)| (key, place, reference))
    });
    each.map(|(key, place, reference)| {
        let used = admin.proofs.of(&source.name, reference);
        SecretView {
            source: source.name.to_string(),
            key: key.to_owned(),
            place,
            reference: reference.to_string(),
            deliveries: used.deliveries,
            last: used.last,
            leaks: used.leaks,
        }
    })
    .collect()
}
