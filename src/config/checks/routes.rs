//! `routes:`, of all files together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::checker::Checker;
use super::doubts;
use super::impossible;
use super::jobs::Allowed;
use super::names::Kind;
use super::patterns::{patterns, patterns_as};
use super::request;
use super::variables;
use super::vocabulary::vocabulary;
use super::{Written, changed, claims, exposure, platforms};
use crate::config::plan::{JobPlan, LatestPlan, RoutePlan};
use crate::config::shape::{
    Numbers, OnShape, OnShapes, Period, PullRequestShape, RouteShape, Section, Texts,
    UnknownPathsShape,
};
use crate::config::yaml::{At, Id};
use crate::expression::Expression;
use crate::matching::{On, Patterns, PullRequestOn, Takes, UnknownPaths};
use crate::model::{Claims, Grammar};

pub(super) type Routes = BTreeMap<Arc<str>, Arc<RoutePlan>>;

/// Checks the routes of each file. A name that several files claim is a fault in each of them.
pub(super) fn check(
    written: Written<'_>,
    jobs: &BTreeMap<Arc<str>, Arc<JobPlan>>,
    allowed: &Allowed,
    sources: &impossible::Sources,
) -> Routes {
    let mut plans = Routes::new();
    for (checker, section) in written.files {
        for (name, entry) in section {
            checker.name(entry.id);
            let line = checker.file.source.line(checker.file.tree.key_range(entry.id).start);
            claims::report(checker, written.claimed, &name, entry.id);
            let plan = entry
                .value
                .and_then(|shape| route(checker, &name, entry.id, line, shape, jobs, allowed));
            if let Some(plan) = plan {
                impossible::warn(checker, entry.id, &plan, sources);
                doubts::warn(checker, entry.id, &plan, sources);
                changed::route(checker, entry.id, &plan, sources);
                exposure::command(checker, entry.id, &plan, sources);
                exposure::comments(checker, entry.id, &plan, sources);
                platforms::route(checker, entry.id, &plan, sources);
                if written.claimed.contains_key(&name) || written.barred.contains(&name) {
                    continue;
                }
                plans.insert(Arc::clone(&plan.name), Arc::new(plan));
            }
        }
    }
    plans
}

fn route(
    checker: Checker<'_>,
    name: &str,
    id: Id,
    line: usize,
    shape: RouteShape,
    jobs: &BTreeMap<Arc<str>, Arc<JobPlan>>,
    allowed: &Allowed,
) -> Option<RoutePlan> {
    let on = checker.need(id, "on", shape.on);
    let on = on.map(|at| blocks(checker, at));
    let condition = shape.condition.as_ref().and_then(|at| condition(checker, at));
    let job = checker.need(id, "job", shape.job);
    if let Some(at) = &job {
        checker.refers(Kind::Job, at.id, &at.value);
    }
    let allowed = job.as_ref().and_then(|at| allowed.get(&at.value));
    let plan = job.as_ref().and_then(|at| jobs.get(at.value.as_str()));
    // If the job could not be read, it is unknown which reserved names it allows.
    let knows = plan.is_some() || allowed.is_some();
    let declared = |at: &At<String>| {
        checker.names.of_kind(Kind::Job).is_none_or(|jobs| jobs.contains(&at.value))
    };
    let lenient = !knows && job.as_ref().is_none_or(declared);
    let allowed = (!lenient).then(|| allowed.map_or(&[][..], Vec::as_slice));
    let mapping = variables::mapping(checker, shape.env, allowed, plan.map(|plan| plan.env_max));
    let latest = latest(checker, &shape.latest_per, &shape.wait, &shape.wait_at_most);
    let on = on?;
    let mut sources: Vec<Arc<str>> = Vec::new();
    for source in on.iter().flat_map(|on| &on.sources) {
        if !sources.contains(source) {
            sources.push(Arc::clone(source));
        }
    }
    let spared = mapping
        .variables
        .iter()
        .map(|variable| (&variable.template, variable.omit || variable.default.is_some()));
    let takes = Takes::of(condition.as_ref(), spared);
    Some(RoutePlan {
        latest,
        name: name.into(),
        sources,
        on,
        condition,
        job: Arc::clone(plan?),
        mapping,
        takes,
        on_unknown_paths: match shape.on_unknown_paths {
            UnknownPathsShape::Start => UnknownPaths::Start,
            UnknownPathsShape::Skip => UnknownPaths::Skip,
            UnknownPathsShape::Hold => UnknownPaths::Hold,
        },
        file: checker.file.source.name().into(),
        line,
        description: shape.description,
    })
}

