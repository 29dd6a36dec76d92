//! Patterns and names in `on:` and `ignore_actors`.

use super::*;

#[test]
fn the_account_of_an_app_is_ignored_by_its_own_name_and_no_other_account_is() {
    let plan = plan(
        ", ignore_actors: [\"github-actions[bot]\", \"ci-*[bot]\"]",
        "  any: { on: { source: github, event: push }, job: retrain }\n  \
         by-bot: { on: { source: github, author: \"dependabot[bot]\" }, job: retrain }",
    );
    let by = |author: &str| judged(&plan, "push", &push("refs/heads/main", author, &["x"]));
    for ignored in ["github-actions[bot]", "ci-retrain[bot]"] {
        let nothing = by(ignored).explanation.nothing.expect("ignored");
        assert_eq!(nothing, format!("the source ignores what {ignored} does (ignore_actors)"));
    }
    assert_eq!(matched(&by("github-actionsb")), ["any"]);
    assert_eq!(matched(&by("ci-retrainb")), ["any"]);
    assert_eq!(matched(&by("dependabot[bot]")), ["any", "by-bot"]);
    assert_eq!(
        missed(&by("dependabotb"), "by-bot"),
        "author: wanted dependabot[bot]; it is dependabotb"
    );
}

#[test]
fn paths_and_tags_are_matched_as_on_github() {
    let plan = plan(
        "",
        "  course: { on: { source: github, path: [\"data/**.dvc\", \"src/**.py\", params.yaml] }, job: retrain }\n  \
         go: { on: { source: github, path: [\"**.go\", go.mod] }, job: retrain }\n  \
         not-docs: { on: { source: github, path: [\"**\", \"!**.md\"] }, job: retrain }\n  \
         js: { on: { source: github, path: \"*.jsx?\" }, job: retrain }\n  \
         release: { on: { source: github, tag: \"v[0-9]+.[0-9]+.[0-9]+\" }, job: retrain }",
    );
    let files = |file: &str| {
        let judged = judged(&plan, "push", &push("refs/heads/main", "ada", &[file]));
        matched(&judged).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(files("data/raw/a.csv.dvc"), ["course", "not-docs"]);
    assert_eq!(files("pkg/a.go"), ["go", "not-docs"]);
    assert_eq!(files("docs2/a.md"), [""; 0]);
    assert_eq!(files("page.js"), ["js", "not-docs"]);
    assert_eq!(files("page.jsxy"), ["not-docs"]);
    let tag = judged(&plan, "push", &push("refs/tags/v1.2.3", "ada", &["a.md"]));
    assert!(matched(&tag).contains(&"release"));
    let other = judged(&plan, "push", &push("refs/tags/v[0-9]+.[0-9]+.[0-9]+", "ada", &["a.md"]));
    assert_eq!(
        missed(&other, "release"),
        "tag: wanted the pattern v[0-9]+.[0-9]+.[0-9]+; it is v[0-9]+.[0-9]+.[0-9]+, whose pattern is \
         v\\[0-9\\]\\+.\\[0-9\\]\\+.\\[0-9\\]\\+"
    );
}

#[test]
fn check_names_each_pattern_whose_meaning_changed_and_no_other() {
    let told = warnings(
        ", ignore_actors: [\"x[bot]\", \"ci-*\"], events: [push, \"issue?\"]",
        "  a: { on: { source: github, path: [\"**.go\", \"src/**\", \"!**/*.md\"], tag: \"v[0-9]+\" }, job: retrain }\n  \
         b: { on: { source: github, author: \"y[bot]\", repository: \"acme/{a,b}\" }, job: retrain }",
    );
    let told = told.join("\n");
    for (text, mend) in [
        ("x[bot]", "list the names"),
        ("issue?", "for a question mark"),
        ("**.go", "write `*` to stay within one folder: `*.go`"),
        ("v[0-9]+", "write `\\+` for a plus sign: `v[0-9]\\+`"),
        ("y[bot]", "nothing is to do where that is the name"),
        ("acme/{a,b}", "write a list: `[\"acme/a\", \"acme/b\"]`"),
    ] {
        let found =
            told.lines().find(|line| line.starts_with(&format!("the meaning of `{text}` changed")));
        assert!(found.is_some_and(|line| line.contains(mend)), "{text}:\n{told}");
    }
    assert_eq!(told.matches("changed: ").count(), 6, "{told}");
}

#[test]
fn a_claim_that_names_an_account_is_taken_as_it_is() {
    let routes = "  a: { on: { source: ci, claims: { actor: \"x[bot]\", ref: \"refs/tags/v[0-9]+\" } }, job: retrain }";
    let source = " }, ci: { provider: jwt, preset: github-actions, audience: gateway, \
                  required_claims: { repository_owner: \"acme?\" }";
    let plan = plan(source, routes);
    let claims = |actor: &str| {
        let text = json!({ "actor": actor, "ref": "refs/tags/v12" }).to_string();
        Value::parse_json(text.as_bytes()).expect("JSON")
    };
    let wanted = &plan.routes[0].on[0].claims;
    assert!(wanted.check(&claims("x[bot]")).is_ok());
    assert!(wanted.check(&claims("xb")).is_err());
}
