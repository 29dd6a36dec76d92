//! Reading: deliveries, runs and refused requests.

use std::fmt::Display;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::acts::act;
use super::auth::Who;
use super::problem::{Json, Path, Problem, Query};
use super::views::{
    Deliveries, DeliverySummary, DeliveryView, GitView, RefusalsView, RunSummary, RunView, Runs,
};
use super::{Admin, Code};
use crate::authenticate::REMOVED;
use crate::matching::{CONDITION_TEST, Explanation, RouteExplanation};
use crate::model::{DeliveryId, IdPrefix, RunId, RunState};
use crate::replay::{plain_body, reread};
use crate::store::{Delivery, DeliveryFilter, MOST_BODY, MOST_LIKE, Reading, RunFilter};

/// Rows in a list when the request gives no `limit`.
const ROWS: usize = 20;
/// The most events of one delivery whose git facts are shown.
const MOST_FACTS: usize = 20;
/// Most rows of a list. The stores give one more, which tells that there are more.
const MOST_ROWS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveriesQuery {
    source: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn deliveries(
    State(admin): State<Admin>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<Deliveries>, Problem> {
    let before = match &query.before {
        Some(id) => Some(delivery_id(&admin, id).await?),
        None => None,
    };
    let limit = shown(query.limit);
    let filter = DeliveryFilter { source: query.source, before, limit: limit + 1 };
    let source = filter.source.clone();
    let mut deliveries = admin.store.deliveries(filter).await?;
    let next = cut(&mut deliveries, limit).map(|last| last.id);
    let mut deliveries: Vec<_> = deliveries.into_iter().map(DeliverySummary::from).collect();
    for run in deliveries.iter_mut().flat_map(|delivery| &mut delivery.runs) {
        admin.say_what_it_waits_for(run);
    }
    // Deliveries stay when their source is removed from the configuration, so an unknown source is an
    // error only where no delivery is found.
    if let Some(source) = source.filter(|_| deliveries.is_empty()) {
        known_source(&admin, &source)?;
    }
    Ok(Json(Deliveries { deliveries, next }))
}

pub(super) async fn delivery(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<DeliveryView>, Problem> {
    let found = find_delivery(&admin, &id, Reading::WithoutBody).await?;
    let mut explanation: Explanation =
        serde_json::from_slice(&found.explanation).unwrap_or_default();
    // What the event means, and the values that a false condition compared, are not stored; the kept body still has
    // them. Deliveries whose content is gone, and of sources that are gone, are shown without.
    let mut again = None;
    if !found.summary.handshake
        && !found.summary.stripped
        && found.summary.erased.is_none()
        && let Ok(delivery) = find_delivery(&admin, &id, whole(&admin)).await
    {
        let plan = admin.live.plan();
        let work = tokio::task::spawn_blocking(move || {
            let removed = removed_secrets(&delivery);
            reread(&plan, &delivery).ok().map(|(understood, judged)| {
                let facts = understood.events.iter().filter_map(|event| event.git.as_ref());
                (facts.take(MOST_FACTS).map(GitView::from).collect(), judged, removed)
            })
        });
        again = work.await.ok().flatten();
    }
    let is_read = again.is_some();
    let (git, removed_secrets) = match again {
        Some((git, judged, removed)) => {
            explanation.take_values(judged.explanation);
            (git, removed)
        }
        None => (Vec::new(), 0),
    };
    let asks = |route: &RouteExplanation| route.test.as_deref() == Some(CONDITION_TEST);
    let values_withheld = (!is_read && explanation.routes.iter().any(asks)).then(|| {
        let gone = found.summary.stripped || found.summary.erased.is_some();
        match gone {
            true => "the values that `if:` compared are gone with the content".to_owned(),
            false => "the values that `if:` compared are not shown: the content cannot be read as its source is \
                      configured now"
                .to_owned(),
        }
    });
    let mut view = DeliveryView {
        git,
        removed_secrets,
        values_withheld,
        summary: found.summary.into(),
        headers: found.headers,
        query: found.query,
        explanation: (&explanation).into(),
        details: found.runs.into_iter().map(RunView::from).collect(),
    };
    let details = view.details.iter_mut().map(|run| &mut run.summary);
    for run in view.summary.runs.iter_mut().chain(details) {
        admin.say_what_it_waits_for(run);
    }
    Ok(Json(view))
}

/// How often the mark of a removed secret stands in what is kept of a request.
fn removed_secrets(delivery: &Delivery) -> usize {
    let in_text = |text: &str| text.matches(REMOVED).count();
    let headers: usize = delivery.headers.iter().map(|(_, text)| in_text(text)).sum();
    let body = times(&delivery.body, REMOVED.as_bytes());
    headers + in_text(&delivery.query) + body
}

/// How often a short text stands in some bytes.
fn times(bytes: &[u8], text: &[u8]) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text).count()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyQuery {
    /// Without its encodings and in UTF-8, as expressions read it.
    #[serde(default)]
    plain: bool,
}

/// The body, byte for byte as it was kept, unless `plain` is asked for. It is always sent as `application/octet-stream`, so that no browser shows it
/// as a page. Who reads it is in the audit log before it is shown.
pub(super) async fn body(
    State(admin): State<Admin>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    Query(query): Query<BodyQuery>,
) -> Result<Response, Problem> {
    let found = find_delivery(&admin, &id, whole(&admin)).await?;
    if let Some(erased) = &found.summary.erased {
        let why = format!("its content was erased by {} at {}", erased.by, erased.at);
        return Err(Problem::new(Code::ContentRemoved, why));
    }
    if found.summary.stripped {
        let why = "its content was given up to keep the store's size bound";
        return Err(Problem::new(Code::ContentRemoved, why));
    }
    let act = act(who, admin.clock.now(), None)?;
    let delivery = found.summary.id.to_string();
    admin.store.note("read-body".into(), "delivery".into(), delivery, act).await?;
    let headers = [(CONTENT_TYPE, "application/octet-stream")];
    if !query.plain {
        return Ok((headers, found.body).into_response());
    }
    let work = tokio::task::spawn_blocking(move || plain_body(&found));
    let plain = work.await.unwrap_or_else(|_| Err("it could not be unpacked".to_owned()));
    let plain = plain.map_err(|why| Problem::new(Code::ContentRemoved, why))?;
    Ok((headers, plain).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunsQuery {
    state: Option<RunState>,
    job: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn runs(
    State(admin): State<Admin>,
    Query(query): Query<RunsQuery>,
) -> Result<Json<Runs>, Problem> {
    let before = match &query.before {
        Some(id) => Some(run_id(&admin, id).await?),
        None => None,
    };
    let limit = shown(query.limit);
    let filter = RunFilter { state: query.state, job: query.job, before, limit: limit + 1 };
    let mut runs = admin.store.runs(filter).await?;
    let next = cut(&mut runs, limit).map(|last| last.id);
    let mut runs: Vec<_> = runs.into_iter().map(RunSummary::from).collect();
    for run in &mut runs {
        admin.say_what_it_waits_for(run);
    }
    Ok(Json(Runs { runs, next }))
}

pub(super) async fn run(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Json<RunView>, Problem> {
    let id = run_id(&admin, &id).await?;
    let found = admin.store.run(id).await?;
    let found = found.ok_or_else(|| Problem::no(format_args!("run {id}")))?;
    let mut run = RunView::from(found);
    admin.say_what_it_waits_for(&mut run.summary);
    Ok(Json(run))
}

impl Admin {
    /// Fills in what a queued or waiting run waits for, such as a pause or an open circuit breaker.
    fn say_what_it_waits_for(&self, run: &mut RunSummary) {
        if matches!(run.state, RunState::Queued | RunState::Waiting) {
            let plan = self.live.plan();
            let job = plan.jobs.get(run.job.as_str());
            run.waits_for = match job {
                Some(job) => self.dispatcher.waits_for(job, Some(&run.route)),
                None => Some(format!("job {} is not configured (any more)", run.job)),
            };
        }
    }
}

pub(super) async fn refusals(
    State(admin): State<Admin>,
    Path(source): Path<String>,
) -> Result<Json<RefusalsView>, Problem> {
    known_source(&admin, &source)?;
    Ok(Json(RefusalsView::of(admin.refusals.of(Some(&source)))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefusalsQuery {
    #[serde(default)]
    unknown: bool,
}

pub(super) async fn all_refusals(
    State(admin): State<Admin>,
    Query(query): Query<RefusalsQuery>,
) -> Result<Json<RefusalsView>, Problem> {
    let refusals = &admin.refusals;
    Ok(Json(RefusalsView::of(if query.unknown { refusals.of(None) } else { refusals.all() })))
}

fn known_source(admin: &Admin, source: &str) -> Result<(), Problem> {
    if admin.live.plan().sources.contains_key(source) {
        return Ok(());
    }
    Err(Problem::no(format_args!("source {source}")))
}

/// All of a delivery, with a body of any size that some source may send.
pub(super) fn whole(admin: &Admin) -> Reading {
    let plan = admin.live.plan();
    let limits = plan.sources.values().filter_map(|source| source.body_limit);
    let most = limits.max().unwrap_or_default().max(plan.server.body_limit);
    Reading::Whole { most_body: most.max(MOST_BODY) }
}

/// The delivery with this id; a problem where the text is not an id or no delivery has it.
pub(super) async fn find_delivery(
    admin: &Admin,
    id: &str,
    reading: Reading,
) -> Result<Delivery, Problem> {
    let id = delivery_id(admin, id).await?;
    let found = admin.store.read_delivery(id, reading).await?;
    found.ok_or_else(|| Problem::no(format_args!("delivery {id}")))
}

/// The delivery's id that the text is, or is the beginning of; a problem where the text is no id, or the beginning of
/// none or of several.
pub(super) async fn delivery_id(admin: &Admin, text: &str) -> Result<DeliveryId, Problem> {
    let prefix = prefix(text)?;
    if prefix.is_whole() {
        return Ok(DeliveryId::from_bytes(prefix.range().0));
    }
    one_of("delivery", &prefix, admin.store.deliveries_like(prefix.clone()).await?)
}

/// The run's id that the text is, or is the beginning of; a problem where the text is no id, or the beginning of none or
/// of several.
pub(super) async fn run_id(admin: &Admin, text: &str) -> Result<RunId, Problem> {
    let prefix = prefix(text)?;
    if prefix.is_whole() {
        return Ok(RunId::from_bytes(prefix.range().0));
    }
    one_of("run", &prefix, admin.store.runs_like(prefix.clone()).await?)
}

fn prefix(text: &str) -> Result<IdPrefix, Problem> {
    text.parse().map_err(|why| Problem::bad(format!("`{text}`: {why}")))
}

/// The only candidate; a problem that lists them where there are several.
fn one_of<Id: Copy + Display>(
    what: &str,
    prefix: &IdPrefix,
    candidates: Vec<Id>,
) -> Result<Id, Problem> {
    match &candidates[..] {
        [] => Err(Problem::no(format_args!("{what} whose id begins with {prefix}"))),
        [id] => Ok(*id),
        several => {
            let shown: Vec<String> =
                several.iter().take(MOST_LIKE - 1).map(ToString::to_string).collect();
            let more = if several.len() < MOST_LIKE { "" } else { " and others" };
            let why = format!(
                "{prefix} is the beginning of several ids; write more of the one that you mean: {}{more}",
                shown.join(", ")
            );
            Err(Problem::new(Code::AmbiguousId, why))
        }
    }
}

/// How many rows a list shows.
fn shown(limit: Option<usize>) -> usize {
    limit.unwrap_or(ROWS).min(MOST_ROWS)
}

/// Cuts a list that was read with one row more than is shown. Returns the last row that is shown where there are more.
fn cut<T>(rows: &mut Vec<T>, limit: usize) -> Option<&T> {
    let is_cut = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_cut_says_from_where_it_goes_on_and_another_does_not() {
        assert_eq!(cut(&mut vec![3, 2, 1], 2), Some(&2));
        assert_eq!(cut(&mut vec![3, 2], 2), None);
        assert_eq!(cut(&mut Vec::<u8>::new(), 0), None);
    }

    #[test]
    fn a_beginning_of_several_ids_is_refused_with_the_candidates() {
        let prefix: IdPrefix = "0193a6f2".parse().expect("a prefix");
        assert_eq!(one_of("run", &prefix, vec!["0193a6f2-1"]).ok(), Some("0193a6f2-1"));
        let several = one_of("run", &prefix, vec!["0193a6f2-1", "0193a6f2-2"]);
        let words = format!("{:?}", several.expect_err("ambiguous"));
        assert!(words.contains("AmbiguousId"), "{words}");
        assert!(words.contains("you mean: 0193a6f2-1, 0193a6f2-2\""), "{words}");
        let many = one_of("run", &prefix, vec!["0193a6f2-1"; MOST_LIKE]).expect_err("ambiguous");
        assert!(format!("{many:?}").contains(" and others"), "{many:?}");
    }
}