/// How to send only the newest of several runs.
fn latest(
    checker: Checker<'_>,
    per: &Option<At<String>>,
    wait: &Option<At<Period>>,
    wait_at_most: &Option<At<Period>>,
) -> Option<LatestPlan> {
    let Some(at) = per else {
        for at in [wait, wait_at_most].into_iter().flatten() {
            let hint = "add `latest_per: ${{ git.branch }}`, or what else runs have in common";
            checker.fault(
                at.id,
                "there is nothing to wait for without `latest_per`",
                hint.to_owned(),
            );
        }
        return None;
    };
    let length = wait.as_ref().map_or(Duration::ZERO, |at| at.value.0);
    if let (Some(at), None) = (wait_at_most, wait) {
        checker.fault(at.id, "`wait_at_most` is of no use without `wait`", None);
    }
    if let Some(at) = wait_at_most.as_ref().filter(|at| at.value.0 < length) {
        checker.fault(at.id, "`wait_at_most` is less than `wait`", None);
    }
    let per = variables::template(checker, at.id, &at.value, &vocabulary())?;
    let most = wait_at_most.as_ref().map_or(length.saturating_mul(10), |at| at.value.0);
    Some(LatestPlan { per, wait: length, wait_at_most: most })
}

/// The blocks of a route's `on:` as they are written, each with its place in the file.
pub(super) fn written_blocks<'r>(
    checker: Checker<'_>,
    route: Id,
    plan: &'r RoutePlan,
) -> Vec<(Id, &'r On)> {
    let tree = &checker.file.tree;
    let Some(on) = tree.entry(route, "on") else { return Vec::new() };
    let blocks = if tree.is_list(on) { tree.items(on) } else { vec![on] };
    blocks.into_iter().zip(&plan.on).collect()
}

/// The blocks of an `on:`.
fn blocks(checker: Checker<'_>, at: At<OnShapes>) -> Vec<On> {
    match at.value {
        OnShapes::One(shape) => vec![conditions(checker, At { id: at.id, value: *shape })],
        OnShapes::Many(blocks) => {
            empty(checker, at.id);
            blocks.into_iter().map(|block| conditions(checker, block)).collect()
        }
    }
}

fn conditions(checker: Checker<'_>, at: At<OnShape>) -> On {
    let shape = at.value;
    let source = match at.id {
        Some(id) => checker.need(id, "source", shape.source),
        None => shape.source.0,
    };
    let sources = source.map(|at| sources(checker, &at)).unwrap_or_default();
    let list = |texts: &Option<At<Texts>>| patterns(checker, texts.as_ref());
    let names = |texts: &Option<At<Texts>>| patterns_as(checker, Grammar::Name, texts.as_ref());
    let of_request = shape.pull_request.as_ref().and_then(|at| at.value.fork);
    On {
        sources,
        fork: request::fork(checker, shape.fork.as_ref(), of_request.as_ref()),
        status: request::status(checker, shape.status.as_ref()),
        events: list(&shape.event),
        actions: list(&shape.action),
        command: list(&shape.command),
        user: names(&shape.user),
        channel: names(&shape.channel),
        association: list(&shape.association),
        repository: patterns_as(checker, Grammar::Repository, shape.repository.as_ref()),
        git_ref: list(&shape.git_ref),
        branch: short(checker, shape.branch.as_ref()),
        tag: short(checker, shape.tag.as_ref()),
        sha: list(&shape.sha),
        before: list(&shape.before),
        author: names(&shape.author),
        claims: claims(checker, shape.claims),
        path: list(&shape.path),
        pull_request: shape.pull_request.map(|at| pull_request(checker, at)),
        default_branch: shape.default_branch,
        deleted: shape.deleted,
        forced: shape.forced,
    }
}

