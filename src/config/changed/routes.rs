//! What a route has that means something else now. Each function gives the places; none where nothing is touched.

use super::block::{Block, reads};
use super::former;
use crate::config::yaml::Id;
use crate::matching::Patterns;
use crate::providers::{Tells, can_tell};

const GITHUB_LIKE: [&str; 4] = ["github", "gitea", "forgejo", "gogs"];
const GITEA: [&str; 3] = ["gitea", "forgejo", "gogs"];

/// The facts that tell a commit, or where it is.
const PLACES: [&str; 5] = ["branch", "tag", "sha", "before", "pull_request"];

/// A block that may get commits from forks, and does not say whether it takes them. What has been merged is taken as
/// before. Where an event of a commit does not say where it comes from, it is not taken either.
pub(super) fn forks(block: &Block<'_>) -> Vec<Id> {
    let merged = block.on.pull_request.as_ref().is_some_and(|pull| pull.merged == Some(true));
    if block.on.fork.is_some() || merged {
        return Vec::new();
    }
    let of_a_fork = |(provider, kind): &(&str, &str)| {
        let tells = |fact| can_tell(provider, kind, fact) != Tells::Never;
        let reports = tells("status") || tells("pull_request");
        // A push and the like always say that their commit is the repository's own, and are taken as before.
        let is_unsure = can_tell(provider, kind, "fork") != Tells::Always;
        let of_a_commit = tells("sha") && (reports || is_unsure);
        (tells("fork") && reports || of_a_commit) && block.may_be_met(provider, kind)
    };
    let names_ref = block.on.branch.is_some() || block.on.tag.is_some();
    let builds = block.takes_of(&["travis-ci"], "pull_request")
        || block.is_of(&["circleci"])
        || (block.is_of(&["huggingface"]) && !names_ref);
    if !builds && !block.kinds().iter().any(of_a_fork) {
        return Vec::new();
    }
    let keys = [&["pull_request"][..], &["event"], &["source"]];
    keys.into_iter().find_map(|path| block.entry(path)).into_iter().collect()
}

/// The commit of a request that is merged.
pub(super) fn merged_sha(block: &Block<'_>) -> Vec<Id> {
    let wants_merged = block.on.pull_request.as_ref().is_none_or(|pull| pull.merged != Some(false));
    let closed = ["closed", "close", "merge", "merged", "fulfilled", "completed"];
    let tells = |(provider, kind): &(&str, &str)| {
        can_tell(provider, kind, "pull_request.merge_sha") != Tells::Never
            && block.may_be_met(provider, kind)
    };
    if !wants_merged || !block.allows_action(&closed) || !block.kinds().iter().any(tells) {
        return Vec::new();
    }
    let mut places: Vec<Id> = block.entry(&["sha"]).into_iter().collect();
    places.extend(block.reads(&["git", "sha"]));
    places
}

/// The commit of an annotated tag on Bitbucket Server.
pub(super) fn annotated_tag(block: &Block<'_>) -> Vec<Id> {
    let takes = block.takes_of(&["bitbucket-server"], "push")
        && block.on.branch.is_none()
        && block.on.pull_request.is_none();
    if !takes {
        return Vec::new();
    }
    let mut places: Vec<Id> = block.entry(&["sha"]).into_iter().collect();
    places.extend(block.reads(&["git", "sha"]));
    places
}

/// What happened to a request, asked of a review or a comment.
pub(super) fn action_of_reviews(block: &Block<'_>) -> Vec<Id> {
    let reviews = [
        (&["github"][..], "pull_request_review"),
        (&["github"], "pull_request_review_comment"),
        (&["github"], "pull_request_review_thread"),
        (&["bitbucket-cloud", "bitbucket-server"], "issue_comment"),
    ];
    if !reviews.iter().any(|(providers, kind)| block.takes_of(providers, kind)) {
        return Vec::new();
    }
    let words =
        ["submitted", "dismissed", "edited", "created", "deleted", "resolved", "unresolved"];
    let asked = block.on.pull_request.as_ref().and_then(|pull| pull.action.as_ref());
    let asks = asked.is_some_and(|asked| words.iter().any(|word| asked.pass(word)));
    let mut places: Vec<Id> =
        block.entry(&["pull_request", "action"]).filter(|_| asks).into_iter().collect();
    places.extend(block.reads_words(&["git", "pull_request", "action"], &words));
    places
}

