//! What a source, a job or the server has that means something else now.

use crate::config::plan::SourcePlan;
use crate::config::yaml::{Id, Tree};

/// One source as it is written.
#[derive(Debug)]
pub(in crate::config) struct Entry<'a> {
    pub(in crate::config) tree: &'a Tree,
    pub(in crate::config) id: Id,
    pub(in crate::config) plan: &'a SourcePlan,
}

impl Entry<'_> {
    fn is_of(&self, providers: &[&str]) -> bool {
        providers.contains(&self.plan.provider.name())
    }

    fn says(&self, key: &str) -> Option<Id> {
        self.tree.entry(self.id, key)
    }

    fn provider(&self) -> Vec<Id> {
        self.says("provider").into_iter().collect()
    }
}

/// Senders that the version before knew and that give their deliveries no id. Others of that kind name theirs in the
/// configuration.
pub(super) const WITHOUT_ID: [&str; 20] = [
    "airtable",
    "alertmanager",
    "artifactory",
    "databricks",
    "docker-hub",
    "elevenlabs",
    "google-chat",
    "grafana",
    "harbor",
    "mattermost",
    "scalr",
    "segment",
    "slack",
    "travis-ci",
    "twilio",
    "wandb",
    "x-twitter",
    "zoom",
    "hubspot",
    "asana",
];

/// A source whose deliveries have no id, and that does not say what a repeat is.
pub(super) fn without_id(source: &Entry<'_>) -> Vec<Id> {
    let touched = source.plan.repeats.is_none() && source.is_of(&WITHOUT_ID);
    if touched { source.provider() } else { Vec::new() }
}

/// Senders whose requests were deliveries of their own, each.
pub(super) fn never_repeated(source: &Entry<'_>) -> Vec<Id> {
    let touched = source.plan.repeats.is_none() && source.is_of(&["dropbox", "quay"]);
    if touched { source.provider() } else { Vec::new() }
}

/// A place of the id that the configuration names.
pub(super) fn named_id(source: &Entry<'_>) -> Vec<Id> {
    source.says("delivery_id").filter(|_| source.plan.repeats.is_none()).into_iter().collect()
}

/// How old a message may be.
pub(super) fn sns_age(source: &Entry<'_>) -> Vec<Id> {
    let touched = source.is_of(&["aws-sns"]) && source.says("tolerance").is_none();
    if touched { source.provider() } else { Vec::new() }
}

/// Who acted on a request, where the source ignores some accounts.
pub(super) fn ignored_authors(source: &Entry<'_>) -> Vec<Id> {
    source.says("ignore_actors").filter(|_| source.is_of(&["azure-devops"])).into_iter().collect()
}

/// Keys of a job by which its author says how fast or how late it may be started.
const LIMITS: [&str; 5] =
    ["on_resume", "starts_at_once", "starts_per_minute", "starts_per_hour", "max_age"];

/// Jobs whose backlog is sent at a pace, that say something of their starts, and do not say which pace. Where a job
/// says nothing of its starts, nobody counted on one.
pub(super) fn resume_pace(tree: &Tree) -> Vec<Id> {
    let jobs = tree.root().and_then(|root| tree.entry(root, "jobs"));
    let jobs = jobs.map(|jobs| tree.items(jobs)).unwrap_or_default();
    let paced = |job: &Id| {
        let resume = tree.entry(*job, "on_resume").and_then(|at| tree.text(at));
        tree.entry(*job, "resume_per_minute").is_none()
            && resume.is_none_or(|word| word == "paced")
            && LIMITS.iter().any(|key| tree.entry(*job, key).is_some())
    };
    jobs.into_iter().filter(paced).collect()
}

/// `header_timeout` where nothing says how long a connection may be idle.
pub(super) fn header_timeout(tree: &Tree) -> Vec<Id> {
    let server = tree.root().and_then(|root| tree.entry(root, "server"));
    let Some(server) = server else { return Vec::new() };
    let written = tree.entry(server, "header_timeout");
    written.filter(|_| tree.entry(server, "idle_timeout").is_none()).into_iter().collect()
}
