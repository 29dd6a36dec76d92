//! What may happen to a store, at random, and how it is put to one.

use std::time::Duration;

use cdsw_gateway::clock::later;
use cdsw_gateway::model::{Backlog, Latest, Outcome};
use cdsw_gateway::store::{
    Act, Finish, KeyRefused, Lease, LeaseAsk, NewDelivery, NewRun, NewRunState, Next, Pausable,
    Permit, Release,
};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::store::world::{Refuses, delivery_at, digest, environment, queued, result};

/// How long a lease lasts.
pub const LEASE: Duration = Duration::from_secs(60);

/// One use case, with what it is about said as a place in what there is.
#[derive(Clone, Debug)]
pub enum Step {
    /// A delivery with this id and this content. Its key is claimed for so many seconds.
    Accept {
        source: &'static str,
        key: &'static str,
        content: &'static str,
        window: u64,
        runs: Vec<Wanted>,
    },
    Lease {
        limits: Vec<Limits>,
        most: usize,
        /// The route that the configuration does not ask for.
        refused: Option<&'static str>,
    },
    /// Settles one of the leases in hand, or, where it is `stale`, one that may be settled already.
    Finish {
        lease: Index,
        end: End,
        stale: bool,
    },
    Release {
        run: Index,
        word: Word,
    },
    Replay {
        delivery: Index,
        runs: Vec<Wanted>,
        again: bool,
    },
    Cancel {
        run: Index,
    },
    Erase {
        delivery: Index,
    },
    Pause {
        what: Pausable,
    },
    Resume {
        what: Pausable,
        backlogs: Vec<(&'static str, Backlog)>,
    },
    LetGo {
        job: &'static str,
        how: Backlog,
    },
    Pass {
        seconds: u64,
    },
    FailOverdue,
    PullIn {
        seconds: u64,
    },
    Lost,
    Die,
}

/// A run that a route asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    route: &'static str,
    job: &'static str,
    state: u8,
    latest: Option<(&'static str, u64, u64)>,
    patience: u64,
}

/// What a job may do.
#[derive(Clone, Debug)]
pub struct Limits {
    job: &'static str,
    count: usize,
    per_minute: Option<u32>,
    per_hour: Option<u32>,
}

/// What an attempt comes to.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Started,
    Retry(u64),
    Hold,
    Fail,
    KeyRefused,
}

/// A person's word on a held run.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    Retry,
    Started,
    Fail,
}

const ROUTES: [&str; 2] = ["r", "s"];
const JOBS: [&str; 2] = ["train", "report"];

pub fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let some = prop_oneof![12 => any_step().prop_map(|step| vec![step]), 1 => burst()];
    vec(some, 1..24).prop_map(|parts| parts.into_iter().flatten().collect())
}

/// What single steps seldom come to: a run that stands for several is sent, a newer one of its kind comes
/// meanwhile, and the attempt ends one way or another.
fn burst() -> impl Strategy<Value = Vec<Step>> {
    (1..4_usize, end(), any::<Index>()).prop_map(|(older, end, lease)| {
        let accept = |key| Step::Accept {
            source: "github",
            key,
            content: key,
            window: 604_800,
            runs: vec![Wanted {
                route: "r",
                job: "train",
                state: 0,
                latest: Some(("main", 0, 0)),
                patience: 90_000,
            }],
        };
        let limits = Limits { job: "train", count: 3, per_minute: None, per_hour: None };
        let mut steps: Vec<Step> = ["v", "w", "x"][..older].iter().map(|key| accept(key)).collect();
        steps.push(Step::Lease { limits: vec![limits], most: 5, refused: None });
        steps.push(accept("y"));
        steps.push(Step::Finish { lease, end, stale: false });
        steps
    })
}

/// A source and an id.
fn sender() -> impl Strategy<Value = (&'static str, &'static str)> {
    (select(&["github", "gitlab"][..]), select(&["a", "b", "c", "d", "e", "f"][..]))
}

