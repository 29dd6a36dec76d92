//! Settings that are accepted but would not do what their author expects.

use super::*;

fn warnings_with(piece: &str, instead: &str) -> Vec<String> {
    let (report, plan) = Site::new(&GOOD.replacen(piece, instead, 1)).check();
    assert!(plan.is_some(), "{}", report.render(false));
    report.warnings.iter().map(|warning| warning.message.clone()).collect()
}

fn messages_with(piece: &str, instead: &str) -> Vec<String> {
    let (report, _) = Site::new(&GOOD.replacen(piece, instead, 1)).check();
    report.faults.iter().map(|fault| fault.message.clone()).collect()
}

const SOURCE: &str = "github: { provider: github, secrets: [{ env: GITHUB_SECRET }] }";
const ON: &str = "{ source: github, event: push }";

#[test]
fn what_no_sender_of_a_route_ever_says_is_warned_of() {
    let with = |source: &str, on: &str| {
        let text = GOOD.replace(SOURCE, source).replace(ON, on);
        let (report, plan) = Site::new(&text).check();
        assert!(plan.is_some(), "{}", report.render(false));
        let others = report.warnings.iter().filter(|fault| !fault.message.contains("say `fork:`"));
        others.map(|warning| warning.message.clone()).collect::<Vec<_>>()
    };
    let stripe = "s: { provider: stripe, secrets: [{ env: S }] }";
    assert_eq!(
        with(stripe, "{ source: s, branch: main }"),
        ["`branch` never matches here: Stripe tells nothing of git"]
    );
    assert_eq!(
        with(stripe, "{ source: s, claims: { sub: me } }"),
        ["`claims` never matches here: Stripe sends no token with claims"]
    );
    assert_eq!(
        with(SOURCE, "{ source: github, command: retrain }"),
        ["this route takes no command from a comment, since anybody may comment"]
    );
    assert_eq!(
        with(stripe, "{ source: s, command: retrain }"),
        ["`command` never matches here: Stripe takes no commands from people"]
    );
    // One sender that provides it is enough.
    let both = format!("{SOURCE}\n  {stripe}");
    assert!(with(&both, "{ source: [github, s], branch: main }").is_empty());
    assert!(warnings_with("event: push", "event: push, branch: main").is_empty());
}

#[test]
fn a_secret_in_the_place_of_a_variables_name_is_refused_and_not_repeated() {
    for secret in ["hunter2 hunter2", "whsec_c2VjcmV0Cg+/", "s3cret!", "7up", "${NAME}"] {
        let text = GOOD.replace("env: GITHUB_SECRET", &format!("env: \"{secret}\""));
        let (report, plan) = Site::new(&text).check();
        assert!(plan.is_none());
        let text = report.render(false);
        assert!(text.contains("not the name of a variable"), "{text}");
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_time_that_lets_nothing_or_anything_through_is_refused() {
    for (tolerance, message) in
        [("0s", "this must be more than zero"), ("8d", "`tolerance` is more than 7 days")]
    {
        let stripe = format!(
            "github: {{ provider: stripe, tolerance: {tolerance}, secrets: [{{ env: S }}] }}"
        );
        assert_eq!(messages_with(SOURCE, &stripe), [message]);
    }
}

#[test]
fn a_secret_that_is_learnt_needs_a_file() {
    let asana = "github: { provider: asana, learn_secret: true, secrets: [{ env: S }] }";
    assert_eq!(
        messages_with(SOURCE, asana),
        ["a secret that is learnt needs a file to be kept in"]
    );
    let file = asana.replace("env: S", "file: asana-secret");
    assert_eq!(messages_with(SOURCE, &file), Vec::<String>::new());
}

#[test]
fn claims_that_every_stranger_has_keep_nobody_out() {
    for pattern in ["\"*\"", "\"**\"", "\"zz*\""] {
        let ci = format!(
            "github: {{ provider: jwt, preset: github-actions, audience: [a], required_claims: \
             {{ repository_owner: {pattern} }} }}"
        );
        let found = messages_with(SOURCE, &ci);
        assert!(found[0].contains("keep strangers out"), "{found:?}");
    }
}

#[test]
fn more_starts_at_once_than_one_job_may_have_are_refused() {
    let with = |count: &str| {
        messages_with("api_key: alice }", &format!("api_key: alice, starts_at_once: {count} }}"))
    };
    assert!(with("128").is_empty());
    assert_eq!(with("129"), ["these are too many starts at once"]);
}
