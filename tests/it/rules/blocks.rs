//! Several blocks in `on:`, `ref:`, and the order of an explanation.

use super::*;

fn words(judged: &Judged, name: &str) -> String {
    let route =
        judged.explanation.routes.iter().find(|route| &*route.route == name).expect("tested");
    route.words.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn one_block_of_several_is_enough_and_the_explanation_says_which() {
    let plan = plan(
        "",
        "  either:\n    on:\n      - { source: github, event: push, branch: main, path: \"models/**\" }\n      \
         - { source: github, event: push, tag: \"v*\" }\n      \
         - { source: github, event: release }\n    if: \"!git.deleted\"\n    job: retrain",
    );
    let to = |git_ref: &str, file: &str| judged(&plan, "push", &push(git_ref, "ada", &[file]));
    let branch = to("refs/heads/main", "models/a.py");
    assert_eq!(
        (matched(&branch), words(&branch, "either")),
        (vec!["either"], "by block 1 of `on`".to_owned())
    );
    assert_eq!(branch.runs.len(), 1, "one run, however many blocks hold");
    let tag = to("refs/tags/v1", "x");
    assert_eq!(
        (matched(&tag), words(&tag, "either")),
        (vec!["either"], "by block 2 of `on`".to_owned())
    );
    let other = to("refs/heads/main", "docs/a.md");
    assert_eq!(
        missed(&other, "either"),
        "path: wanted models/**; only docs/a.md was changed (block 1 of `on`)"
    );
    assert_eq!(
        missed(&to("refs/heads/dev", "x"), "either"),
        "tag: wanted v*; this event has no tag (block 2 of `on`)"
    );
}

#[test]
fn a_block_that_holds_for_sure_counts_before_one_that_may_hold() {
    let plan = plan(
        "",
        "  r:\n    on_unknown_paths: hold\n    on:\n      - { source: github, path: \"models/**\" }\n      \
         - { source: github, author: ada }\n    job: retrain",
    );
    let mut push = push("refs/heads/new", "ada", &[]);
    push["commits"] = json!([]);
    push["before"] = json!("0".repeat(40));
    push["created"] = json!(true);
    let sure = judged(&plan, "push", &push);
    assert!(matches!(sure.runs[0].mapped, Mapped::Ready(_)), "{:?}", sure.runs[0].mapped);
    push["pusher"]["name"] = json!("grace");
    push["sender"]["login"] = json!("grace");
    let doubtful = judged(&plan, "push", &push);
    let Mapped::Held(_, reason) = &doubtful.runs[0].mapped else { panic!("held") };
    assert!(reason.starts_with("by block 1 of `on`; path: "), "{reason}");
}

#[test]
fn a_block_counts_for_its_own_sources_alone() {
    let plan = plan(
        " }, other: { provider: token, header: X-Token, secrets: [{ env: S }]",
        "  r:\n    on:\n      - { source: other }\n      - { source: github, branch: main }\n    job: retrain",
    );
    assert_eq!(plan.routes[0].sources.len(), 2);
    assert_eq!(plan.index.of_source("other"), [0]);
    assert_eq!(plan.index.of_source("github"), [0]);
    let dev = judged(&plan, "push", &push("refs/heads/dev", "ada", &["x"]));
    assert_eq!(missed(&dev, "r"), "branch: wanted main; it is dev (block 2 of `on`)");
}

#[test]
fn a_ref_is_a_branch_or_a_tag_by_its_name_or_in_full() {
    let plan = plan(
        "",
        "  short: { on: { source: github, ref: [main, \"v*\"] }, job: retrain }\n  \
         full: { on: { source: github, ref: [refs/heads/main, \"refs/tags/v*\"] }, job: retrain }\n  \
         tags: { on: { source: github, ref: [\"**\", \"!refs/heads/**\"] }, job: retrain }\n  \
         r: { on: { source: github, ref: \"r**\" }, job: retrain }",
    );
    let to = |git_ref: &str| {
        let judged = judged(&plan, "push", &push(git_ref, "ada", &["x"]));
        matched(&judged).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(to("refs/heads/main"), ["full", "short"]);
    assert_eq!(to("refs/tags/v1.2.3"), ["full", "short", "tags"]);
    assert_eq!(to("refs/tags/main"), ["short", "tags"]);
    assert_eq!(to("refs/heads/v1"), ["short"]);
    assert_eq!(to("refs/heads/dev"), [""; 0]);
    assert_eq!(to("refs/heads/release"), ["r"]);
    let dev = judged(&plan, "push", &push("refs/heads/dev", "ada", &["x"]));
    assert_eq!(missed(&dev, "short"), "ref: wanted main or v*; it is the branch dev");
    let issue =
        json!({ "action": "opened", "repository": { "full_name": "acme/risk" }, "issue": {} });
    let none = judged(&plan, "issues", &issue);
    assert!(missed(&none, "short").starts_with("ref: this event "));
}

#[test]
fn the_nearest_misses_come_first() {
    let plan = plan(
        "",
        "  a: { on: { source: github, event: release }, job: retrain }\n  \
         b: { on: { source: github, event: push, branch: dev }, job: retrain }\n  \
         c: { on: { source: github, event: push }, if: \"git.author == 'grace'\", job: retrain }\n  \
         d: { on: { source: github, event: push }, job: retrain }\n  \
         e: { on: { source: github, repository: other/x }, job: retrain }\n  \
         f: { on: { source: github, path: \"models/**\" }, job: retrain }",
    );
    let judged = judged(&plan, "push", &push("refs/heads/main", "ada", &["x"]));
    let order: Vec<&str> = judged.explanation.routes.iter().map(|route| &*route.route).collect();
    assert_eq!(order, ["d", "c", "f", "b", "e", "a"]);
}

#[test]
fn a_false_condition_shows_what_it_compared_apart_from_its_words() {
    let plan = plan(
        "",
        "  r: { on: { source: github }, if: \"event.kind == 'push' && body.sender.login == 'grace'\", job: retrain }",
    );
    let judged = judged(&plan, "push", &push("refs/heads/main", "ada", &["x"]));
    assert_eq!(
        missed(&judged, "r"),
        "if: `event.kind == 'push' && body.sender.login == 'grace'` is false, \
         since `body.sender.login == \"grace\"` is false"
    );
    let values: Vec<_> =
        judged.explanation.routes[0].values.iter().map(|one| (&*one.what, &*one.value)).collect();
    assert_eq!(values, [("body.sender.login", "\"ada\"")]);
    let kept = serde_json::to_string(&judged.explanation).expect("JSON");
    assert!(kept.contains("\"values\""), "{kept}");
}
