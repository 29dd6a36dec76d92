//! The pure steps after authentication, strung together once: an understood delivery goes through
//! the plan's routes and comes out as an explanation and the runs that it asks for.
//!
//! Receiving, replaying, `explain` and the benchmarks all call this. No I/O, clock or random.

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::{Plan, RoutePlan, SourcePlan};
use crate::event::{Event, Understood};
use crate::expression::Context;
use crate::matching::{Explanation, RouteExplanation, Verdict, evaluate, guard, unlisted};
use crate::model::{DeliveryId, Environment, Latest};

/// Up to this many routes of a source, for all events of a delivery together, are all explained; above
/// it only those that event kind and repository do not rule out, so that thousands cost little.
const EXPLAIN_ALL: usize = 100;

/// What the routes made of a delivery.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Why each route did or did not match.
    pub explanation: Explanation,
    /// The runs that it asks for.
    pub runs: Vec<Draft>,
}

/// A run that a route asks for, not yet named or kept.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The route.
    pub route: Arc<RoutePlan>,
    /// Which event of the delivery.
    pub part: u32,
    /// What its mapping came to.
    pub mapped: Mapped,
    /// Set where only the newest run of its kind is to be sent.
    pub latest: Option<Latest>,
}

/// What a mapping came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped {
    /// Variables to start the job with.
    Ready(Environment),
    /// The same, but a person must look first; with the reason.
    Held(Environment, String),
    /// A variable could not be made; the run fails with this reason.
    Failed(String),
}

/// Steps of all expressions together that a worker may spend on a delivery.
const BRIEF: u64 = 100_000;

/// Bytes that the text of `latest_per` may have at most.
const LONGEST_KEY: usize = 1024;

/// How much to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What fits beside a kept delivery.
    Kept,
    /// Every route of the source.
    Every,
}

/// The expressions of a delivery take longer than a worker that others wait for should spend.
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

/// The same, given up once all expressions together have taken a few milliseconds.
///
/// # Errors
/// [`Unfinished`]: judge it again where it holds up nobody.
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
    if let Some(handshake) = &understood.handshake {
        judged.explanation.nothing = Some(format!("a handshake starts nothing ({handshake})"));
        return Ok(judged);
    }
    // However many events there are, the delivery may cost no more than one of one event.
    let events = understood.events.len().max(1);
    let explain_all =
        detail == Detail::Every || plan.index.of_source(&source.name).len() * events <= EXPLAIN_ALL;
    let allowance = allowance / events as u64;
    for event in &understood.events {
        let context = event.context(delivery).with_allowance(allowance);
        judge_event(plan, source, event, &context, explain_all, &mut judged)?;
    }
    if !judged.runs.is_empty() {
        judged.explanation.routes.sort_by_key(|route| !route.matched);
    }
    Ok(judged)
}

fn judge_event(
    plan: &Plan,
    source: &SourcePlan,
    event: &Event,
    context: &Context,
    explain_all: bool,
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
        judge_route(route, event, context, judged);
        if context.exhausted() {
            return Err(Unfinished);
        }
    }
    Ok(())
}

fn judge_route(route: &Arc<RoutePlan>, event: &Event, context: &Context, judged: &mut Judged) {
    let RoutePlan { on, takes, on_unknown_paths, .. } = &**route;
    let condition = route.condition.as_ref();
    let verdict = evaluate(on, takes, condition, *on_unknown_paths, event, context);
    let mut explained = RouteExplanation {
        route: Arc::clone(&route.name),
        part: event.part,
        matched: matches!(verdict, Verdict::Matched { .. }),
        test: None,
        words: None,
    };
    match verdict {
        Verdict::Missed(miss) => {
            explained.test = Some(miss.test.into());
            explained.words = Some(miss.words);
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

/// What the runs of one kind have in common, where only the newest of them is to be sent.
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
