//! The platforms whose tokens are for all of their users, and the claims that name an owner. A claim that a stranger
//! can bring about is left out, also where it has the owner's name: the reusable workflow that a job calls
//! (`job_workflow_ref`), who caused a job (`actor`, `user_login`), an environment or a branch.
//!
//! Each row names the documentation that its claims are from.

use reqwest::Url;

use super::pins::Pin;

/// A platform.
pub(super) struct Platform {
    /// Hosts of its issuers, and hosts that publish its keys.
    pub(super) hosts: &'static [&'static str],
    /// The start of the path, for a host that has other issuers too.
    path: &'static str,
    /// The start of the path of issuers that are for one customer alone, where the customer's name follows.
    own: Option<&'static str>,
    /// The claims that name an owner.
    pub(super) pins: &'static [(&'static str, Pin)],
    /// A line that restricts a source.
    pub(super) example: &'static str,
}

const fn platform(
    hosts: &'static [&'static str],
    pins: &'static [(&'static str, Pin)],
    example: &'static str,
) -> Platform {
    Platform { hosts, path: "/", own: None, pins, example }
}

/// Claims of people who sign in somewhere, each with an account of their own.
const PERSON: &[(&str, Pin)] = &[("sub", Pin::Whole)];
/// Those, where the platform has checked the mail address.
const PERSON_WITH_MAIL: &[(&str, Pin)] = &[("sub", Pin::Whole), ("email", Pin::Mail)];
/// Claims of an account of Microsoft Entra. `appid` and `azp` name an application, which accounts of other tenants
/// may use; `email` may hold what the tenant's administrator writes.
const ENTRA: &[(&str, Pin)] = &[("tid", Pin::Tenant), ("oid", Pin::Whole), ("sub", Pin::Whole)];
const ENTRA_HOSTS: &[&str] = &["login.microsoftonline.com", "login.windows.net", "sts.windows.net"];
const ENTRA_EXAMPLE: &str = "tid: 00000000-0000-0000-0000-000000000000";

const fn entra(path: &'static str) -> Platform {
    Platform { hosts: ENTRA_HOSTS, path, own: None, pins: ENTRA, example: ENTRA_EXAMPLE }
}

