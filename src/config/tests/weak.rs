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
        ("changemechangeme", TWO, "one short text again and again"),
        (ONE, "my-admin-password-2026", "the admin token `ops` is made of common words"),
        ("   \t", TWO, "the secret of source `github` is blank"),
    ] {
        let site = site(webhook, admin, THREE);
        let (report, plan) = site.check();
        assert!(plan.is_none());
        assert_eq!(report.faults.len(), 1, "{report}");
        let fault = &report.faults[0];
        assert!(fault.message.contains(said), "{fault}");
        assert_eq!(fault.effect, Effect::Tolerated);
        let shown = report.render(false);
        assert!(fault.line > 0 && !shown.contains(webhook) && !shown.contains(admin), "{report}");
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
fn weak_secrets_are_reported_beside_other_faults_also_those_of_parts_that_are_faulty() {
    let site = site("kurz7", "admin-password-1", THREE);
    let text = std::fs::read_to_string(site.path()).expect("read");
    for (piece, instead) in [
        ("event: push", "evnt: push"),
        ("provider: github", "provider: githubb"),
        ("    url: https://cdsw.example.com\n", ""),
        ("job: retrain\n", "job: retrainn\n"),
    ] {
        assert!(text.contains(piece), "{piece}");
        site.write("gateway.yaml", text.replacen(piece, instead, 1));
        let (report, plan) = site.check();
        assert!(plan.is_none());
        let says = |what: &str| report.faults.iter().any(|fault| fault.message.contains(what));
        assert!(report.faults.len() >= 3, "{report}");
        assert!(says("the secret of source `github` has fewer than 16 bytes"), "{report}");
        assert!(says("the admin token `ops` is made of common words"), "{report}");
    }
    set(&site, "key", 0o644);
    let said = site.check().0.render(false);
    assert!(said.contains("can read the file of this secret"), "{said}");
}

#[test]
fn white_space_at_an_end_of_a_secret_is_warned_of_and_one_line_end_is_not() {
    let site = site(ONE, TWO, THREE);
    for (name, content, said) in [
        ("webhook", format!("{ONE}\n\n"), "the secret of source `github` ends with white space"),
        ("webhook", format!("{ONE} "), "the secret of source `github` ends with white space"),
        ("webhook", format!(" {ONE}"), "the secret of source `github` begins with white space"),
        ("admin", format!("\t{TWO} \n"), "the admin token `ops` begins and ends with white space"),
        ("key", format!("{THREE} \r\n"), "the API key `alice` ends with white space"),
    ] {
        site.write(name, &content);
        let (report, plan) = site.check();
        assert!(plan.is_some() && report.warnings.len() == 1, "{report}");
        assert!(report.warnings[0].message.starts_with(said), "{report}");
        let good = [("webhook", ONE), ("admin", TWO), ("key", THREE)];
        for (name, secret) in good {
            site.write(name, format!("{secret}\r\n"));
        }
        assert!(site.check().0.is_empty(), "{}", site.check().0);
    }
}

#[test]
fn a_public_key_that_everyone_can_read_is_no_secret_and_one_that_others_change_is_warned_of() {
    let text = GOOD
        .replace(
            "provider: github, secrets: [{ env: GITHUB_SECRET }]",
            "provider: travis-ci, secrets: [{ file: travis.pem }]",
        )
        .replace("event: push", "repository: acme/risk, fork: false");
    let site = Site::new(&text);
    site.write("travis.pem", "-----BEGIN PUBLIC KEY-----\n");
    set(&site, "travis.pem", 0o644);
    assert!(site.check().0.is_empty(), "{}", site.check().0);
    set(&site, "travis.pem", 0o646);
    let (report, _) = site.check();
    assert!(report.warnings[0].message.contains("can change the file"), "{report}");
}

#[test]
fn a_directory_in_which_others_can_replace_a_secret_is_warned_of_also_behind_a_link() {
    use std::os::unix::fs::symlink;
    let site = site(ONE, TWO, THREE);
    let text = std::fs::read_to_string(site.path()).expect("read");
    site.write("gateway.yaml", text.replace("file: webhook", "file: secrets/webhook"));
    site.write("elsewhere/webhook", ONE);
    set(&site, "elsewhere/webhook", 0o600);
    symlink("elsewhere", site.directory.path().join("secrets")).expect("linked");
    assert!(site.check().0.is_empty(), "{}", site.check().0);
    for (mode, said) in [
        (0o777, "everyone on this machine can put another file in the place of this secret"),
        (0o1777, "everyone on this machine can make the file of this secret"),
    ] {
        set(&site, "elsewhere", mode);
        let (report, plan) = site.check();
        assert!(plan.is_some() && report.warnings.len() == 1, "{report}");
        assert!(report.warnings[0].message.starts_with(said), "{report}");
        assert!(report.warnings[0].message.contains("elsewhere"), "{report}");
    }
}

#[test]
fn a_volume_of_kubernetes_has_no_warning() {
    use std::os::unix::fs::symlink;
    let site = site(ONE, TWO, THREE);
    let text = std::fs::read_to_string(site.path()).expect("read");
    site.write("gateway.yaml", text.replace("file: webhook", "file: volume/webhook"));
    site.write("volume/..2026_11_28/webhook", ONE);
    set(&site, "volume/..2026_11_28/webhook", 0o400);
    let volume = site.directory.path().join("volume");
    symlink("..2026_11_28", volume.join("..data")).expect("linked");
    symlink("..data/webhook", volume.join("webhook")).expect("linked");
    set(&site, "volume", 0o1777);
    assert!(site.check().0.is_empty(), "{}", site.check().0);
}

#[test]
fn no_hint_changes_the_mode_of_a_device_that_a_link_leads_to() {
    use std::os::unix::fs::symlink;
    let site = site(ONE, TWO, THREE);
    site.write("routes.d/a.yaml", "routes: {}\n");
    symlink("/dev/zero", site.directory.path().join("routes.d/zero.yaml")).expect("linked");
    std::fs::remove_file(site.directory.path().join("webhook")).expect("removed");
    symlink("/dev/full", site.directory.path().join("webhook")).expect("linked");
    let (report, _) = site.check();
    let said = report.render(false);
    assert!(!said.contains("chmod"), "{said}");
    assert!(said.contains("this is no regular file"), "{said}");
}

/// Two sources whose secrets have one value behind two references; the first signs challenges with it.
fn countersigning(second: &str) -> Site {
    let site = site(ONE, TWO, THREE);
    let text = std::fs::read_to_string(site.path()).expect("read");
    let signer = "sources:\n  xt: { provider: x-twitter, secrets: [{ file: xt }] }\n";
    let text = text.replace("sources:\n", signer).replace("source: github", "source: [github, xt]");
    site.write("gateway.yaml", text);
    for (name, secret) in [("xt", ONE), ("webhook", second)] {
        site.write(name, secret);
        set(&site, name, 0o600);
    }
    site
}

#[tokio::test]
async fn a_secret_with_which_another_source_signs_challenges_is_refused_by_its_value() {
    assert!(countersigning(TWO.repeat(2).as_str()).check().1.is_some());
    let site = countersigning(ONE);
    let (report, plan) = site.check();
    assert!(plan.is_none());
    assert_eq!(report.faults.len(), 1, "{report}");
    let fault = &report.faults[0];
    assert!(fault.message.contains("source `github` has a secret of source `xt`"), "{report}");
    assert_eq!((fault.effect, fault.line > 0), (Effect::FileHeldBack, true));
    assert!(!report.render(false).contains(ONE), "{report}");

    // An upgrade starts: the source that could be deceived is the one that is not served.
    let live = Live::start(&site.path()).expect("in force");
    let plan = live.plan();
    let fault = live.source_secrets(&plan.sources["github"]).await.expect_err("not served");
    assert!(fault.to_string().contains("source `xt` has it, too, and signs challenges"), "{fault}");
    assert!(!fault.to_string().contains(ONE));
    assert_eq!(live.source_secrets(&plan.sources["xt"]).await.expect("served").len(), 1);

    // It is served as soon as it has a secret of its own.
    site.write("webhook", "5a90ce71fd2846b3e07d99");
    live.reload().expect("good");
    assert_eq!(live.source_secrets(&plan.sources["github"]).await.expect("served").len(), 1);
}

#[test]
fn a_reload_that_would_share_a_secret_with_a_source_that_signs_challenges_is_refused() {
    let site = countersigning(THREE);
    let live = Live::start(&site.path()).expect("in force");
    site.write("webhook", ONE);
    let text = std::fs::read_to_string(site.path()).expect("read");
    site.write("gateway.yaml", text.replace("event: push", "event: tag"));
    let before = live.plan().version.clone();
    let refused = live.reload().expect_err("refused");
    assert!(refused.render(false).contains("signs challenges with it"), "{refused}");
    assert_eq!(live.plan().version, before);
    site.write("webhook", TWO);
    live.reload().expect("good");
    assert_ne!(live.plan().version, before);
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
        assert!(hint.starts_with("chmod g") && hint.contains(&directory), "{hint}");
        set(&site, name, before);
    }
}
