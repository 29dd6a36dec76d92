//! What the gateway makes of each kind of event of the forges, which routes match it, and the table of what each
//! kind tells.
//!
//! `payloads/events` has a file for each provider: events in the forms in which the sender writes them, cut down to
//! what is read. `payloads/routes` has configurations with payloads, and what must match.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cdsw_gateway::config::Live;
use cdsw_gateway::event::{Event, Understood};
use cdsw_gateway::judge::{Detail, judge};
use cdsw_gateway::model::{DeliveryId, GitFacts};
use cdsw_gateway::providers::{FACTS, Options, facts_page, told};
use http::{HeaderMap, HeaderName};
use serde_json::Value as Json;

use crate::common::reading::reading;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// The header in which a provider names the event.
fn event_header(provider: &str) -> Option<HeaderName> {
    let name = match provider {
        "github" => "x-github-event",
        "gitlab" => "x-gitlab-event",
        "gitea" => "x-gitea-event",
        "forgejo" => "x-forgejo-event",
        "gogs" => "x-gogs-event",
        "bitbucket-cloud" | "bitbucket-server" => "x-event-key",
        _ => return None,
    };
    Some(HeaderName::from_static(name))
}

fn understood(provider: &str, event: &str, body: &str) -> Understood {
    let headers: HeaderMap = event_header(provider)
        .map(|name| (name, event.parse().expect("a header value")))
        .into_iter()
        .collect();
    reading(provider, "forge", &Options::default(), &headers, body.as_bytes())
        .unwrap_or_else(|fault| panic!("{provider}, {event}: {fault}"))
}

/// The events of a provider: what each is, its name, its body.
fn events(provider: &str) -> Vec<(String, String, String)> {
    // Forgejo sends what Gitea sends.
    let file = if provider == "forgejo" { "gitea" } else { provider };
    let text = read(&folder().join("events").join(file).with_extension("json"));
    let list: Vec<Json> = serde_json::from_str(&text).expect("JSON");
    list.iter()
        .map(|event| {
            let text = |name: &str| event[name].as_str().expect("text").to_owned();
            (text("name"), text("event"), event["body"].to_string())
        })
        .collect()
}

const FORGES: [&str; 7] =
    ["azure-devops", "bitbucket-cloud", "bitbucket-server", "forgejo", "gitea", "github", "gitlab"];

/// Whole payloads that other tests have too, with the events' names.
const WHOLE: &[(&str, &str, &str)] = &[
    ("github", "push", "push"),
    ("github", "push-tag", "push"),
    ("github", "push-delete-branch", "push"),
    ("github", "create-tag", "create"),
    ("gitlab", "push", "Push Hook"),
    ("gitlab", "push-delete-branch", "Push Hook"),
    ("gitlab", "tag-push", "Tag Push Hook"),
    ("gitea", "push", "push"),
    ("gitea", "push-tag", "push"),
    ("gitea", "create-tag", "create"),
    ("forgejo", "push", "push"),
    ("forgejo", "push-tag", "push"),
    ("forgejo", "create-tag", "create"),
    ("bitbucket-cloud", "push-two-changes", "repo:push"),
    ("bitbucket-cloud", "push-tag", "repo:push"),
    ("bitbucket-cloud", "push-delete-branch", "repo:push"),
];

/// Every event that the tests have of a provider.
fn all(provider: &str) -> Vec<Event> {
    let mut found: Vec<Event> = Vec::new();
    for (_, event, body) in events(provider) {
        found.extend(understood(provider, &event, &body).events);
    }
    for (of, name, event) in WHOLE.iter().filter(|(of, ..)| *of == provider) {
        let path = folder().join(of).join(name).with_extension("json");
        found.extend(understood(provider, event, &read(&path)).events);
    }
    let push = folder().join("same-push").join(provider).with_extension("json");
    let name = match provider {
        "gitlab" => "Push Hook",
        "bitbucket-cloud" => "repo:push",
        "bitbucket-server" => "repo:refs_changed",
        _ => "push",
    };
    found.extend(understood(provider, name, &read(&push)).events);
    found
}