pub(super) static PLATFORMS: [Platform; 29] = [
    // https://docs.github.com/actions/reference/security/oidc; an enterprise may have an issuer of its own. `sub` is
    // what the owner of a repository makes of it, so only beginnings with an owner count.
    Platform {
        own: Some("/"),
        ..platform(
            &["token.actions.githubusercontent.com"],
            &[
                ("repository_owner", Pin::Whole),
                ("repository_owner_id", Pin::Whole),
                ("repository", Pin::Path),
                ("repository_id", Pin::Whole),
                ("enterprise", Pin::Whole),
                ("enterprise_id", Pin::Whole),
                (
                    "sub",
                    Pin::After(&[
                        ("repo:", '/'),
                        ("repository:", '/'),
                        ("repository_owner:", ':'),
                        ("repository_owner_id:", ':'),
                        ("repository_id:", ':'),
                        ("enterprise:", ':'),
                        ("enterprise_id:", ':'),
                    ]),
                ),
            ],
            "repository_owner: acme",
        )
    },
    // https://docs.gitlab.com/ci/secrets/id_token_authentication/
    platform(
        &["gitlab.com"],
        &[
            ("namespace_path", Pin::Path),
            ("namespace_id", Pin::Whole),
            ("project_path", Pin::Path),
            ("project_id", Pin::Whole),
            ("sub", Pin::After(&[("project_path:", '/')])),
        ],
        "namespace_path: acme",
    ),
    // https://developers.google.com/identity/openid-connect/openid-connect
    platform(&["accounts.google.com"], GOOGLE, GOOGLE_EXAMPLE),
    // The same host publishes keys of single accounts and of Firebase.
    Platform { path: "/oauth2", ..platform(&["www.googleapis.com"], GOOGLE, GOOGLE_EXAMPLE) },
    // https://developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials/workload-identity-tokens
    platform(
        &["app.terraform.io", "app.eu.terraform.io"],
        &[
            ("terraform_organization_name", Pin::Whole),
            ("terraform_organization_id", Pin::Whole),
            ("terraform_project_id", Pin::Whole),
            ("terraform_workspace_id", Pin::Whole),
            ("sub", Pin::After(&[("organization:", ':')])),
        ],
        "terraform_organization_name: acme",
    ),
    // https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    entra("/common"),
    entra("/organizations"),
    entra("/consumers"),
    Platform {
        pins: &[("oid", Pin::Whole), ("sub", Pin::Whole)],
        example: "sub: the subject of the account",
        ..entra(PERSONAL)
    },
    // https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create: the issuer is the
    // organization's, https://vstoken.dev.azure.com/ORGANIZATION.
    Platform {
        own: Some("/"),
        ..platform(
            &["vstoken.dev.azure.com"],
            &[
                ("org_id", Pin::Whole),
                ("prj_id", Pin::Whole),
                ("sub", Pin::After(&[("p://", '/'), ("sc://", '/')])),
            ],
            "org_id: 00000000-0000-0000-0000-000000000000",
        )
    },
    // https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/: the
    // issuer is the workspace's. Its ids stand in braces, which are special in a pattern.
    Platform {
        own: Some("/2.0/workspaces/"),
        ..platform(
            &["api.bitbucket.org"],
            &[("workspaceUuid", Pin::Whole), ("repositoryUuid", Pin::Whole)],
            "workspaceUuid: '\\{8f1d2a3b-0000-4000-8000-000000000000\\}'",
        )
    },
    // https://buildkite.com/docs/apis/workload-identity-federation/buildkite-agents: the subject can be another claim,
    // so Buildkite itself asks for one of the organization.
    platform(
        &["agent.buildkite.com"],
        &[
            ("organization_slug", Pin::Whole),
            ("organization_id", Pin::Whole),
            ("pipeline_id", Pin::Whole),
        ],
        "organization_slug: acme",
    ),
    // https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/: the issuer is the
    // organization's, https://oidc.circleci.com/org/ORGANIZATION.
    Platform {
        own: Some("/org/"),
        ..platform(
            &["oidc.circleci.com"],
            &[
                ("oidc.circleci.com/org-id", Pin::Whole),
                ("oidc.circleci.com/project-id", Pin::Whole),
                ("sub", Pin::After(&[("org/", '/')])),
            ],
            "oidc.circleci.com/org-id: 00000000-0000-0000-0000-000000000000",
        )
    },
    // https://codefresh.io/docs/docs/integrations/oidc-pipelines/
    platform(
        &["oidc.codefresh.io"],
        &[
            ("account_id", Pin::Whole),
            ("account_name", Pin::Whole),
            ("sub", Pin::After(&[("account:", ':')])),
        ],
        "account_name: acme",
    ),
    // https://www.pulumi.com/docs/pulumi-cloud/oidc/provider/ and, for /oidc/v2,
    // https://www.pulumi.com/docs/esc/providers/login/debug-oidc-claims/
    platform(
        &["api.pulumi.com"],
        &[
            ("https://pulumi.com/org_id", Pin::Whole),
            ("https://pulumi.com/org", Pin::Whole),
            (
                "sub",
                Pin::After(&[
                    ("pulumi:deploy:org:", ':'),
                    ("pulumi:environments:org:", ':'),
                    ("pulumi:environments:pulumi.organization.login:", ':'),
                ]),
            ),
        ],
        "sub: \"pulumi:deploy:org:acme:**\"",
    ),
    // https://vercel.com/docs/oidc/reference; a team may have an issuer of its own.
    Platform {
        own: Some("/"),
        ..platform(
            &["oidc.vercel.com"],
            &[
                ("owner", Pin::Whole),
                ("owner_id", Pin::Whole),
                ("project_id", Pin::Whole),
                ("sub", Pin::After(&[("owner:", ':')])),
            ],
            "owner: acme",
        )
    },
    // https://ona.com/docs/ona/configuration/oidc (formerly Gitpod)
    platform(
        &["app.gitpod.io", "api.gitpod.io", "app.ona.com"],
        &[
            ("organization_id", Pin::Whole),
            ("sub", Pin::After(&[("org:", '/'), ("organization_id:", ':')])),
        ],
        "organization_id: 00000000-0000-0000-0000-000000000000",
    ),
    // https://modal.com/docs/guide/oidc-integration
    platform(
        &["oidc.modal.com"],
        &[("workspace_id", Pin::Whole), ("sub", Pin::After(&[("modal:workspace_id:", ':')]))],
        "workspace_id: ac-12345abcd",
    ),
    // https://depot.dev/docs/ci/oidc
    platform(
        &["identity.depot.dev"],
        &[
            ("org_id", Pin::Whole),
            ("sub", Pin::After(&[("spiffe://identity.depot.dev/org/", '/')])),
        ],
        "org_id: the id of the organization",
    ),
    // https://namespace.so/docs/federation
    platform(
        &["federation.namespaceapis.com"],
        &[("tenant_id", Pin::Whole)],
        "tenant_id: the id of the workspace",
    ),
    // https://docs.envzero.com/guides/integrations/oidc-integrations: the subject is the organization's.
    platform(&["login.app.env0.com"], PERSON, "sub: the subject of the organization"),
    // https://huggingface.co/docs/hub/oauth
    platform(
        &["huggingface.co"],
        &[("sub", Pin::Whole), ("preferred_username", Pin::Whole), ("email", Pin::Mail)],
        "sub: the id of the account",
    ),
    // https://docs.sigstore.dev/certificate_authority/oidc-in-fulcio/
    platform(&["oauth2.sigstore.dev"], PERSON_WITH_MAIL, "email: ci@acme.example"),
    // https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple
    platform(&["appleid.apple.com"], PERSON_WITH_MAIL, "sub: the subject of the account"),
    // https://api.slack.com/authentication/sign-in-with-slack; the mail address is what a workspace says.
    platform(
        &["slack.com"],
        &[("https://slack.com/team_id", Pin::Whole), ("sub", Pin::Whole)],
        "\"https://slack.com/team_id\": T12345678",
    ),
    // https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm: the subject is an address
    // with the organization in it.
    platform(
        &["login.salesforce.com"],
        &[("sub", Pin::After(&[("https://login.salesforce.com/id/", '/')]))],
        "sub: \"https://login.salesforce.com/id/ORGANIZATION/*\"",
    ),
    // https://dev.twitch.tv/docs/authentication/getting-tokens-oidc/
    platform(&["id.twitch.tv"], PERSON, "sub: the subject of the account"),
    // https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
    platform(&["www.linkedin.com"], PERSON_WITH_MAIL, "sub: the subject of the account"),
    // https://developers.facebook.com/docs/facebook-login/limited-login/token
    platform(
        &["www.facebook.com", "facebook.com", "api.login.yahoo.com"],
        PERSON,
        "sub: the subject of the account",
    ),
];

