//! Settings that let more people in than their author may expect: some are refused by `check` and tolerated by a
//! running gateway for one version, some are warned of.

use super::*;
use crate::config::{Effect, Live};

/// The messages of faults with this effect, and of warnings.
fn found(text: &str) -> (Vec<String>, Vec<String>) {
    let (report, plan) = Site::new(text).check();
    assert_eq!(plan.is_none(), !report.is_good(), "{report}");
    let tolerated = report.faults.iter().filter(|fault| fault.effect == Effect::Tolerated);
    assert_eq!(tolerated.clone().count(), report.faults.len(), "{report}");
    let texts = |fault: &crate::config::Fault| {
        format!("{} ({})", fault.message, fault.hint.as_deref().unwrap_or_default())
    };
    (tolerated.map(texts).collect(), report.warnings.iter().map(texts).collect())
}

/// The small configuration with another source and other conditions.
fn with(source: &str, on: &str) -> String {
    GOOD.replace("{ provider: github, secrets: [{ env: GITHUB_SECRET }] }", source)
        .replace("{ source: github, event: push }", on)
}

/// A running gateway keeps in force what `check` refuses, and says so.
fn still_served(text: &str) {
    let live = Live::start(&Site::new(text).path()).expect("in force");
    assert_eq!(live.plan().routes.len(), 1);
    assert_eq!((live.faults(), live.tolerated()), (0, 1));
    let said = live.last_report().render(false);
    assert!(said.contains("`serve` accepts this in this version"), "{said}");
}

#[test]
fn a_route_of_a_sender_with_one_key_for_all_users_asks_for_the_repository() {
    let travis = "{ provider: travis-ci, secrets: [{ file: travis.pem }] }";
    let open = "{ source: github, event: push }";
    for on in [
        open,
        "{ source: github, branch: main }",
        "{ source: github, repository: \"**\" }",
        "{ source: github, repository: \"*/*\" }",
        "{ source: github, repository: [\"**\", \"!acme/old\"] }",
        "{ source: github, repository: \"*/risk\" }",
        "{ source: github, repository: \"acme*/*\" }",
        "{ source: github, repository: \"a*\" }",
        "{ source: github, repository: [acme/risk, \"**/risk\"] }",
    ] {
        let (faults, _) = found(&with(travis, on));
        assert_eq!(faults.len(), 1, "{on}: {faults:?}");
        assert!(faults[0].contains("everyone on Travis CI can start"), "{faults:?}");
        assert!(faults[0].contains("repository: acme/risk"), "{faults:?}");
    }
    for on in
        ["{ source: github, repository: acme/risk }", "{ source: github, repository: \"acme/*\" }"]
    {
        assert!(found(&with(travis, on)).0.is_empty(), "{on}");
    }
    still_served(&with(travis, open));
}

#[test]
fn a_source_of_tokens_of_a_public_platform_asks_for_the_owner() {
    let on = "{ source: github }";
    let jwt = |issuer: &str, more: &str| {
        format!(
            "{{ provider: jwt, issuer: \"{issuer}\", jwks_url: \"https://keys.example.com/jwks\", audience: [a], \
             algorithms: [RS256]{more} }}"
        )
    };
    for issuer in [
        "https://token.actions.githubusercontent.com",
        "https://TOKEN.actions.githubusercontent.com/",
        "https://gitlab.com",
        "https://accounts.google.com",
        "accounts.google.com",
        "https://app.terraform.io",
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/organizations/v2.0",
        "https://agent.buildkite.com",
        "https://oidc.vercel.com",
    ] {
        let (faults, _) = found(&with(&jwt(issuer, ""), on));
        assert_eq!(faults.len(), 1, "{issuer}: {faults:?}");
        assert!(faults[0].contains("believes everyone on"), "{faults:?}");
        assert!(faults[0].contains("add `required_claims: {"), "{faults:?}");
        for claims in
            ["sub: \"**\"", "ref: refs/heads/main", "sub: \"repo:*\"", "email: \"*@gmail.com\""]
        {
            let claims = format!(", required_claims: {{ {claims} }}");
            let (faults, _) = found(&with(&jwt(issuer, &claims), on));
            assert_eq!(faults.len(), 1, "{issuer} {claims}: {faults:?}");
            assert!(
                faults[0].contains("none of its `required_claims` names an owner"),
                "{faults:?}"
            );
        }
        still_served(&with(&jwt(issuer, ""), on));
    }
    for issuer in [
        "https://login.example.com",
        "https://login.microsoftonline.com/8f1d2a3b-0000-4000-8000-000000000000/v2.0",
        "https://gitlab.example.com",
        "https://token.actions.githubusercontent.com/acme",
        "https://oidc.circleci.com/org/8f1d2a3b-0000-4000-8000-000000000000",
    ] {
        assert!(found(&with(&jwt(issuer, ""), on)).0.is_empty(), "{issuer}");
    }
    // The keys tell the platform too.
    let keys = jwt("https://gitlab.com", "").replace("keys.example.com", "gitlab.com");
    assert_eq!(found(&with(&keys, on)).0.len(), 1);
}

