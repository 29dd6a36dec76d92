//! Routes that can hardly mean what they say, and mistakes of people who know other programs' files.

use super::*;

const ON: &str = "{ source: github, event: push }";
const JOB: &str = "    job: retrain\n";

/// The warnings of the small configuration with another `on:`.
fn of_on(on: &str) -> Vec<String> {
    of(ON, on)
}

fn of(from: &str, to: &str) -> Vec<String> {
    let (report, plan) = Site::new(&GOOD.replacen(from, to, 1)).check();
    assert!(plan.is_some(), "{to}: {report}");
    let words = |fault: &crate::config::Fault| {
        format!(
            "{}:{} {} ({})",
            fault.line,
            fault.column,
            fault.message,
            fault.hint.as_deref().unwrap_or("-")
        )
    };
    // A route that takes events of every kind is told that it takes no commits from forks; see `changed`.
    let others = report.warnings.iter().filter(|fault| !fault.message.contains("say `fork:`"));
    others.map(words).collect()
}

/// The faults of the small configuration with one piece replaced.
fn faults(from: &str, to: &str) -> Vec<String> {
    faults_with(from, to)
}

#[test]
fn a_condition_that_no_event_can_meet_is_warned_of_with_what_to_write() {
    for (on, wanted) in [
        ("{ source: github, path: /models/** }", "write `models/**`"),
        ("{ source: github, path: [\"./a/**\", b/**] }", "write `a/**`"),
        ("{ source: github, path: \"*.py\" }", "write `**.py`"),
        ("{ source: github, repository: risk }", "write `OWNER/risk`"),
        ("{ source: github, repository: \"https://github.com/acme/risk\" }", "write `acme/risk`"),
        ("{ source: github, event: Push }", "did you mean `push`?"),
        ("{ source: github, branch: main, tag: \"v*\" }", "say `ref:` for either"),
        (
            "{ source: github, event: push, pull_request: { base: main } }",
            "say `event: pull_request`",
        ),
        ("{ source: github, branch: “main” }", "write `main`"),
        ("{ source: github, branch: \"^main$\" }", "write `main`"),
        ("{ source: github, branch: \"main, dev\" }", "write a list: [main, dev]"),
        ("{ source: github, sha: abc1234 }", "put `*` after it"),
        ("{ source: github, deleted: true, path: a/** }", "leave `path` out"),
        (
            "{ source: github, event: pull_request, action: opened, pull_request: { merged: true } }",
            "a request that is merged is `closed`",
        ),
    ] {
        let warnings = of_on(on);
        assert!(warnings.iter().any(|warning| warning.contains(wanted)), "{on}: {warnings:?}");
        assert_eq!(warnings.len(), 1, "{on}: {warnings:?}");
    }
}

#[test]
fn a_repository_of_a_sender_that_has_no_owners_needs_none() {
    let lakefs = "provider: lakefs";
    for (provider, is_warned) in [("provider: github", true), (lakefs, false)] {
        let config = GOOD.replacen("provider: github", provider, 1);
        let config = config.replacen(ON, "{ source: github, repository: claims }", 1);
        let (report, _) = Site::new(&config).check();
        let warned = report.warnings.iter().any(|fault| fault.message.contains("no owner"));
        assert_eq!(warned, is_warned, "{provider}: {report}");
    }
}