/// `edited`, which was the word for each update without new commits.
pub(super) fn gitlab_edited(block: &Block<'_>) -> Vec<Id> {
    if !block.takes_of(&["gitlab"], "pull_request") {
        return Vec::new();
    }
    let now = ["update", "labeled", "ready_for_review"];
    let mut places = block.loses_action("edited", &now);
    places.extend(read_action(block, &["edited"]));
    places
}

/// Expressions that read the action, with one of the former words.
fn read_action(block: &Block<'_>, words: &[&str]) -> Vec<Id> {
    let mut places = block.reads_words(&["event", "action"], words);
    places.extend(block.reads_words(&["git", "pull_request", "action"], words));
    places
}

/// GitLab's own words for what happened to anything but a request or a comment.
pub(super) fn gitlab_words(block: &Block<'_>) -> Vec<Id> {
    let kinds = ["issue", "release", "wiki_page"];
    if !kinds.iter().any(|kind| block.takes_of(&["gitlab"], kind)) {
        return Vec::new();
    }
    let words = ["open", "reopen", "close", "create", "update", "delete"];
    block.reads_words(&["event", "action"], &words)
}

/// The action of a review, which was `submitted` for each.
pub(super) fn review_submitted(block: &Block<'_>) -> Vec<Id> {
    match block.takes_of(&["github"], "pull_request_review") {
        true => block.reads_words(&["event", "action"], &["submitted"]),
        false => Vec::new(),
    }
}

/// The words of Gitea, Forgejo and Gogs.
pub(super) fn gitea_words(block: &Block<'_>) -> Vec<Id> {
    let requests = block.takes_of(&GITEA, "pull_request");
    let releases = block.takes_of(&GITEA, "release");
    let mut words = Vec::new();
    if requests {
        words.extend(["reviewed", "label_updated", "label_cleared"]);
    }
    if releases {
        words.push("updated");
    }
    if words.is_empty() { Vec::new() } else { read_action(block, &words) }
}

/// The words of Bitbucket Cloud.
pub(super) fn bitbucket_words(block: &Block<'_>) -> Vec<Id> {
    match block.takes_of(&["bitbucket-cloud"], "pull_request") {
        true => read_action(block, &["updated", "changes_request_created"]),
        false => Vec::new(),
    }
}

/// `updated` of Azure DevOps, which was also the word for an attempt to merge.
pub(super) fn azure_updated(block: &Block<'_>) -> Vec<Id> {
    if !block.takes_of(&["azure-devops"], "pull_request") {
        return Vec::new();
    }
    let mut places = block.loses_action("updated", &["merged", "merge_attempted"]);
    places.extend(read_action(block, &["updated"]));
    places
}

/// Kinds that were the sender's own name: read in expressions, or excluded in `event`.
pub(super) fn renamed_kinds(block: &Block<'_>) -> Vec<Id> {
    let of_it = |row: &&(&str, &str, &str)| {
        block.is_of(&[row.0])
            && block
                .on
                .events
                .as_ref()
                .is_none_or(|wanted| wanted.pass(row.1) || wanted.pass(row.2))
    };
    let names: Vec<&str> = former::RENAMED.iter().filter(of_it).map(|row| row.2).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let mut places = excluded(block);
    places.extend(block.reads_words(&["event", "kind"], &names));
    places
}

/// Items of `event` that exclude a sender's own name, while another item lets the gateway's word pass.
fn excluded(block: &Block<'_>) -> Vec<Id> {
    let (Some(at), Some(wanted)) = (block.entry(&["event"]), &block.on.events) else {
        return Vec::new();
    };
    let renamed = |text: &str| {
        former::RENAMED.iter().any(|(provider, kind, name)| {
            let only = Patterns::parse(&[text.to_owned()]);
            only.is_ok_and(|only| only.pass(name)) && block.is_of(&[provider]) && wanted.pass(kind)
        })
    };
    let items = block.tree.texts(at).into_iter();
    items
        .filter(|(_, text)| text.strip_prefix('!').is_some_and(renamed))
        .map(|(id, _)| id)
        .collect()
}