fn shown(git: &GitFacts) -> String {
    let mut text = String::new();
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            write!(text, " {name}={value}").expect("text");
        }
    };
    let text_of = |fact: &Option<Arc<str>>| fact.as_ref().map(|fact| format!("{fact:?}"));
    let flag_of = |fact: Option<bool>| fact.map(|fact| fact.to_string());
    say("repository", text_of(&git.repository));
    say("branch", text_of(&git.branch));
    say("tag", text_of(&git.tag));
    say("sha", text_of(&git.sha));
    say("before", text_of(&git.before));
    say("author", text_of(&git.author));
    say("message", text_of(&git.message));
    say("default_branch", text_of(&git.default_branch));
    say("deleted", git.deleted.then(|| "true".to_owned()));
    say("forced", flag_of(git.forced));
    say("fork", flag_of(git.fork));
    say("status", git.status.map(|status| status.to_string()));
    say("paths", git.paths.complete.then(|| format!("{:?}", git.paths.files)));
    if let Some(pull) = &git.pull_request {
        say("number", Some(pull.number.to_string()));
        say("action", text_of(&pull.action));
        say("base", text_of(&pull.base));
        say("head", text_of(&pull.head));
        say("merged", flag_of(pull.merged));
        say("draft", flag_of(pull.draft));
        say("labels", pull.labels.as_ref().map(|labels| format!("{labels:?}")));
        say("title", text_of(&pull.title));
        say("head_sha", text_of(&pull.head_sha));
        say("merge_sha", text_of(&pull.merge_sha));
        say("source", text_of(&pull.source_repository));
        say("target", text_of(&pull.target_repository));
    }
    text
}

#[test]
fn every_kind_of_event_is_understood_as_its_snapshot_says() {
    for provider in FORGES.into_iter().chain(["gogs"]).filter(|name| *name != "forgejo") {
        let mut text = String::new();
        for (name, event, body) in events(provider) {
            let Understood { kind, handshake, events, .. } = understood(provider, &event, &body);
            writeln!(text, "{name}\n  {event}: {kind}").expect("text");
            if handshake.is_some() {
                writeln!(text, "  starts nothing").expect("text");
            }
            for Event { action, own_action, git, .. } in events {
                let git = git.map(|git| shown(&git)).unwrap_or_default();
                writeln!(text, "  {action:?} (own {own_action:?}){git}").expect("text");
            }
        }
        insta::assert_snapshot!(format!("events__{provider}"), text);
    }
}

/// The table, made anew from the payloads.
fn table() -> String {
    let mut text = String::new();
    for provider in FORGES.into_iter().chain(["gogs"]) {
        let mut kinds: BTreeMap<String, (usize, BTreeMap<&str, usize>)> = BTreeMap::new();
        for event in all(provider) {
            let git = event.git.clone().unwrap_or_default();
            let (count, facts) = kinds.entry(event.kind.to_string()).or_default();
            *count += 1;
            for fact in told(event.action.as_deref(), &git) {
                *facts.entry(fact).or_default() += 1;
            }
        }
        for (kind, (count, facts)) in kinds {
            write!(text, "{provider} {kind}").expect("text");
            for fact in FACTS {
                match facts.get(fact) {
                    Some(seen) if *seen == count => write!(text, " {fact}"),
                    Some(_) => write!(text, " ~{fact}"),
                    None => Ok(()),
                }
                .expect("text");
            }
            text.push('\n');
        }
    }
    text
}

/// Compares a generated text with a file, and rewrites the file with `UPDATE=1`.
fn is_current(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, expected).expect("written");
    }
    let found = read(&path);
    assert!(found == expected, "{} is out of date: run with UPDATE=1", path.display());
}

#[test]
fn the_table_of_facts_is_what_the_payloads_tell() {
    is_current("src/providers/tells.txt", &table());
}

#[test]
fn the_page_on_git_facts_has_the_table() {
    const MARK: &str = "<!-- generated -->\n";
    let page = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/git.md"));
    let (front, _) = page.split_once(MARK).expect("a mark");
    is_current("docs/git.md", &format!("{front}{MARK}{}", facts_page()));
}

/// The routes of a configuration that match a payload of its source, and each other one with the reason.
fn matched(case: &str, source: &str, event: &str, payload: &str) -> BTreeMap<String, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    let folder = folder().join("routes").join(case);
    std::fs::copy(folder.join("gateway.yaml"), &path).expect("copied");
    let live = Live::start(&path).unwrap_or_else(|report| panic!("{}", report.render(false)));
    let plan = live.plan();
    let source = &plan.sources[source];
    let body = read(&folder.join(payload));
    let understood = understood(source.provider.name(), event, &body);
    let understood = Understood {
        events: understood
            .events
            .into_iter()
            .map(|event| Event { source: source.name.clone(), ..event })
            .collect(),
        ..understood
    };
    let delivery = DeliveryId::new(jiff::Timestamp::UNIX_EPOCH, 7);
    let judged = judge(&plan, source, &understood, delivery, Detail::Every);
    let starts: BTreeMap<String, String> = judged
        .runs
        .iter()
        .map(|run| (run.route.name.to_string(), format!("{:?}", run.mapped)))
        .collect();
    let others = judged.explanation.routes.iter().filter(|route| !route.matched).map(|route| {
        let words = route.words.as_ref().map(ToString::to_string).unwrap_or_default();
        (route.route.to_string(), format!("no: {words}"))
    });
    others.chain(starts).collect()
}

/// The names of the routes that match.
fn starts(case: &str, source: &str, event: &str, payload: &str) -> Vec<String> {
    let judged = matched(case, source, event, payload);
    judged
        .into_iter()
        .filter(|(_, outcome)| !outcome.starts_with("no: "))
        .map(|(route, _)| route)
        .collect()
}