#[test]
fn a_fact_that_the_sender_never_tells_of_such_events_is_warned_of() {
    let with = |provider: &str, on: &str| {
        let source =
            format!("github: {{ provider: {provider}, secrets: [{{ env: GITHUB_SECRET }}] }}");
        let text = GOOD
            .replace("github: { provider: github, secrets: [{ env: GITHUB_SECRET }] }", &source);
        let (report, plan) = Site::new(&text.replace(ON, on)).check();
        assert!(plan.is_some(), "{on}: {report}");
        let others = report.warnings.iter().filter(|fault| !fault.message.contains("say `fork:`"));
        others.map(|warning| warning.message.clone()).collect::<Vec<_>>()
    };
    for (provider, on, wanted) in [
        (
            "bitbucket-cloud",
            "{ source: github, event: push, path: a/** }",
            "`path` decides nothing here",
        ),
        ("gitlab", "{ source: github, event: push, forced: true }", "`forced` never holds here"),
        ("gitlab", "{ source: github, forced: true }", "`forced` never holds here"),
        (
            "github",
            "{ source: github, event: push, status: failure }",
            "no `push` event of GitHub tells it",
        ),
        (
            "github",
            "{ source: github, event: [push, create], action: opened }",
            "`action` never holds here",
        ),
        (
            "bitbucket-server",
            "{ source: github, event: push, default_branch: true }",
            "`default_branch` never",
        ),
        ("github", "{ source: github, event: issue_comment, tag: v1 }", "`tag` never holds here"),
    ] {
        let warnings = with(provider, on);
        assert!(
            warnings.iter().any(|warning| warning.contains(wanted)),
            "{provider} {on}: {warnings:?}"
        );
        assert_eq!(warnings.len(), 1, "{provider} {on}: {warnings:?}");
    }
    for (provider, on) in [
        ("github", "{ source: github, event: push, path: a/**, branch: main, forced: true }"),
        ("github", "{ source: github, event: star, path: a/** }"),
        ("gitlab", "{ source: github, event: Push Hook, branch: main }"),
        ("gitlab", "{ source: github, event: pipeline, status: success, branch: main }"),
        ("gitlab", "{ source: github, event: push, deleted: false }"),
        ("bitbucket-cloud", "{ source: github, event: \"repo:*\", branch: main }"),
    ] {
        assert_eq!(with(provider, on), Vec::<String>::new(), "{provider} {on}");
    }
}

#[test]
fn an_expression_that_is_no_condition_is_warned_of() {
    for (condition, wanted) in [
        ("git.branch", "compare it, such as"),
        ("size(body.commits)", "compare it"),
        ("git.paths", "exists(x"),
        ("\"'main'\"", "the same for every event, such as"),
        ("true", "reads nothing of the event"),
        ("1 < 2", "reads nothing of the event"),
        ("body.repository.id == \"186853002\"", "write the value without quotes"),
        ("git.pull_request.number == '7'", "write the value without quotes"),
        ("body.repository.private == \"false\"", "write the value without quotes"),
        ("body.ref == 5", "put the value in quotes"),
        ("event.kind == 'push' && body.deleted == 'true'", "write the value without quotes"),
    ] {
        let text = format!("    if: {condition}\n{JOB}");
        let warnings = of(JOB, &text);
        assert_eq!(warnings.len(), 1, "{condition}: {warnings:?}");
        let fits = warnings[0].contains(wanted) || wanted.starts_with("the same");
        assert!(fits, "{condition}: {warnings:?}");
    }
    for condition in [
        "git.branch == \"main\"",
        "body.deleted",
        "git.forced",
        "body.repository.id == 186853002",
        "body.nothing_of_the_sort == \"x\"",
        "git.message == null",
        "has(body.x) ? body.x : false",
        "body.?x.orValue(false)",
    ] {
        let warnings = of(JOB, &format!("    if: {condition:?}\n{JOB}"));
        assert_eq!(warnings, Vec::<String>::new(), "{condition}");
    }
}