/// Patterns of branches or tags. They are written without `refs/heads/` or `refs/tags/`.
fn short(checker: Checker<'_>, at: Option<&At<Texts>>) -> Option<Patterns> {
    for (id, text) in at.into_iter().flat_map(At::each) {
        let name = text.trim_start_matches('!');
        let full = ["refs/heads/", "refs/tags/"].iter().find_map(|front| name.strip_prefix(front));
        if let Some(name) = full {
            let message = "a branch or tag is written without `refs/heads/` or `refs/tags/`";
            checker.fault(id, message, format!("write `{name}`"));
        }
    }
    patterns(checker, at)
}

fn sources(checker: Checker<'_>, at: &At<Texts>) -> Vec<Arc<str>> {
    if empty(checker, at.id) {
        return Vec::new();
    }
    let mut names: Vec<Arc<str>> = Vec::new();
    for (id, name) in at.each() {
        if checker.refers(Kind::Source, id, name) && !names.iter().any(|known| &**known == name) {
            names.push(name.into());
        }
    }
    names
}

fn pull_request(checker: Checker<'_>, at: At<PullRequestShape>) -> PullRequestOn {
    empty(checker, at.id);
    let shape = at.value;
    let list = |texts: &Option<At<Texts>>| patterns(checker, texts.as_ref());
    let number = shape.number.map(|at: At<Numbers>| {
        empty(checker, at.id);
        at.value.0
    });
    PullRequestOn {
        number: number.unwrap_or_default(),
        action: list(&shape.action),
        base: short(checker, shape.base.as_ref()),
        head: short(checker, shape.head.as_ref()),
        merged: shape.merged,
        draft: shape.draft,
        labels: patterns_as(checker, Grammar::Name, shape.labels.as_ref()),
    }
}

/// Claims by name, each with its patterns. Faulty claims are reported and left out.
pub(super) fn claims(checker: Checker<'_>, at: Option<At<Section<Texts>>>) -> Claims {
    let Some(at) = at else { return Claims::default() };
    empty(checker, at.id);
    let each = at.value.into_iter().filter_map(|(name, entry)| {
        let texts = At { id: Some(entry.id), value: entry.value? };
        let grammar = grammar_of_claim(&name);
        Some((name.into(), patterns_as(checker, grammar, Some(&texts))?))
    });
    Claims::new(each.collect())
}

/// Claims whose value is an account or its owner, by the last part of their names: of GitHub's, GitLab's,
/// Google's and Kubernetes' tokens, and of OpenID Connect.
const ACCOUNTS: [&str; 14] = [
    "actor",
    "azp",
    "client_id",
    "email",
    "name",
    "namespace_path",
    "nickname",
    "preferred_username",
    "repository_owner",
    "sub",
    "user_email",
    "user_login",
    "username",
    "workflow_actor",
];

fn grammar_of_claim(name: &str) -> Grammar {
    let last = name.rsplit('.').next().unwrap_or(name);
    match last {
        "repository" | "project_path" => Grammar::Repository,
        last if ACCOUNTS.contains(&last) => Grammar::Name,
        _ => Grammar::Filter,
    }
}

/// Reports a condition that is empty. `true` if it is.
pub(super) fn empty(checker: Checker<'_>, id: Option<Id>) -> bool {
    let Some(id) = id.filter(|id| checker.file.tree.is_empty(*id)) else { return false };
    let name = checker.file.tree.key(id).unwrap_or("this");
    let hint = "remove the key to accept anything, or say what must hold".to_owned();
    checker.fault_of_key(id, format!("`{name}` is empty"), hint);
    true
}

fn condition(checker: Checker<'_>, at: &At<String>) -> Option<Expression> {
    let id = at.id?;
    if empty(checker, Some(id)) {
        return None;
    }
    match Expression::compile(&at.value, &vocabulary()) {
        Ok(expression) => Some(expression),
        Err(_) if at.value.trim_start().starts_with("${{") => {
            let hint = "`if` is an expression as a whole: drop `${{` and `}}`".to_owned();
            checker.fault(Some(id), "`if` takes no `${{ … }}`", hint);
            None
        }
        Err(faults) => {
            for fault in faults {
                let part = fault.offset..fault.offset + fault.length;
                checker.fault_within(id, part, fault.message, fault.hint);
            }
            None
        }
    }
}
