//! Senders that sign for every user of a platform with the same keys: their proof says that the platform
//! sent a delivery, and not for whom. A source or its routes must say whose deliveries count.

mod pins;
mod table;

use super::checker::Checker;
use super::impossible::Sources;
use crate::config::plan::{RoutePlan, SourcePlan};
use crate::config::report::Effect;
use crate::config::yaml::Id;
use crate::matching::On;
use crate::providers::Preset;
use pins::Pin;
use table::Platform;

/// Reports a source of tokens whose issuer signs for a whole platform, and that requires no claim that names an
/// owner. A preset reports a part of that as an error of its own.
pub(super) fn source(checker: Checker<'_>, id: Id, plan: &SourcePlan) {
    let options = &plan.options;
    if plan.unauthenticated {
        return;
    }
    everyones_app(checker, id, plan);
    let issuer = options.issuer.as_deref().or(options.preset.and_then(Preset::issuer));
    if plan.provider.name() != "jwt" {
        return;
    }
    let Some(platform) = table::of(issuer, options.jwks_url.as_deref()) else { return };
    let claims = &options.required_claims;
    let pins = |(name, pin): &(&str, Pin)| claims.of(name).any(|patterns| pin.holds(patterns));
    if platform.pins.iter().any(pins) {
        return;
    }
    let (name, host) = (&plan.name, platform.hosts[0]);
    let written = checker.file.tree.entry(id, "required_claims").filter(|_| !claims.is_empty());
    let message = match written {
        Some(_) => format!(
            "source `{name}` believes strangers on {host}: none of its `required_claims` names an owner in full"
        ),
        None => format!(
            "source `{name}` believes everyone on {host}: its tokens are for all of that platform's users"
        ),
    };
    let at = written.or_else(|| checker.file.tree.entry(id, "issuer")).unwrap_or(id);
    checker.fault_with(at, message, hint(platform), Effect::Tolerated, Vec::new());
}

/// The words of hints about platforms: their hosts, claims and examples.
pub(in crate::config) fn words() -> impl Iterator<Item = &'static str> {
    table::PLATFORMS.iter().flat_map(|platform| {
        let claims = platform.pins.iter().map(|(name, _)| *name);
        platform.hosts.iter().copied().chain(claims).chain([platform.example])
    })
}

fn hint(platform: &Platform) -> String {
    let claims: Vec<&str> = platform.pins.iter().map(|(name, _)| *name).collect();
    format!(
        "add `required_claims: {{ {} }}` with your own name, which stands there in full and without a wildcard; \
         claims that name an owner: {}",
        platform.example,
        claims.join(", ")
    )
}

/// Warns of a source that takes requests of every app of Google Chat: whoever has a project can make one that posts
/// to this address, and the audience of its tokens is the address.
/// Source: <https://developers.google.com/workspace/chat/verify-requests-from-chat>.
fn everyones_app(checker: Checker<'_>, id: Id, plan: &SourcePlan) {
    let by_address = plan.options.audience.iter().any(|audience| audience.contains("://"));
    if plan.provider.name() != "google-chat" || !by_address {
        return;
    }
    let message = format!(
        "source `{}` believes every app of Google Chat that posts to this address, and anyone can make one",
        plan.name
    );
    let hint =
        "choose Project Number under Authentication Audience, and write that number as `audience`";
    let at = checker.file.tree.entry(id, "audience").unwrap_or(id);
    checker.warn(at, message, hint.to_owned());
}

/// Providers that sign for all users of their platform with one key, and what their deliveries tell of the
/// owner: the repository.
const OF_ALL_USERS: [&str; 1] = ["travis-ci"];

/// Reports a route that starts a job for everyone on such a platform.
pub(super) fn route(checker: Checker<'_>, id: Id, route: &RoutePlan, sources: &Sources) {
    let believes_all = |name: &&std::sync::Arc<str>| {
        let source = sources.get(*name);
        source.is_some_and(|source| {
            !source.unauthenticated && OF_ALL_USERS.contains(&source.provider.name())
        })
    };
    let pinned =
        |on: &&On| on.repository.as_ref().is_some_and(|patterns| Pin::Path.holds(patterns));
    let mut open = route.on.iter().filter(|on| !pinned(on));
    let Some(name) = open.find_map(|on| on.sources.iter().find(believes_all)) else { return };
    let title = sources[name].provider.title();
    let message = format!(
        "everyone on {title} can start this route's job: {title} signs for all of its users with one key"
    );
    let hint = "add `repository: acme/risk` to `on`, with your own repository, or `acme/*`; the owner's name \
                stands there in full";
    let at = checker.file.tree.entry(id, "on").unwrap_or(id);
    checker.fault_with(at, message, hint.to_owned(), Effect::Tolerated, Vec::new());
}