#[test]
fn a_required_claim_must_name_the_owner_in_full() {
    let jwt = |issuer: &str, claims: &str| {
        let source = format!(
            "{{ provider: jwt, issuer: \"{issuer}\", jwks_url: \"https://keys.example.com/jwks\", audience: [a], \
             algorithms: [RS256], required_claims: {{ {claims} }} }}"
        );
        with(&source, "{ source: github }")
    };
    let github = "https://token.actions.githubusercontent.com";
    let gitlab = "https://gitlab.com";
    let google = "https://accounts.google.com";
    let circleci = "https://oidc.circleci.com";
    let buildkite = "https://agent.buildkite.com";
    let pulumi = "https://api.pulumi.com/oidc";
    for (issuer, claims) in [
        (github, "repository_owner: acme"),
        (github, "repository: \"acme/*\""),
        (github, "repository: [acme/risk, beta/risk]"),
        (github, "sub: \"repo:acme/risk:ref:refs/heads/*\""),
        (github, "repository: \"*/risk\", repository_owner_id: \"1234\""),
        (gitlab, "project_path: \"acme/team/**\""),
        (gitlab, "sub: \"project_path:acme/risk:**\""),
        (google, "email: gateway@acme.iam.gserviceaccount.com"),
        (google, "hd: acme.example"),
        (circleci, "sub: \"org/8f1d2a3b/project/**\""),
        (circleci, "oidc.circleci.com/org-id: 8f1d2a3b"),
        (buildkite, "organization_slug: acme"),
        (pulumi, "sub: \"pulumi:deploy:org:acme:**\""),
        (pulumi, "\"https://pulumi.com/org_id\": 8f1d2a3b"),
    ] {
        assert_eq!(found(&jwt(issuer, claims)).0, [""; 0], "{issuer} {claims}");
    }
    for (issuer, claims) in [
        (github, "repository: \"*/risk\""),
        (github, "repository: \"a*\""),
        (github, "repository: \"acme*/*\""),
        (github, "repository: [acme/risk, \"*/risk\"]"),
        (github, "repository_owner: \"acme*\""),
        (github, "sub: \"repo:*\""),
        (github, "sub: \"repo:*/risk:**\""),
        (github, "sub: environment:production"),
        // Everyone may call a public reusable workflow, and cause a job in a repository that takes pull requests.
        (github, "job_workflow_ref: \"acme/shared/.github/workflows/x.yml@*\""),
        (github, "actor: alice"),
        (github, "environment: production"),
        (gitlab, "project_path: \"acme*/risk\""),
        (gitlab, "user_login: alice"),
        (google, "email: \"*@*.iam.gserviceaccount.com\""),
        (google, "email_verified: \"true\""),
        (circleci, "sub: \"org/*/project/8f1d2a3b/**\""),
        (circleci, "oidc.circleci.com/vcs-ref: refs/heads/main"),
        (buildkite, "pipeline_slug: risk"),
        (buildkite, "sub: \"organization:acme:*\""),
        (pulumi, "sub: \"pulumi:deploy:org:*:project:risk:**\""),
    ] {
        let (faults, _) = found(&jwt(issuer, claims));
        assert_eq!(faults.len(), 1, "{issuer} {claims}: {faults:?}");
        still_served(&jwt(issuer, claims));
    }
}

#[test]
fn a_preset_asks_for_the_owner_in_full_too_and_an_upgrade_stops_nothing() {
    let on = "{ source: github }";
    let preset = |preset: &str, claims: &str| {
        format!(
            "{{ provider: jwt, preset: {preset}, audience: [a], required_claims: {{ {claims} }} }}"
        )
    };
    for (name, claims) in [
        ("github-actions", "repository: acme/risk"),
        ("github-actions", "repository_owner: acme"),
        ("gitlab", "namespace_path: acme"),
        ("google", "email: gateway@acme.iam.gserviceaccount.com"),
    ] {
        assert_eq!(found(&with(&preset(name, claims), on)).0, [""; 0], "{claims}");
    }
    for (name, claims) in [
        ("github-actions", "job_workflow_ref: \"acme/shared/.github/workflows/x.yml@v1\""),
        ("github-actions", "repository: \"acme*/*\""),
        ("gitlab", "project_path: \"a*/risk\""),
        ("google", "email: \"*@acme*.example\""),
    ] {
        let text = with(&preset(name, claims), on);
        assert_eq!(found(&text).0.len(), 1, "{claims}");
        still_served(&text);
    }
}

#[test]
fn a_source_of_google_chat_that_names_only_its_own_address_is_warned_of() {
    let warned = |audience: &str| {
        let source = format!("{{ provider: google-chat, audience: [\"{audience}\"] }}");
        let (faults, warnings) = found(&with(&source, "{ source: github, user: users/1 }"));
        assert!(faults.is_empty(), "{faults:?}");
        warnings.iter().any(|warning| warning.contains("every app of Google Chat"))
    };
    assert!(warned("https://hooks.example.com/hooks/chat"));
    assert!(!warned("1234567890"));
}