fn any_step() -> impl Strategy<Value = Step> {
    let jobs = || select(&JOBS[..]);
    let index = any::<Index>;
    prop_oneof![
        6 => (sender(), select(&["x", "x", "x", "y", "z"][..]), select(&[604_800, 604_800, 60, 0][..]), wanted())
            .prop_map(|((source, key), content, window, runs)| {
                Step::Accept { source, key, content, window, runs }
            }),
        5 => (vec(limits(), 1..3), 1..6_usize, refused()).prop_map(|(mut limits, most, refused)| {
            limits.dedup_by_key(|limits| limits.job);
            Step::Lease { limits, most, refused }
        }),
        6 => (index(), end(), prop::bool::weighted(0.1))
            .prop_map(|(lease, end, stale)| Step::Finish { lease, end, stale }),
        2 => (index(), select(&[Word::Retry, Word::Started, Word::Fail][..]))
            .prop_map(|(run, word)| Step::Release { run, word }),
        2 => (index(), wanted(), any::<bool>())
            .prop_map(|(delivery, runs, again)| Step::Replay { delivery, runs, again }),
        2 => index().prop_map(|run| Step::Cancel { run }),
        1 => index().prop_map(|delivery| Step::Erase { delivery }),
        2 => pausable().prop_map(|what| Step::Pause { what }),
        2 => (pausable(), vec((jobs(), backlog()), 0..2))
            .prop_map(|(what, backlogs)| Step::Resume { what, backlogs }),
        1 => (jobs(), backlog()).prop_map(|(job, how)| Step::LetGo { job, how }),
        4 => select(&[1, 5, 20, 59, 60, 61, 600, 3600][..]).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::FailOverdue),
        1 => select(&[0, 10, 100][..]).prop_map(|seconds| Step::PullIn { seconds }),
        1 => Just(Step::Lost),
        1 => Just(Step::Die),
    ]
}

fn wanted() -> impl Strategy<Value = Vec<Wanted>> {
    // Mostly of one kind, so that runs meet others of theirs.
    let key = prop_oneof![4 => Just("main"), 1 => Just("dev")];
    let latest = (key, prop_oneof![2 => Just(0_u64), 1 => Just(20)], select(&[0, 40][..]));
    let one = (
        select(&ROUTES[..]),
        select(&JOBS[..]),
        prop_oneof![8 => Just(0_u8), 1 => Just(1), 1 => Just(2)],
        option::weighted(0.7, latest),
        prop_oneof![1 => Just(30_u64), 2 => Just(600), 5 => Just(90_000)],
    );
    vec(one, 0..4).prop_map(|mut runs| {
        // A route asks for one run of an event.
        runs.sort_by_key(|run| run.0);
        runs.dedup_by_key(|run| run.0);
        let wanted =
            |(route, job, state, latest, patience)| Wanted { route, job, state, latest, patience };
        runs.into_iter().map(wanted).collect()
    })
}

fn refused() -> impl Strategy<Value = Option<&'static str>> {
    option::weighted(0.2, select(&ROUTES[..]))
}

fn limits() -> impl Strategy<Value = Limits> {
    let few = || option::weighted(0.3, 1..4_u32);
    (select(&JOBS[..]), 1..4_usize, few(), few())
        .prop_map(|(job, count, per_minute, per_hour)| Limits { job, count, per_minute, per_hour })
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        2 => Just(End::Started),
        3 => select(&[0, 5, 30][..]).prop_map(End::Retry),
        2 => Just(End::Hold),
        2 => Just(End::Fail),
        1 => Just(End::KeyRefused),
    ]
}

fn pausable() -> impl Strategy<Value = Pausable> {
    prop_oneof![
        1 => Just(Pausable::All),
        2 => select(&JOBS[..]).prop_map(|name| Pausable::Job(name.to_owned())),
        3 => select(&ROUTES[..]).prop_map(|name| Pausable::Route(name.to_owned())),
        1 => Just(key()),
    ]
}

