//! Senders that sign for every user of a platform with the same keys: their proof says that the platform
//! sent a delivery, and not for whom. A source or its routes must say whose deliveries count.

use reqwest::Url;

use super::checker::Checker;
use super::impossible::Sources;
use crate::config::plan::{RoutePlan, SourcePlan};
use crate::config::report::Effect;
use crate::config::yaml::Id;
use crate::providers::Options;

/// A platform whose tokens are for all of its users.
struct Platform {
    /// Hosts of its issuers, and hosts that publish its keys.
    hosts: &'static [&'static str],
    /// The start of the path, for a host that also has issuers of a single customer.
    path: &'static str,
    /// Claims that tell the owner.
    claims: &'static [&'static str],
    /// A line that restricts a source.
    example: &'static str,
}

const fn platform(
    hosts: &'static [&'static str],
    claims: &'static [&'static str],
    example: &'static str,
) -> Platform {
    Platform { hosts, path: "/", claims, example }
}

/// The platforms, with the claims that their documentation gives.
const PLATFORMS: [Platform; 19] = [
    platform(
        &["token.actions.githubusercontent.com"],
        &[
            "repository",
            "repository_id",
            "repository_owner",
            "repository_owner_id",
            "enterprise",
            "enterprise_id",
            "job_workflow_ref",
            "sub",
        ],
        "repository_owner: acme",
    ),
    platform(
        &["gitlab.com"],
        &["project_path", "project_id", "namespace_path", "namespace_id", "sub"],
        "namespace_path: acme",
    ),
    platform(
        &["accounts.google.com", "www.googleapis.com"],
        &["email", "sub", "hd"],
        "email: gateway@acme.iam.gserviceaccount.com",
    ),
    platform(
        &["app.terraform.io"],
        &[
            "terraform_organization_name",
            "terraform_organization_id",
            "terraform_workspace_id",
            "sub",
        ],
        "terraform_organization_name: acme",
    ),
    Platform {
        hosts: &["login.microsoftonline.com", "login.windows.net"],
        path: "/common",
        claims: &["tid", "oid", "appid", "azp", "sub"],
        example: "tid: 00000000-0000-0000-0000-000000000000",
    },
    Platform {
        hosts: &["login.microsoftonline.com", "login.windows.net"],
        path: "/organizations",
        claims: &["tid", "oid", "appid", "azp", "sub"],
        example: "tid: 00000000-0000-0000-0000-000000000000",
    },
    Platform {
        hosts: &["login.microsoftonline.com", "login.windows.net"],
        path: "/consumers",
        claims: &["oid", "sub"],
        example: "sub: the subject of the account",
    },
    platform(
        &["agent.buildkite.com"],
        &["organization_slug", "organization_id", "pipeline_id", "sub"],
        "organization_slug: acme",
    ),
    Platform {
        hosts: &["oidc.circleci.com"],
        path: "/.well-known",
        claims: &["oidc.circleci.com/project-id", "oidc.circleci.com/org-id", "sub"],
        example: "sub: \"org/ORGANIZATION/project/PROJECT/**\"",
    },
    platform(
        &["oidc.codefresh.io", "g.codefresh.io"],
        &["account_id", "account_name", "sub"],
        "account_name: acme",
    ),
    platform(
        &["huggingface.co"],
        &["sub", "preferred_username", "email"],
        "sub: the id of the account",
    ),
    platform(
        &["api.gitpod.io", "app.gitpod.io"],
        &["sub", "repository", "org"],
        "sub: the subject",
    ),
    platform(
        &["api.pulumi.com"],
        &["sub", "aud", "pulumi:organization"],
        "sub: \"pulumi:deploy:org:acme:**\"",
    ),
    platform(&["oidc.vercel.com"], &["owner", "owner_id", "project_id", "sub"], "owner: acme"),
    platform(&["federation.namespaceapis.com"], &["sub", "tenant_id"], "tenant_id: TENANT"),
    platform(&["oauth2.sigstore.dev"], &["email", "sub"], "email: ci@acme.example"),
    platform(&["appleid.apple.com"], &["sub", "email"], "sub: the subject of the account"),
    platform(
        &["slack.com"],
        &["https://slack.com/team_id", "sub", "email"],
        "sub: the subject of the account",
    ),
    platform(
        &[
            "id.twitch.tv",
            "www.linkedin.com",
            "www.facebook.com",
            "api.login.yahoo.com",
            "login.salesforce.com",
        ],
        &["sub", "email"],
        "sub: the subject of the account",
    ),
];