/// A word of Amazon SNS: the kind says now what a notification tells of.
pub(super) fn sns_kinds(block: &Block<'_>) -> Vec<Id> {
    if !block.is_of(&["aws-sns"]) {
        return Vec::new();
    }
    let texts = block.entry(&["event"]).map(|at| block.tree.texts(at)).unwrap_or_default();
    let mut places: Vec<Id> =
        texts.into_iter().filter(|(_, text)| *text == "Notification").map(|(id, _)| id).collect();
    places.extend(block.reads_words(&["event", "kind"], &["notification"]));
    places
}

/// Events that delete a branch or tag, beside pushes.
pub(super) fn deletions(block: &Block<'_>) -> Vec<Id> {
    let takes = block.providers().any(|provider| {
        GITHUB_LIKE.contains(&provider)
            && block.takes(provider, "delete")
            && block.may_be_met(provider, "delete")
    });
    let free = block.on.deleted.is_none()
        && block.on.path.is_none()
        && block.on.actions.is_none()
        && block.on.pull_request.is_none();
    if takes && free { block.events() } else { Vec::new() }
}

/// Images that a registry deletes.
pub(super) fn deleted_images(block: &Block<'_>) -> Vec<Id> {
    let takes = block.takes_of(&["harbor"], "DELETE_ARTIFACT")
        || (block.takes_of(&["artifactory"], "docker") && block.allows_action(&["deleted"]))
        || (block.is_of(&["nexus"]) && block.allows_action(&["DELETED"]));
    if takes && block.on.deleted.is_none() { block.events() } else { Vec::new() }
}

/// `if:` that reads a list of changed files which may not be whole.
pub(super) fn unknown_paths(block: &Block<'_>) -> Vec<Id> {
    let tree = block.tree;
    let Some(condition) = &block.plan.condition else { return Vec::new() };
    let said = tree.entry(block.route, "on_unknown_paths").is_some() && block.on.path.is_none();
    let reads_list = reads(condition, &["git", "paths"]);
    let decides = condition.reads(&["git"]);
    let decides = decides.needed.iter().chain(&decides.optional);
    let decides = decides.into_iter().any(|name| &**name == "paths_complete");
    if said || decides || !reads_list {
        return Vec::new();
    }
    tree.entry(block.route, "if").into_iter().collect()
}

/// Which files changed is not known of a build of Travis CI.
pub(super) fn travis_paths(block: &Block<'_>) -> Vec<Id> {
    block.entry(&["path"]).filter(|_| block.is_of(&["travis-ci"])).into_iter().collect()
}

/// Expressions that read the key of an S3 object.
pub(super) fn s3_keys(block: &Block<'_>) -> Vec<Id> {
    if !block.is_of(&["aws-sns"]) {
        return Vec::new();
    }
    block.where_expressions(|expression| {
        let source = expression.source();
        let names_key = source.contains(".key") || source.contains("\"key\"");
        let whole = ["body", "body.message", "json(body.message)", "json(body)"];
        (reads(expression, &["body", "message"]) && names_key) || whole.contains(&source.trim())
    })
}

/// Who acted on a request on Azure DevOps.
pub(super) fn azure_author(block: &Block<'_>) -> Vec<Id> {
    if !block.takes_of(&["azure-devops"], "pull_request") {
        return Vec::new();
    }
    let mut places: Vec<Id> = block.entry(&["author"]).into_iter().collect();
    places.extend(block.reads(&["git", "author"]));
    places
}

/// Reviews and reopened requests of Bitbucket Server are events of requests now.
pub(super) fn more_requests(block: &Block<'_>) -> Vec<Id> {
    let new = ["reopened", "approved", "unapproved", "changes_requested", "review_requested"];
    let asks = block.on.events.as_ref().is_some_and(|wanted| wanted.pass("pull_request"));
    let takes = asks && block.is_of(&["bitbucket-server"]) && block.allows_action(&new);
    if takes { block.entry(&["event"]).into_iter().collect() } else { Vec::new() }
}

