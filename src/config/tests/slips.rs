//! Mistakes that a first reader of the documentation makes, and the messages for them.

use super::*;

/// The secrets of the source in the small configuration.
const SECRETS: &str = "secrets: [{ env: GITHUB_SECRET }]";

/// The warnings of a configuration in which one piece of text was replaced.
fn warnings_with(from: &str, to: &str) -> Vec<String> {
    let (report, _) = Site::new(&GOOD.replace(from, to)).check();
    assert!(report.is_good(), "{report}");
    report.warnings.iter().map(|fault| format!("{} {:?}", fault.message, fault.hint)).collect()
}

#[test]
fn an_expression_that_is_written_as_a_hole_is_said_to_need_none() {
    let condition = "    job: retrain\n    if: \"${{ git.branch == 'main' }}\"\n";
    let faults = faults_with("    job: retrain\n", condition);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("drop `${{` and `}}`"), "{faults:?}");
}

#[test]
fn a_hole_that_lacks_a_sign_is_warned_of_and_other_templates_are_not() {
    let env = |text: &str| format!("    job: retrain\n    env: {{ A: \"{text}\" }}\n");
    for text in ["${ git.sha }", "at {{ git.sha }}", "{{body.ref}}"] {
        let warnings = warnings_with("    job: retrain\n", &env(text));
        assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
        assert!(warnings[0].contains("write `${{ "), "{warnings:?}");
    }
    for text in ["${{ git.sha }}", "${HOME}/{{ user.name }}", "$${{ git.sha }}", "{{ 5 }}", "${"] {
        assert_eq!(warnings_with("    job: retrain\n", &env(text)), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_reference_of_the_wrong_shape_is_one_fault_with_a_way_out() {
    for (written, hint) in [
        ("secrets: [{ command: \"vault kv get\" }]", "such as [vault, kv, get]"),
        ("secrets: hunter2", "write `secrets: [{ env: NAME }]`"),
        ("secrets: { env: S }", "write `secrets: [{ env: NAME }]`"),
    ] {
        let faults = faults_with(SECRETS, written);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains(hint) && !faults[0].contains("hunter2"), "{faults:?}");
    }
}

#[test]
fn a_source_of_tokens_without_keys_is_told_where_they_may_come_from() {
    for options in ["preset: kubernetes", "algorithms: [RS256]"] {
        let jwt = format!("provider: jwt, issuer: \"https://a.example\", audience: [b], {options}");
        let faults = faults_with(&format!("provider: github, {SECRETS}"), &jwt);
        assert!(faults.iter().any(|fault| fault.contains("set `jwks_url`")), "{faults:?}");
    }
}

#[test]
fn an_empty_file_is_warned_of() {
    for text in ["", "# nothing\n", "server: {}\n"] {
        let (report, _) = Site::new(text).check();
        let warnings: Vec<&str> =
            report.warnings.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(warnings, ["nothing is configured"], "{text:?}");
    }
}

#[test]
fn a_secret_that_signs_challenges_is_shared_with_no_other_provider() {
    let both = |secret: &str, other: &str| {
        format!(
            "sources:\n  x: {{ provider: x-twitter, secrets: [{{ env: X_SECRET }}] }}\n  \
             other: {{ provider: {other}, secrets: [{{ env: {secret} }}] }}\n"
        )
    };
    let faults = faults_with("sources:\n", &both("X_SECRET", "github"));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("signs challenges with it"), "{faults:?}");
    for (secret, other) in [("X_SECRET", "x-twitter"), ("OTHER", "github")] {
        let text = GOOD.replace("sources:\n", &both(secret, other));
        let (report, _) = Site::new(&text).check();
        assert!(report.is_good(), "{report}");
    }
}