/// Values that claims and repositories of unknown people might have. A condition that accepts one of them
/// keeps nobody out.
const STRANGERS: &[&str] = &[
    "zz-nobody",
    "zz-nobody/zz-nobody",
    "zz-nobody/zz-nobody/.github/workflows/zz.yml@refs/heads/zz",
    "repo:zz-nobody/zz-nobody:ref:refs/heads/zz-nobody",
    "project_path:zz-nobody/zz-nobody:ref_type:branch:ref:zz-nobody",
    "organization:zz-nobody:pipeline:zz-nobody:ref:refs/heads/zz:commit:zz:step:zz",
    "organization:zz-nobody:project:zz-nobody:workspace:zz-nobody:run_phase:apply",
    "owner:zz-nobody:project:zz-nobody:environment:production",
    "org/ffffffff-ffff-4fff-8fff-ffffffffffff/project/ffffffff-ffff-4fff-8fff-ffffffffffff/user/ffffffff-ffff-4fff-8fff-ffffffffffff",
    "ffffffff-ffff-4fff-8fff-ffffffffffff",
    "zz-nobody@example.invalid",
    "example.invalid",
    "999999999999999999",
];

/// Reports a source of tokens whose issuer signs for a whole platform, and that requires no claim of the
/// owner. A preset has the same check of its own, and says so as an error.
pub(super) fn source(checker: Checker<'_>, id: Id, plan: &SourcePlan) {
    let options = &plan.options;
    if plan.unauthenticated || options.preset.is_some() {
        return;
    }
    let Some(platform) = platform_of(options) else { return };
    let claims = &options.required_claims;
    if platform.claims.iter().any(|claim| claims.keeps_out(claim, STRANGERS)) {
        return;
    }
    let message = format!(
        "source `{}` believes everyone on {}: its tokens are for all of that platform's users",
        plan.name, platform.hosts[0]
    );
    let hint = format!(
        "add `required_claims: {{ {} }}` with your own name, or another of its claims: {}",
        platform.example,
        platform.claims.join(", ")
    );
    let at = checker.file.tree.entry(id, "issuer").unwrap_or(id);
    checker.fault_with(at, message, hint, Effect::Tolerated, Vec::new());
}

fn platform_of(options: &Options) -> Option<&'static Platform> {
    let addresses = [options.issuer.as_deref(), options.jwks_url.as_deref()];
    addresses.into_iter().flatten().find_map(|address| {
        // Google's issuer may be written without a scheme.
        let url =
            Url::parse(address).or_else(|_| Url::parse(&format!("https://{address}"))).ok()?;
        let host = url.host_str()?.trim_end_matches('.');
        let path = url.path();
        PLATFORMS.iter().find(|platform| {
            platform.hosts.contains(&host)
                && (platform.path == "/"
                    || path == platform.path
                    || path.starts_with(&format!("{}/", platform.path)))
                && !is_of_one_customer(host, path)
        })
    })
}

/// Whether an issuer's path names one customer, so that its tokens are for that customer alone.
fn is_of_one_customer(host: &str, path: &str) -> bool {
    let with_a_path = ["oidc.vercel.com", "token.actions.githubusercontent.com"];
    with_a_path.contains(&host) && !matches!(path, "" | "/") && !path.starts_with("/.well-known")
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
    let Some(name) = route.sources.iter().find(believes_all) else { return };
    let restricted = route
        .on
        .repository
        .as_ref()
        .is_some_and(|patterns| !STRANGERS.iter().any(|stranger| patterns.pass(stranger)));
    if restricted {
        return;
    }
    let title = sources[name].provider.title();
    let message = format!(
        "everyone on {title} can start this route's job: {title} signs for all of its users with one key"
    );
    let hint =
        "add `repository: acme/risk` to `on`, with your own repository, or `acme/*`".to_owned();
    let at = checker.file.tree.entry(id, "on").unwrap_or(id);
    checker.fault_with(at, message, hint, Effect::Tolerated, Vec::new());
}