#[test]
fn a_pipeline_and_an_issue_of_gitlab_are_of_the_kind_that_the_body_says() {
    let case = "gitlab-kinds";
    assert_eq!(starts(case, "gitlab", "Pipeline Hook", "pipeline.json"), ["after-pipeline"]);
    assert_eq!(starts(case, "gitlab", "Issue Hook", "issue.json"), ["on-issue"]);
    assert_eq!(starts(case, "gitlab", "System Hook", "pipeline.json"), ["after-pipeline"]);
}

#[test]
fn one_route_takes_comments_on_requests_of_several_forges() {
    let case = "comment-on-request";
    for (source, event, payload) in [
        ("gitlab", "Note Hook", "gitlab-note.json"),
        ("github", "issue_comment", "github-comment.json"),
        ("bitbucket", "pullrequest:comment_created", "bitbucket-comment.json"),
    ] {
        assert_eq!(starts(case, source, event, payload), ["on-comment"], "{source}");
    }
}

#[test]
fn after_a_merge_the_commit_is_the_one_on_the_base_branch() {
    let case = "merged";
    let commit = "c".repeat(40);
    for (source, event, payload) in [
        ("github", "pull_request", "merged.json"),
        ("azure", "git.pullrequest.updated", "azure-merged.json"),
    ] {
        let judged = matched(case, source, event, payload);
        let outcome = &judged["on-merge"];
        assert!(outcome.contains(&commit) && outcome.contains("main"), "{source}: {outcome}");
    }
}

#[test]
fn a_request_from_a_fork_starts_only_routes_that_ask_for_it() {
    let case = "fork";
    let judged = matched(case, "github", "pull_request", "fork.json");
    let of = |route: &str| judged[route].clone();
    assert!(of("unsaid").contains("comes from a fork"), "{}", of("unsaid"));
    assert!(of("own").starts_with("no: "), "{}", of("own"));
    assert_eq!(
        starts(case, "github", "pull_request", "fork.json"),
        ["any", "forks", "forks-within"]
    );
}

#[test]
fn a_status_of_a_build_is_a_condition_for_every_forge() {
    let case = "bitbucket-status";
    let event = "repo:commit_status_updated";
    let found = starts(case, "bb", event, "bitbucket-cloud-commit-status.json");
    assert_eq!(found, ["by-action", "by-own-name", "by-own-word", "by-status"]);
}

#[test]
fn an_event_that_deletes_starts_only_routes_that_say_so_whatever_its_kind() {
    let found = starts("deletion", "github", "delete", "github-delete-branch.json");
    assert_eq!(found, ["deletions"]);
}

#[test]
fn one_word_for_one_thing_and_the_senders_own_word_beside_it() {
    let case = "gitea-words";
    let labelled = "gitea-pull-request-labelled.json";
    assert_eq!(starts(case, "gitea", "pull_request", labelled), ["labelled", "own-word"]);
    let approved = "gitea-review-approved.json";
    let found = starts(case, "gitea", "pull_request_approved", approved);
    assert_eq!(found, ["approved", "reviews"]);
}

#[test]
fn a_condition_that_reads_a_list_of_files_that_may_be_cut_is_not_decided_by_it() {
    let case = "unknown-files";
    let judged = matched(case, "bb", "repo:push", "push.json");
    for (route, expected) in [
        ("start", "Ready"),
        ("hold", "Held"),
        ("skip", "no: `!git.paths.all("),
        ("decided-without", "Ready"),
        ("false-without", "no: "),
        ("asks-itself", "no: "),
    ] {
        assert!(judged[route].starts_with(expected), "{route}: {}", judged[route]);
    }
}

#[test]
fn a_command_in_a_comment_starts_routes_that_say_who_may_give_it() {
    let case = "comment-command";
    let comment = |payload: &str| starts(case, "github", "issue_comment", payload);
    let whole = ["any-comment", "by-association", "by-author", "by-user"];
    assert_eq!(comment("github-member.json"), whole);
    assert_eq!(comment("github-stranger.json"), ["any-comment"]);
    assert_eq!(comment("github-issue.json"), ["any-comment"]);
    assert_eq!(comment("github-unreadable.json"), ["any-comment"]);
    assert_eq!(comment("github-words.json"), ["any-comment"]);
    let judged = matched(case, "github", "issue_comment", "github-member.json");
    assert!(judged["by-user"].contains("2017-01-01"), "{}", judged["by-user"]);
    assert!(judged["by-anybody"].contains("anybody may comment"), "{}", judged["by-anybody"]);
    assert!(judged["takes-no-argument"].contains("START"), "{}", judged["takes-no-argument"]);
    let on_gitlab = starts(case, "gitlab", "Note Hook", "gitlab-note.json");
    assert_eq!(on_gitlab, ["any-comment", "by-author", "by-user"]);
}
