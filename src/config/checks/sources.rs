//! `sources:`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::checker::Checker;
use super::networks::networks;
use super::options::options;
use super::patterns::{patterns, patterns_as};
use super::{changed, exposure, platforms};
use crate::config::plan::{RetentionPlan, ServerPlan, SourcePlan};
use crate::config::repeats::Repeats;
use crate::config::secrets::SecretRef;
use crate::config::shape::{Period, RepeatsShape, SecretShapes, Section, SourceShape};
use crate::config::similar::provider_meant;
use crate::config::strength::Use;
use crate::config::yaml::{At, Id, Lenient};
use crate::model::Grammar;
use crate::providers::{self, Options, Provider, SECRET_HINT, SecretUse};

pub(super) fn sources(
    checker: Checker<'_>,
    section: Section<SourceShape>,
    server: Option<&ServerPlan>,
    retention: Option<RetentionPlan>,
) -> BTreeMap<Arc<str>, Arc<SourcePlan>> {
    let mut plans = BTreeMap::new();
    for (name, entry) in section {
        checker.name(entry.id);
        let Some(shape) = entry.value else { continue };
        if let Some(plan) = source(checker, &name, entry.id, shape, (server, retention)) {
            platforms::source(checker, entry.id, &plan);
            exposure::learning(checker, entry.id, &plan);
            changed::source(checker, entry.id, &plan);
            let name: Arc<str> = name.into();
            plans.insert(name, Arc::new(plan));
        }
    }
    plans
}

fn source(
    checker: Checker<'_>,
    name: &str,
    id: Id,
    mut shape: SourceShape,
    (server, retention): (Option<&ServerPlan>, Option<RetentionPlan>),
) -> Option<SourcePlan> {
    let field = std::mem::take(&mut shape.provider);
    let at = checker.need(id, "provider", field);
    let provider = at.as_ref().and_then(|at| provider(checker, at));
    let options = options(checker, &shape);
    if let (Some(provider), Some(options)) = (provider, &options) {
        check_options(checker, id, at.and_then(|at| at.id), provider, options);
    }
    if let (Some(at), Some(server)) = (&shape.body_limit, server) {
        if at.value.0 == 0 {
            checker.fault(at.id, "this must be more than zero", None);
        }
        if at.value.0 > server.bytes_in_flight {
            let hint = "a body of that size could never be received".to_owned();
            checker.fault(at.id, "`body_limit` is more than the server's `bytes_in_flight`", hint);
        }
    }
    let unauthenticated = shape.dangerously_unauthenticated.value;
    let open = &shape.dangerously_unauthenticated;
    let secret_use = match (provider, &options) {
        (Some(provider), Some(options)) => provider.secret_use(options),
        _ => SecretUse::Optional,
    };
    let access_tokens = access_tokens(checker, name, shape.access_token);
    let hint = match (provider, &options) {
        (Some(provider), Some(options)) => provider.secret_hint(options),
        _ => SECRET_HINT,
    };
    let given = shape.secrets;
    need_secrets(checker, id, open, (secret_use, hint));
    let secrets = given.into_iter().filter_map(|entry| {
        let used = |reference| Use::webhook(name, provider, options.as_ref(), reference);
        Some(checker.secret(entry.id, entry.value?, used))
    });
    let secrets: Vec<SecretRef> = secrets.collect();
    if options.as_ref().is_some_and(|options| options.learn_secret)
        && !secrets.iter().any(|reference| matches!(reference, SecretRef::File(_)))
        && let Some(key) = checker.file.tree.entry(id, "learn_secret")
    {
        let hint = "write `secrets: [{ file: PATH }]`; the file is made when the sender greets";
        let message = "a secret that is learnt needs a file to be kept in";
        checker.fault_of_key(key, message, hint.to_owned());
    }
    let allow_from =
        networks(checker, shape.allow_from.as_ref(), "leave the key out to accept any address");
    let written = shape.repeats.is_some();
    let repeats = shape.repeats.and_then(|at| repeats(checker, id, at.value, retention));
    if let (Some(provider), Some(options), false) = (provider, &options, written) {
        warn_of_alike(checker, id, provider, options);
    }
    let events = patterns(checker, shape.events.as_ref());
    let ignore_actors = patterns_as(checker, Grammar::Name, shape.ignore_actors.as_ref());
    Some(SourcePlan {
        access_tokens,
        name: name.into(),
        provider: provider?,
        options: options?,
        body_limit: shape.body_limit.map(|at| at.value.0),
        allow_from,
        rate: shape.rate.map(|at| at.value),
        repeats,
        events,
        ignore_actors,
        secrets,
        unauthenticated,
    })
}

