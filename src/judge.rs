//! The pure steps after authentication, in one place: matches the events of a delivery against the routes,
//! and gives an explanation and the runs to start.
//!
//! Receiving, replaying, `explain` and the benchmarks all call this. It does no I/O and reads neither the
//! clock nor random bits.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use crate::config::{Plan, RoutePlan, SourcePlan};
use crate::event::{Event, Understood};
use crate::expression::{Context, Expression};
use crate::matching::{
    Compared, Explanation, RouteExplanation, Shown, Verdict, Words, evaluate, guard, nearness,
    unlisted,
};
use crate::model::{DeliveryId, Environment, Latest};

/// Up to this many pairs of a route and an event, every route of the source is explained. Above it, routes
/// that the index rules out by event kind or repository are only counted, so that thousands cost little.
const EXPLAIN_ALL: usize = 100;

/// The result of matching a delivery against the routes of its source.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Why each route did or did not match.
    pub explanation: Explanation,
    /// The runs that it asks for.
    pub runs: Vec<Draft>,
}

/// A run that a route asks for. It has no id yet and is not stored.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The route.
    pub route: Arc<RoutePlan>,
    /// Which event of the delivery, counted from 0.
    pub part: u32,
    /// The result of its mapping.
    pub mapped: Mapped,
    /// Set where the route has `latest_per`, so that only the newest run with the same text is sent.
    pub latest: Option<Latest>,
}

/// The result of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped {
    /// Variables to start the job with.
    Ready(Environment),
    /// Variables to start the job with once a person has released the run; with the reason.
    Held(Environment, String),
    /// A variable could not be computed; the run fails with this reason.
    Failed(String),
}

/// Evaluation steps that [`judge_briefly`] may spend on all expressions of a delivery together.
const BRIEF: u64 = 100_000;

/// Longest text that `latest_per` may evaluate to, in bytes.
const LONGEST_KEY: usize = 1024;

/// How much to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// An explanation short enough to be stored with every delivery; see `EXPLAIN_ALL`.
    Kept,
    /// Every route of the source.
    Every,
}

/// The expressions of a delivery need more steps than an async worker may spend, since other requests
/// wait for that worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished;

/// Judges every event of a delivery by the routes of its source.
pub fn judge(
    plan: &Plan,
    source: &SourcePlan,
    understood: &Understood,
    delivery: DeliveryId,
    detail: Detail,
) -> Judged {
    judge_within(plan, source, understood, delivery, detail, u64::MAX).unwrap_or_default()
}

/// Judges like [`judge`], but stops once the expressions together have used up their steps, which takes a
/// few milliseconds.
///
/// # Errors
/// [`Unfinished`]: judge the delivery again with [`judge`], on a thread that nobody else waits for.
pub fn judge_briefly(
    plan: &Plan,
    source: &SourcePlan,
    understood: &Understood,
    delivery: DeliveryId,
    detail: Detail,
) -> Result<Judged, Unfinished> {
    judge_within(plan, source, understood, delivery, detail, BRIEF)
}

fn judge_within(
    plan: &Plan,
    source: &SourcePlan,
    understood: &Understood,
    delivery: DeliveryId,
    detail: Detail,
    allowance: u64,
) -> Result<Judged, Unfinished> {
    let mut judged = Judged::default();
    judged.explanation.note = understood.unnamed.clone();
    if let Some(handshake) = &understood.handshake {
        judged.explanation.nothing = Some(format!("a handshake starts nothing ({handshake})"));
        return Ok(judged);
    }
    // The events share one allowance, so that a delivery of many events costs no more than a single one.
    let events = understood.events.len().max(1);
    let explain_all =
        detail == Detail::Every || plan.index.of_source(&source.name).len() * events <= EXPLAIN_ALL;
    let allowance = allowance / events as u64;
    for event in &understood.events {
        let context = event.context(delivery).with_allowance(allowance);
        judge_event(plan, source, event, &context, (detail, explain_all), &mut judged)?;
    }
    // Matches first, then the nearest misses.
    judged.explanation.routes.sort_by_key(|route| {
        let near = route.test.as_deref().map_or(0, nearness);
        (!route.matched, Reverse(near))
    });
    Ok(judged)
}