/// Comments on the code of a request of Gitea and Forgejo are comments now.
pub(super) fn comments_of_requests(block: &Block<'_>) -> Vec<Id> {
    let Some(wanted) = block.on.events.as_ref().filter(|_| block.is_of(&GITEA)) else {
        return Vec::new();
    };
    let lost = wanted.pass("pull_request")
        && !wanted.pass("issue_comment")
        && !wanted.pass("pull_request_comment");
    let takes = lost && block.allows_action(&["created", "edited", "deleted", "reviewed"]);
    if takes { block.entry(&["event"]).into_iter().collect() } else { Vec::new() }
}

/// Conditions on a branch, tag, commit or request, which events of builds, statuses, deployments and comments may
/// meet now.
pub(super) fn more_events(block: &Block<'_>) -> Vec<Id> {
    let asked = block.asked();
    let places = ["ref", "branch", "tag", "sha", "before", "pull_request"];
    let asks =
        asked.iter().any(|fact| PLACES.contains(&fact.split('.').next().unwrap_or_default()));
    if !asks && block.on.git_ref.is_none() {
        return Vec::new();
    }
    let meets = |(provider, kind): &(&str, &str)| {
        former::tells_more(provider, kind) && block.may_be_met(provider, kind)
    };
    if !block.kinds().iter().any(meets) {
        return Vec::new();
    }
    places.into_iter().find_map(|key| block.entry(&[key])).into_iter().collect()
}

/// Conditions on facts that this sender never told.
pub(super) fn silent_senders(block: &Block<'_>) -> Vec<Id> {
    let all = block.providers().all(|provider| former::SILENT.contains(&provider));
    if block.sources.is_empty() || !all {
        return Vec::new();
    }
    let keys = ["repository", "ref", "branch", "tag", "sha", "author"];
    keys.into_iter().find_map(|key| block.entry(&[key])).into_iter().collect()
}

/// `forced` on Azure DevOps, and the branches of a request on Gogs.
pub(super) fn untold_facts(block: &Block<'_>) -> Vec<Id> {
    let forced = block.entry(&["forced"]).filter(|_| block.takes_of(&["azure-devops"], "push"));
    let branches = [&["branch"][..], &["pull_request", "base"], &["pull_request", "head"]];
    let asks = block.on.events.as_ref().is_some_and(|wanted| wanted.pass("pull_request"))
        || block.on.pull_request.is_some();
    let of_gogs = branches
        .into_iter()
        .filter_map(|path| block.entry(path))
        .find(|_| asks && block.takes_of(&["gogs"], "pull_request"));
    forced.into_iter().chain(of_gogs).collect()
}

/// Events that a button for tests sends, which start nothing.
const TESTS: [(&str, &[&str]); 5] = [
    ("circleci", &["ping"]),
    ("harbor", &["TEST_ENDPOINT", "testEndpoint"]),
    ("intercom", &["ping"]),
    ("pagerduty", &["pagey.ping"]),
    ("aws-sns", &["s3:TestEvent"]),
];

/// Routes that start a job for such a test.
pub(super) fn tests(block: &Block<'_>) -> Vec<Id> {
    let Some(at) = block.entry(&["event"]) else { return Vec::new() };
    let is_test = |text: &str| {
        TESTS.iter().any(|(provider, words)| block.is_of(&[provider]) && words.contains(&text))
    };
    let texts = block.tree.texts(at).into_iter();
    texts.filter(|(_, text)| is_test(text)).map(|(id, _)| id).collect()
}

/// `substring` beyond the end of a text.
pub(super) fn substring(block: &Block<'_>) -> Vec<Id> {
    block.where_expressions(|expression| expression.source().contains(".substring("))
}

/// Headers that are named with capitals.
pub(super) fn header_names(block: &Block<'_>) -> Vec<Id> {
    // An expression keeps the names in small letters, so that they are looked for in its text.
    let named = |rest: &str| {
        let name = rest.trim_start_matches(['[', '.', '?', '"', '\'']);
        let end = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-' && letter != '_';
        name.split(end).next().unwrap_or_default().bytes().any(|byte| byte.is_ascii_uppercase())
    };
    block.where_expressions(|expression| {
        let read = expression.reads(&["headers"]);
        let names_any = !read.needed.is_empty() || !read.optional.is_empty();
        names_any && expression.source().split("headers").skip(1).any(named)
    })
}