fn backlog() -> impl Strategy<Value = Backlog> {
    select(&[Backlog::Paced, Backlog::Latest, Backlog::Review][..])
}

fn key() -> Pausable {
    Pausable::Key("main/alice".to_owned())
}

/// A delivery as it is offered to every store.
pub fn delivery(
    source: &str,
    (key, content, window): (&str, &str, u64),
    runs: &[Wanted],
    now: Timestamp,
) -> NewDelivery {
    let mut new = delivery_at(now, key, new_runs(runs, now));
    new.source = source.into();
    new.digest = digest(content);
    new.window = Duration::from_secs(window);
    new
}

pub fn new_runs(runs: &[Wanted], now: Timestamp) -> Vec<NewRun> {
    let seconds = |seconds| Duration::from_secs(seconds);
    let new = |wanted: &Wanted| {
        let variables = environment(&[("AT", &now.to_string())]);
        NewRun {
            state: match wanted.state {
                0 => NewRunState::Queued(variables),
                1 => NewRunState::Held(variables, "its route asks for a look".to_owned()),
                _ => NewRunState::Failed("AT is missing".to_owned()),
            },
            latest: wanted.latest.map(|(key, wait, most)| Latest {
                key: key.into(),
                wait: seconds(wait),
                wait_at_most: seconds(most),
            }),
            deadline: later(now, seconds(wanted.patience)),
            ..queued(wanted.route, wanted.job)
        }
    };
    runs.iter().map(new).collect()
}

pub fn ask(
    limits: &[Limits],
    most: usize,
    refused: Option<&'static str>,
    now: Timestamp,
) -> LeaseAsk {
    let permit = |limits: &Limits| Permit {
        job: limits.job.into(),
        count: limits.count,
        at_once: 5,
        key: (limits.job == "train").then(|| "main/alice".into()),
        declared: format!("{} 0", limits.job).into(),
        lease: LEASE,
        per_minute: limits.per_minute,
        per_hour: limits.per_hour,
        backlog_per_minute: Some(2),
        trial: None,
        env_max: 64 * 1024,
    };
    LeaseAsk {
        now,
        permits: limits.iter().map(permit).collect(),
        most,
        plan: std::sync::Arc::new(Refuses(refused)),
        version: "1".into(),
    }
}

pub fn act(now: Timestamp) -> Act {
    Act { who: "ops".to_owned(), at: now, origin: None, note: Some("because".to_owned()) }
}

pub fn finish(lease: Lease, end: End, now: Timestamp) -> Finish {
    let at = |seconds| later(now, Duration::from_secs(seconds));
    let busy = |seconds| Next::Retry { at: at(seconds), reason: "busy".to_owned() };
    let (outcome, next) = match end {
        End::Started => (Outcome::Started, Next::Started { engine_id: "engine-1".to_owned() }),
        End::Retry(seconds) => (Outcome::NotStartedForNow, busy(seconds)),
        End::KeyRefused => (Outcome::NotStartedForNow, busy(0)),
        End::Hold => (Outcome::Unknown, Next::Hold { reason: "who knows".to_owned() }),
        End::Fail => (Outcome::NotStartedForGood, Next::Fail { reason: "no".to_owned() }),
    };
    let refused = matches!(end, End::KeyRefused).then(|| KeyRefused {
        what: key(),
        mark: b"mark".to_vec(),
        act: act(now),
    });
    Finish { lease, result: result(outcome), next, refused, now }
}

pub fn release(word: Word, now: Timestamp) -> Release {
    match word {
        Word::Retry => Release::Retry { deadline: later(now, Duration::from_secs(600)) },
        Word::Started => Release::Started { engine_id: "seen".to_owned() },
        Word::Fail => Release::Fail,
    }
}
