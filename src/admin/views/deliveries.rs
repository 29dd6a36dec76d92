//! Deliveries, and why each route did or did not match.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::runs::{RunSummary, RunView};
use crate::matching::{self, Compared};
use crate::model::{DeliveryId, GitFacts, RunId};
use crate::store;

/// `GET /api/deliveries`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deliveries {
    /// Newest first.
    pub deliveries: Vec<DeliverySummary>,
    /// Where there are more: the id to give as `before` for the next ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<DeliveryId>,
}

/// A kept delivery, as a list shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliverySummary {
    /// Its id.
    pub id: DeliveryId,
    /// The source that received it.
    pub source: String,
    /// The source's provider.
    pub provider: String,
    /// What kind of event it is.
    pub kind: String,
    /// The sender's own name for the kind.
    pub name: Option<String>,
    /// What identifies it at the sender; a repeat has the same key.
    pub key: String,
    /// True for a handshake.
    pub handshake: bool,
    /// When it was received.
    pub received_at: Timestamp,
    /// Address that it came from.
    pub remote: Option<String>,
    /// Bytes of its body.
    pub size: u64,
    /// How many repeats of it came in.
    pub repeats: u64,
    /// When the last of them came in.
    #[serde(default)]
    pub repeated_at: Option<Timestamp>,
    /// The delivery to which the sender gave the same id, with other content.
    #[serde(default)]
    pub same_id_as: Option<DeliveryId>,
    /// True when its content was removed: by retention, to keep the store's size bound, or by a person.
    pub stripped: bool,
    /// Who had its content erased, and when.
    #[serde(default)]
    pub erased: Option<ErasedView>,
    /// Its runs, in short.
    pub runs: Vec<RunSummary>,
}

/// Who had the content of a delivery erased, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErasedView {
    /// When.
    pub at: Timestamp,
    /// The name of the token that was used.
    pub by: String,
}

/// `GET /api/deliveries/{id}`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryView {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: DeliverySummary,
    /// Its headers, without those that carry a secret.
    pub headers: Vec<(String, String)>,
    /// Its query string.
    pub query: String,
    /// The git facts of its events, the first 20, as its source is read today. Empty where there are none, and
    /// where the content is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub git: Vec<GitView>,
    /// How often `[redacted]` stands in what is kept, in the place of a secret.
    #[serde(default)]
    pub removed_secrets: usize,
    /// Why values that a false `if:` compared are not shown; null where they are, and where there are none.
    #[serde(default)]
    pub values_withheld: Option<String>,
    /// Why each route did or did not match, as judged when it was received.
    pub explanation: ExplanationView,
    /// Its runs, with variables, attempts and acts.
    pub details: Vec<RunView>,
}

/// What one event tells of git, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitView {
    /// Full name of the repository.
    pub repository: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The tag.
    pub tag: Option<String>,
    /// The commit.
    pub sha: Option<String>,
    /// Who acted.
    pub author: Option<String>,
    /// The number of the pull request.
    pub number: Option<u64>,
    /// Whether the commit comes from a fork; null where the sender does not say it.
    pub fork: Option<bool>,
    /// Whether the branch or tag was deleted.
    #[serde(default)]
    pub deleted: bool,
}

impl From<&GitFacts> for GitView {
    fn from(facts: &GitFacts) -> Self {
        let text = |fact: &Option<Arc<str>>| fact.as_deref().map(str::to_owned);
        Self {
            repository: text(&facts.repository),
            branch: text(&facts.branch),
            tag: text(&facts.tag),
            sha: text(&facts.sha),
            author: text(&facts.author),
            number: facts.pull_request.as_ref().map(|pull| pull.number),
            fork: facts.fork,
            deleted: facts.deleted,
        }
    }
}

impl fmt::Display for GitView {
    /// The facts that are there, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("repository", &self.repository),
            ("branch", &self.branch),
            ("tag", &self.tag),
            ("sha", &self.sha),
            ("author", &self.author),
        ];
        let told =
            named.into_iter().filter_map(|(name, fact)| Some(format!("{name} {}", fact.as_ref()?)));
        let number = self.number.map(|number| format!("pull request {number}"));
        let fork = self.fork.filter(|fork| *fork).map(|_| "from a fork".to_owned());
        let deleted = self.deleted.then(|| "deleted".to_owned());
        let all: Vec<String> = told.chain(number).chain(fork).chain(deleted).collect();
        f.write_str(&all.join(", "))
    }
}

/// `POST /api/deliveries/{id}/erase`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EraseView {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its runs that were not sent yet, and are cancelled.
    pub cancelled: Vec<RunId>,
    /// Where bytes of the content may still be, in words; null where there are none in the store's files.
    pub left: Option<String>,
}

/// Which routes of a source matched a delivery, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExplanationView {
    /// Why no route was tried, or why the routes were not tried on every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing: Option<String>,
    /// What was odd about the delivery, such as a missing name of its event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// One entry per route; those that matched come first.
    pub routes: Vec<RouteView>,
    /// Routes that were ruled out by event kind or repository, and are not listed one by one.
    #[serde(default)]
    pub ruled_out: usize,
}

/// Whether one route matched, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteView {
    /// The route.
    pub route: String,
    /// Which event of the delivery, counted from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub part: u32,
    /// Whether it matched.
    pub matched: bool,
    /// The key of the first test that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// What failed, or what a reader should know about the match, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The values of the payload that a false `if:` compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ComparedView>,
}

/// A value that a condition compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedView {
    /// What has the value, as an expression.
    pub what: String,
    /// The value in one line, shortened.
    pub value: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_first(part: &u32) -> bool {
    *part == 0
}

impl From<store::DeliverySummary> for DeliverySummary {
    fn from(delivery: store::DeliverySummary) -> Self {
        Self {
            id: delivery.id,
            source: delivery.source,
            provider: delivery.provider,
            kind: delivery.kind,
            name: delivery.name,
            key: delivery.key,
            handshake: delivery.handshake,
            received_at: delivery.received_at,
            remote: delivery.remote,
            size: delivery.size,
            repeats: delivery.repeats,
            repeated_at: delivery.repeated_at,
            same_id_as: delivery.same_id_as,
            stripped: delivery.stripped,
            erased: delivery.erased.map(|erased| ErasedView { at: erased.at, by: erased.by }),
            runs: delivery.runs.into_iter().map(RunSummary::from).collect(),
        }
    }
}

impl From<&matching::Explanation> for ExplanationView {
    fn from(explanation: &matching::Explanation) -> Self {
        Self {
            nothing: explanation.nothing.clone(),
            note: explanation.note.clone(),
            routes: explanation.routes.iter().map(RouteView::from).collect(),
            ruled_out: explanation.ruled_out,
        }
    }
}

impl From<&matching::RouteExplanation> for RouteView {
    fn from(route: &matching::RouteExplanation) -> Self {
        Self {
            route: route.route.to_string(),
            part: route.part,
            matched: route.matched,
            test: route.test.as_deref().map(str::to_owned),
            words: route.words.as_ref().map(ToString::to_string),
            values: route
                .values
                .iter()
                .map(|Compared { what, value }| ComparedView {
                    what: what.clone(),
                    value: value.clone(),
                })
                .collect(),
        }
    }
}
