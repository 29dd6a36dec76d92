//! What `check` finds about the secrets themselves, and about who may read and change the files.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::config::{Effect, Live};

/// The small configuration with its secrets in files, and an admin token.
fn site(webhook: &str, admin: &str, key: &str) -> Site {
    let text = GOOD
        .replace("{ env: CDSW_ALICE }", "{ file: key }")
        .replace("[{ env: GITHUB_SECRET }]", "[{ file: webhook }]");
    let site =
        Site::new(&format!("server: {{ admin_tokens: {{ ops: {{ file: admin }} }} }}\n{text}"));
    for (name, secret) in [("webhook", webhook), ("admin", admin), ("key", key)] {
        site.write(name, format!("{secret}\n"));
        set(&site, name, 0o600);
    }
    site
}

fn set(site: &Site, name: &str, mode: u32) {
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(site.directory.path().join(name), permissions).expect("set");
}

const ONE: &str = "0f4c7a91d2be63587f10";
const TWO: &str = "b6d1e8034f9a275cc3e8";
const THREE: &str = "5a90ce71fd2846b3e07d";

#[test]
fn short_secrets_and_tokens_are_refused_at_their_place_and_not_shown() {
    assert!(site(ONE, TWO, "short").check().0.is_empty());
    for (webhook, admin, said) in [
        ("kurz7", TWO, "the secret of source `github` has fewer than 16 bytes"),
        (ONE, "kurz7", "the admin token `ops` has fewer than 16 bytes"),
        ("aaaaaaaaaaaaaaaaaaaaaaa", TWO, "fewer than 6 different bytes"),
    ] {
        let site = site(webhook, admin, THREE);
        let (report, plan) = site.check();
        assert!(plan.is_none());
        assert_eq!(report.faults.len(), 1, "{report}");
        let fault = &report.faults[0];
        assert!(fault.message.contains(said), "{fault}");
        assert_eq!(fault.effect, Effect::Tolerated);
        assert!(fault.line > 0 && !report.render(false).contains(webhook), "{report}");
        // A running gateway does not become deaf by an upgrade.
        let live = Live::start(&site.path()).expect("in force");
        assert_eq!(live.plan().routes.len(), 1);
    }
}

#[tokio::test]
async fn a_running_gateway_says_what_check_refuses() {
    let site = site("kurz7", "kurz7", "kurz7");
    let live = Live::start(&site.path()).expect("in force");
    let words = |doubts: Vec<crate::config::Doubt>| {
        doubts.into_iter().map(|doubt| (doubt.refused, doubt.words)).collect::<Vec<_>>()
    };
    let all = words(live.doubts(true).await);
    assert_eq!(all.iter().filter(|(refused, _)| *refused).count(), 2, "{all:?}");
    assert_eq!(all.iter().filter(|(refused, _)| !*refused).count(), 3, "{all:?}");
    let without_keys = words(live.doubts(false).await);
    let inside = |words: &str| words.contains("API key") || words.contains("admin token");
    assert!(without_keys.iter().all(|(_, words)| !inside(words)), "{without_keys:?}");
    assert_eq!(without_keys.len(), 1);
}

#[test]
fn one_secret_for_two_purposes_is_warned_of() {
    let warnings = |site: Site| {
        let (report, plan) = site.check();
        assert!(plan.is_some(), "{report}");
        report.warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        warnings(site(ONE, ONE, TWO)),
        ["the admin token `ops` is also the secret of source `github`"]
    );
    assert_eq!(
        warnings(site(ONE, TWO, ONE)),
        ["the API key `alice` is also the secret of source `github`"]
    );
    // The same reference is the same secret, even if nobody can read it here.
    let two = GOOD.replace(
        "  github:",
        "  other: { provider: github, secrets: [{ env: GITHUB_SECRET }] }\n  github:",
    );
    let found = warnings(Site::new(&two.replace("source: github", "source: [github, other]")));
    assert_eq!(found, ["the secret of source `other` is also the secret of source `github`"]);
}

#[test]
fn secrets_that_others_read_and_files_that_others_change_are_warned_of() {
    let site = site(ONE, TWO, THREE);
    site.write("routes.d/a.yaml", "routes: {}\n");
    assert!(site.check().0.is_empty(), "{}", site.check().0);
    let directory = site.directory.path().display().to_string();
    for (name, mode, said) in [
        ("webhook", 0o640, "the group of this file can read the file of this secret"),
        ("webhook", 0o604, "everyone on this machine can read the file of this secret"),
        ("key", 0o620, "the group of this file can change the file of this secret"),
        ("admin", 0o666, "everyone on this machine can read and change the file of this secret"),
        ("gateway.yaml", 0o666, "everyone on this machine can change this"),
        ("routes.d", 0o777, "everyone on this machine can change this"),
        ("routes.d", 0o775, "the group of this file can change this"),
        ("routes.d/a.yaml", 0o664, "the group of this file can change this"),
        ("", 0o770, "the group of this file can change this"),
    ] {
        let path = site.directory.path().join(name);
        let before = std::fs::metadata(&path).expect("there").permissions().mode();
        set(&site, name, mode);
        let (report, plan) = site.check();
        assert!(plan.is_some() && report.warnings.len() == 1, "{name}: {report}");
        let warning = &report.warnings[0];
        assert!(warning.message.contains(said), "{name}: {warning}");
        let hint = warning.hint.as_deref().unwrap_or_default();
        assert!(hint.starts_with("chmod go-") && hint.contains(&directory), "{hint}");
        set(&site, name, before);
    }
}