fn judge_event(
    plan: &Plan,
    source: &SourcePlan,
    event: &Event,
    context: &Context,
    (detail, explain_all): (Detail, bool),
    judged: &mut Judged,
) -> Result<(), Unfinished> {
    let unlisted = || unlisted(source.events.as_ref(), &event.kind, event.name.as_deref());
    if let Some(reason) = unlisted().or_else(|| guard(event, source.ignore_actors.as_ref())) {
        judged.explanation.nothing.get_or_insert(reason);
        return Ok(());
    }
    let routes = if explain_all {
        Cow::Borrowed(plan.index.of_source(&source.name))
    } else {
        let candidates = plan.index.candidates(event);
        judged.explanation.ruled_out += candidates.of - candidates.routes.len();
        Cow::Owned(candidates.routes)
    };
    judged.explanation.routes.reserve(routes.len());
    for route in routes.iter().map(|position| &plan.routes[*position]) {
        judge_route(route, event, context, detail == Detail::Every, judged);
        if context.exhausted() {
            return Err(Unfinished);
        }
    }
    Ok(())
}

/// Adds which part of a condition was false, and the values that it compared.
fn tell_values(explained: &mut RouteExplanation, condition: &Expression, context: &Context) {
    let why = condition.why_false(context);
    if let (Some(part), Some(words)) = (why.part, &explained.words) {
        explained.words = Some(format!("{words}, since `{}` is false", Shown(&part)).into());
    }
    let compared = |(what, value): (String, String)| Compared { what, value };
    explained.values = why.values.into_iter().map(compared).collect();
}

fn judge_route(
    route: &Arc<RoutePlan>,
    event: &Event,
    context: &Context,
    values: bool,
    judged: &mut Judged,
) {
    let RoutePlan { on, takes, on_unknown_paths, .. } = &**route;
    let condition = route.condition.as_ref();
    let verdict = evaluate(on, takes, condition, *on_unknown_paths, event, context);
    let mut explained = RouteExplanation {
        route: Arc::clone(&route.name),
        part: event.part,
        matched: matches!(verdict, Verdict::Matched { .. }),
        test: None,
        words: None,
        values: Vec::new(),
    };
    match verdict {
        Verdict::Missed(miss) => {
            explained.test = Some(miss.test.into());
            explained.words = Some(miss.words);
            if let Some(condition) =
                condition.filter(|_| values && matches!(explained.words, Some(Words::False(_))))
            {
                tell_values(&mut explained, condition, context);
            }
        }
        Verdict::Matched { note, hold } => {
            let (latest, mapped) = match latest(route, context) {
                Ok(latest) => (latest, map(route, context, hold.clone())),
                Err(reason) => (None, Mapped::Failed(reason)),
            };
            explained.words = match &mapped {
                Mapped::Failed(reason) => Some(reason.clone().into()),
                _ => note.or(hold).map(Into::into),
            };
            judged.runs.push(Draft { route: Arc::clone(route), part: event.part, mapped, latest });
        }
    }
    judged.explanation.routes.push(explained);
}

/// The text of `latest_per` with its waits, where the route sends only the newest run of each such text.
fn latest(route: &RoutePlan, context: &Context) -> Result<Option<Latest>, String> {
    let Some(plan) = &route.latest else { return Ok(None) };
    let key = plan
        .per
        .render(context, LONGEST_KEY)
        .map_err(|fault| format!("`latest_per` could not be made: {fault}"))?;
    Ok(Some(Latest { key: key.into(), wait: plan.wait, wait_at_most: plan.wait_at_most }))
}

fn map(route: &RoutePlan, context: &Context, hold: Option<String>) -> Mapped {
    match (route.mapping.environment(context), hold) {
        (Ok(environment), None) => Mapped::Ready(environment),
        (Ok(environment), Some(reason)) => Mapped::Held(environment, reason),
        (Err(faults), _) => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Mapped::Failed(format!("the environment could not be made: {}", faults.join("; ")))
        }
    }
}