#[test]
fn a_variable_with_a_newly_reserved_name_is_refused_by_check_and_still_served() {
    let with = |line: &str| {
        GOOD.replace("    job: retrain\n", &format!("    job: retrain\n    env: {{ {line} }}\n"))
    };
    for name in ["RUBYLIB", "GIT_PAGER", "npm_config_registry", "SSLKEYLOGFILE"] {
        let (faults, _) = found(&with(&format!("{name}: x")));
        assert_eq!(faults.len(), 1, "{name}: {faults:?}");
        assert!(faults[0].contains(&format!("`{name}` is reserved")), "{faults:?}");
        assert!(faults[0].contains(&format!("allow_reserved: [{name}]")), "{faults:?}");
        still_served(&with(&format!("{name}: x")));
        let allowed = with(&format!("{name}: x"))
            .replace("api_key: alice }", &format!("api_key: alice, allow_reserved: [{name}] }}"));
        assert!(found(&allowed).0.is_empty(), "{name}");
    }
    assert!(found(&with("GIT_SHA: x, CUDA_VISIBLE_DEVICES: \"0\"")).0.is_empty());
}

#[test]
fn a_route_for_commands_of_a_chat_asks_for_people_or_a_channel() {
    let slack = "{ provider: slack, secrets: [{ env: S }] }";
    let warned = |on: &str| {
        let (_, warnings) = found(&with(slack, on));
        warnings.iter().any(|warning| warning.contains("everyone in the chat can start"))
    };
    for on in [
        "{ source: github, command: retrain }",
        "{ source: github }",
        "{ source: github, command: retrain, channel: \"*\" }",
    ] {
        assert!(warned(on), "{on}");
    }
    for on in [
        "{ source: github, command: retrain, channel: ml }",
        "{ source: github, command: retrain, user: [U123, U456] }",
        "{ source: github, event: message }",
        "{ source: github, command: retrain }\n    if: command.user == 'U123'",
    ] {
        assert!(!warned(on), "{on}");
    }
    assert!(found(GOOD).1.is_empty());
}

#[test]
fn a_source_that_learns_its_secret_is_warned_of() {
    let asana = "{ provider: asana, learn_secret: true, secrets: [{ file: asana }] }";
    let (_, warnings) = found(&with(asana, "{ source: github }"));
    assert!(warnings[0].contains("learns its secret"), "{warnings:?}");
    let without = asana.replace("learn_secret: true, ", "");
    assert!(found(&with(&without, "{ source: github }")).1.is_empty());
}

#[test]
fn proxies_that_are_a_large_part_of_the_internet_are_warned_of() {
    let warned = |list: &str| {
        let (_, warnings) = found(&format!("server: {{ trusted_proxies: {list} }}\n{GOOD}"));
        warnings.iter().any(|warning| warning.contains("a large part of the internet"))
    };
    let many: Vec<String> = (1..=9).map(|n| format!("{}.0.0.0/12", n * 11)).collect();
    for list in
        ["[0.0.0.0/1, 128.0.0.0/1]", "[64.0.0.0/2]", "[\"::/1\", \"8000::/1\"]", "[\"2000::/3\"]"]
    {
        assert!(warned(list), "{list}");
    }
    assert!(warned(&format!("[{}]", many.join(", "))));
    for list in [
        "[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, \"fd00::/8\"]",
        "[104.16.0.0/13, 172.64.0.0/13, 162.158.0.0/15]",
        "[\"2400:cb00::/32\"]",
        "203.0.113.7",
    ] {
        assert!(!warned(list), "{list}");
    }
}

#[test]
fn an_admin_listener_that_others_reach_is_warned_of() {
    let warnings = |admin: &str| found(&format!("server: {{ admin: \"{admin}\" }}\n{GOOD}")).1;
    assert!(warnings("0.0.0.0:8081")[0].contains("over plain HTTP"));
    assert!(warnings("10.0.0.5:8081")[0].contains("over plain HTTP"));
    for admin in ["127.0.0.1:8081", "[::1]:8081"] {
        assert!(warnings(admin).is_empty(), "{admin}");
    }
}

#[test]
fn check_notes_that_several_files_of_routes_are_no_boundary() {
    let site = Site::new(GOOD);
    site.write("routes.d/a.yaml", "");
    assert!(site.check().0.notes.is_empty());
    site.write("routes.d/b.yaml", "");
    let (report, _) = site.check();
    assert!(report.notes[0].contains("no security boundary"), "{report}");
    assert!(report.render(false).contains("note: routes.d/"), "{report}");
    assert!(report.is_empty(), "a note is no warning: {report}");
}

#[test]
fn an_admin_socket_that_every_user_may_use_is_warned_of() {
    let with = |mode: &str| {
        let text = format!(
            "server: {{ admin: \"unix:admin.sock\", admin_socket: {{ mode: \"{mode}\" }} }}\n"
        );
        let warnings = found(&format!("{text}{GOOD}")).1;
        warnings.iter().filter(|words| words.contains("admin socket")).count()
    };
    for (mode, warned) in [("0600", 0), ("0660", 0), ("0666", 1), ("0777", 1), ("0602", 1)] {
        assert_eq!(with(mode), warned, "{mode}");
    }
}