/// Google's own claims. `hd` is the domain of an organization.
const GOOGLE: &[(&str, Pin)] =
    &[("email", Pin::Mail), ("sub", Pin::Whole), ("hd", Pin::Whole), ("azp", Pin::Whole)];
const GOOGLE_EXAMPLE: &str = "email: gateway@acme.iam.gserviceaccount.com";

/// The path of the issuer of personal accounts of Microsoft.
const PERSONAL: &str = "/9188040d-6c67-4c5b-b112-36a304b66dad";

/// Whose tokens an issuer signs, and where it publishes its keys: the platform, if it is for all of its users.
pub(super) fn of(issuer: Option<&str>, keys: Option<&str>) -> Option<&'static Platform> {
    // An issuer that is known decides: what it signs for one customer has the customer's name in it.
    match issuer.and_then(found) {
        Some((platform, is_own)) => (!is_own).then_some(platform),
        None => keys.and_then(found).filter(|(_, is_own)| !is_own).map(|(platform, _)| platform),
    }
}

/// The platform of an address, and whether the address is of one customer.
fn found(address: &str) -> Option<(&'static Platform, bool)> {
    // Google's issuer may be written without a scheme.
    let url = Url::parse(address).or_else(|_| Url::parse(&format!("https://{address}"))).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    let path = url.path().to_ascii_lowercase();
    PLATFORMS.iter().filter(|platform| platform.hosts.contains(&host)).find_map(|platform| {
        let rest = path.strip_prefix(platform.path)?;
        let applies = platform.path == "/" || rest.is_empty() || rest.starts_with('/');
        let customer = platform.own.and_then(|own| path.strip_prefix(own));
        let is_own =
            customer.is_some_and(|name| !name.is_empty() && !name.starts_with(".well-known"));
        applies.then_some((platform, is_own))
    })
}