#[test]
fn a_text_where_an_expression_is_meant_is_warned_of() {
    let latest = |text: &str| of(JOB, &format!("    latest_per: {text}\n    wait: 30s\n{JOB}"));
    for (text, hint) in
        [("git.branch", "write `${{ git.branch }}`"), ("always", "to keep branches apart")]
    {
        let warnings = latest(text);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("runs of all branches replace each other"), "{warnings:?}");
        assert!(warnings[0].contains(hint), "{warnings:?}");
    }
    assert_eq!(latest("\"${{ git.branch }}\""), Vec::<String>::new());
    let env = |text: &str| of(JOB, &format!("    env: {{ A: {text} }}\n{JOB}"));
    for text in [
        "git.sha",
        "body.head_commit.id",
        "'headers[\"x-a\"]'",
        "{ value: git.branch, max_bytes: 9B }",
    ] {
        let warnings = env(text);
        assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
        assert!(warnings[0].contains("write `${{ "), "{warnings:?}");
    }
    for text in ["main", "git", "body.", "www.example.com", "git.nothing", "\"${{ git.sha }}\""] {
        assert_eq!(env(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn words_of_other_programs_get_the_word_that_is_used_here() {
    for (to, hint) in [
        ("{ push: { branches: [main] } }", "write `event: push`"),
        ("{ source: github, types: [opened] }", "write `action:`"),
        ("{ source: github, paths-ignore: [a] }", "write `path: [\"**\", \"!…\"]`"),
        ("{ source: github, merged: true }", "put `merged` below `pull_request:`"),
        ("{ source: github, schedule: x }", "the gateway is no clock"),
        ("push", "write `on: { source: NAME, event: push }`"),
    ] {
        let found = faults(ON, to);
        assert!(found.iter().any(|fault| fault.contains(hint)), "{to}: {found:?}");
    }
    for (condition, hint) in [
        ("github.sha == \"a\"", "write `git.sha`"),
        ("github.event.action == \"a\"", "write `body.action`"),
        ("len(body.commits) > 0", "say `size`"),
        ("git.branch == “main”", "straight quotes"),
        ("body.ref.length() > 0", "say `size`"),
    ] {
        let found = faults(JOB, &format!("    if: '{condition}'\n{JOB}"));
        assert_eq!(found.len(), 1, "{condition}: {found:?}");
        assert!(found[0].contains(hint), "{condition}: {found:?}");
    }
    let curly = of(JOB, &format!("    if: 'git.message == \"“so”\"'\n{JOB}"));
    assert_eq!(curly, Vec::<String>::new(), "in a text every character may stand");
}

#[test]
fn one_slip_is_one_fault() {
    let tab = faults(JOB, "    job:\tretrain\tx: y\n");
    assert!(tab.iter().any(|fault| fault.contains("tab")), "{tab:?}");
    let tag = faults(ON, "{ source: github, path: [a/**, !**/*.md] }");
    assert_eq!(tag.len(), 1, "{tag:?}");
    assert!(tag[0].contains("in quotes"), "{tag:?}");
    let outdented = faults(JOB, "  job: retrain\n");
    assert_eq!(outdented.len(), 1, "{outdented:?}");
    assert!(outdented[0].contains("so that it stands below `push`"), "{outdented:?}");
    let number = faults(JOB, "    job: 208\n");
    assert_eq!(number.len(), 1, "{number:?}");
    assert!(number[0].contains("write `job: retrain`"), "{number:?}");
}

#[test]
fn a_file_of_routes_that_is_not_read_is_named() {
    let site = Site::new(GOOD);
    let routes = "routes: {}\n";
    for name in [
        "team.YAML",
        "team",
        "sub/team.yaml",
        "README.md",
        "team.yaml.bak",
        ".hidden.yaml",
        "ok.yml",
    ] {
        site.write(&format!("routes.d/{name}"), routes);
    }
    let (report, plan) = site.check();
    assert!(plan.is_some());
    let named: Vec<&str> = report
        .warnings
        .iter()
        .map(|fault| fault.file.rsplit('/').next().expect("a name"))
        .collect();
    assert_eq!(named, ["sub", "team", "team.YAML"]);
}

#[test]
fn routes_without_their_key_and_jobs_of_the_admin_are_told_where_they_belong() {
    let site = Site::new(GOOD);
    site.write("routes.d/a.yaml", "r: { on: { source: github }, job: retrain }\n");
    site.write("routes.d/b.yaml", "routes: {}\njobs: {}\n");
    let (report, _) = site.check();
    let hints: Vec<_> = report.faults.iter().filter_map(|fault| fault.hint.as_deref()).collect();
    assert!(hints[0].contains("put `routes:` above them"), "{hints:?}");
    assert!(hints[1].contains("gateway.yaml"), "{hints:?}");
}

#[test]
fn the_other_name_of_the_file_is_found() {
    let site = Site::new(GOOD);
    site.write("other.yml", GOOD);
    let (report, _) = check(&site.path().with_file_name("other.yaml"));
    let hint = report.faults[0].hint.as_deref().unwrap_or_default();
    assert!(hint.contains("other.yml"), "{hint}");
}

#[test]
fn what_is_not_used_is_one_line_for_each_kind() {
    let more = "jobs:\n  a: { workbench: main, project: a/b, job: 1, api_key: alice }\n  b: { workbench: main, project: a/b, job: 2, api_key: alice }\n";
    let warnings = of("jobs:\n", more);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("2 of the jobs are not used: `a`, `b`"), "{warnings:?}");
}