/// Warns of a source whose requests have neither an id nor a signed time that the configuration names: two that
/// are alike count as one for a while, which surprises whoever sends the same body each night.
fn warn_of_alike(checker: Checker<'_>, source: Id, provider: &dyn Provider, options: &Options) {
    let may_name = provider.takes().contains(&"delivery_id") && options.delivery_id.is_none();
    let signs_time = options.timestamp_header.is_some() || options.timed;
    if !may_name || signs_time || provider.tells_claims() {
        return;
    }
    let name = checker.file.tree.key(source).unwrap_or_default();
    let message = format!(
        "requests of source `{name}` that are alike count as one for ten minutes; up to version 0.1 they did for \
         seven days"
    );
    let hint = "name its `delivery_id`, or say what a repeat is: `repeats: never`, or \
                `repeats: { window: 10m }`";
    checker.warn(source, message, hint.to_owned());
}

/// What the source says of repeats. A claim lives no longer than the delivery that has it.
fn repeats(
    checker: Checker<'_>,
    source: Id,
    shape: RepeatsShape,
    retention: Option<RetentionPlan>,
) -> Option<Repeats> {
    let RepeatsShape::Within(within) = shape else { return Some(Repeats::Never) };
    let section = checker.file.tree.entry(source, "repeats").unwrap_or(source);
    let at = checker.need(section, "window", within.window)?;
    if at.value.0.is_zero() {
        let hint = "write `repeats: never` where each request is a delivery of its own".to_owned();
        checker.fault(at.id, "this must be more than zero", hint);
    }
    if let Some(retention) = retention.filter(|retention| at.value.0 > retention.keep) {
        let keep = Period(retention.keep);
        let hint = format!("deliveries are kept for {keep}, and only what is kept is known");
        checker.fault(at.id, "`window` is more than `retention.keep`", hint);
    }
    Some(Repeats::Within(at.value.0))
}

/// The tokens that may accompany a signature. An empty list is a fault, because it would refuse
/// every request.
fn access_tokens(
    checker: Checker<'_>,
    name: &str,
    given: Option<Lenient<SecretShapes>>,
) -> Vec<SecretRef> {
    let used = |reference| Use::access_token(name, reference);
    let Some((id, given)) = given.and_then(|entry| Some((entry.id, entry.value?))) else {
        return Vec::new();
    };
    match given {
        SecretShapes::One(shape) => vec![checker.secret(id, shape, used)],
        SecretShapes::Many(list) => {
            if checker.file.tree.is_empty(id) {
                let hint = "write `access_token: { env: NAME }`, or leave the key out".to_owned();
                checker.fault(Some(id), "this list names no token", hint);
            }
            let each = list.into_iter();
            each.filter_map(|entry| Some(checker.secret(entry.id, entry.value?, used))).collect()
        }
    }
}

fn provider(checker: Checker<'_>, at: &At<String>) -> Option<&'static dyn Provider> {
    let found = providers::find(&at.value);
    if found.is_none() {
        let hint = provider_meant(&at.value);
        checker.fault(at.id, format!("there is no provider `{}`", at.value), hint);
    }
    found
}

/// Reports the provider's findings, each at the first key that it names, or else at `provider`.
fn check_options(
    checker: Checker<'_>,
    source: Id,
    provider_id: Option<Id>,
    provider: &dyn Provider,
    options: &Options,
) {
    // The provider does not see an option that could not be read, so it may report it as missing.
    let damaged = checker.is_damaged(Some(source));
    for message in provider.check_options(options) {
        let key = message.split('`').nth(1).unwrap_or_default();
        match checker.file.tree.entry(source, key) {
            Some(entry) => checker.fault_of_key(entry, message, None),
            None if damaged => {}
            None => checker.fault(provider_id, message, None),
        }
    }
}

/// Reports a source that needs secrets and has none, or the other way round.
fn need_secrets(
    checker: Checker<'_>,
    source: Id,
    open: &At<bool>,
    (secret_use, hint): (SecretUse, &str),
) {
    let written = checker.file.tree.entry(source, "secrets");
    let none = written.is_none_or(|id| checker.file.tree.is_empty(id));
    let name = checker.file.tree.key(source).unwrap_or_default();
    match (open.value, none) {
        (false, true) if secret_use != SecretUse::Required => {}
        (false, false) if secret_use == SecretUse::None => {
            let hint = "what this sender signs with is public; remove `secrets`".to_owned();
            checker.fault_of_key(
                written.unwrap_or(source),
                format!("source `{name}` has secrets that its provider has no use for"),
                hint,
            );
        }
        (false, true) if !checker.file.tree.is_damaged(source) || written.is_none() => {
            checker.fault_of_key(
                written.unwrap_or(source),
                format!("source `{name}` has no secret"),
                hint.to_owned(),
            );
        }
        (true, false) => {
            let hint = "remove one of the two".to_owned();
            let message = "a source has either `secrets` or `dangerously_unauthenticated: true`";
            checker.fault(open.id, message, hint);
        }
        (true, true) => {
            let hint = "whoever can reach the gateway can start the jobs of its routes".to_owned();
            checker.warn(
                open.id.unwrap_or(source),
                format!("source `{name}` is open to everyone"),
                hint,
            );
        }
        _ => {}
    }
}