#[cfg(test)]
mod tests {
    use super::super::pins::PERSONAL_TENANT;
    use super::*;
    use crate::matching::Patterns;

    #[test]
    fn an_issuer_of_one_customer_is_no_platform_whatever_address_its_keys_have() {
        for (issuer, keys) in [
            (
                "https://token.actions.githubusercontent.com/acme",
                "https://token.actions.githubusercontent.com/.well-known/jwks",
            ),
            (
                "https://oidc.circleci.com/org/8f1d2a3b",
                "https://oidc.circleci.com/org/8f1d2a3b/.well-known/jwks-pub.json",
            ),
            ("https://oidc.vercel.com/acme", "https://oidc.vercel.com/.well-known/jwks"),
            (
                "https://vstoken.dev.azure.com/8f1d2a3b",
                "https://vstoken.dev.azure.com/.well-known/jwks",
            ),
            (
                "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
                "https://keys.example.com",
            ),
            (
                "https://securetoken.google.com/acme",
                "https://www.googleapis.com/service_accounts/v1/jwk/securetoken",
            ),
        ] {
            assert!(of(Some(issuer), Some(keys)).is_none(), "{issuer}");
        }
        for (issuer, keys) in [
            ("https://token.actions.githubusercontent.com", "https://keys.example.com"),
            ("https://gitlab.com/", "https://keys.example.com"),
            ("somebody", "https://gitlab.com/oauth/discovery/keys"),
            ("accounts.google.com", "https://www.googleapis.com/oauth2/v3/certs"),
            ("https://oidc.circleci.com", "https://keys.example.com"),
            ("https://login.microsoftonline.com/common/v2.0", "https://keys.example.com"),
            (
                "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
                "https://keys.example.com",
            ),
            ("https://api.pulumi.com/oidc/v2", "https://keys.example.com"),
            ("https://oidc.modal.com", "https://keys.example.com"),
        ] {
            assert!(of(Some(issuer), Some(keys)).is_some(), "{issuer}");
        }
    }

    #[test]
    fn the_example_of_each_platform_names_an_owner() {
        assert!(PERSONAL.ends_with(PERSONAL_TENANT));
        for platform in &PLATFORMS {
            let text = platform.example;
            let (claim, value) = text.split_once(": ").expect("a claim and its value");
            let claim = claim.trim_matches('"');
            let (_, pin) = platform.pins.iter().find(|(name, _)| *name == claim).expect(text);
            let value = value.trim_matches(['"', '\'']).to_owned();
            let patterns = Patterns::parse(&[value]).expect(text);
            assert!(pin.holds(&patterns), "{text}");
        }
    }
}
