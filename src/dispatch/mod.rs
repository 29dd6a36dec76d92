//! The inside of the gateway: takes due runs from the queue, asks the workbench to start them, and
//! records what is known afterwards.
//!
//! An attempt is on disk before its request is sent, so that whatever interrupts it is known to
//! be unknown. This is the only part of the program that reads an API key.

mod attempt;
mod breaker;
mod breakers;
mod decide;
mod keys;
mod pauses;
mod slots;
mod turns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, later};
use crate::config::{JobPlan, Live};
use crate::observe::{Observation, Observer};
use crate::random::Random;
use crate::store::shared::Notifications;
use crate::store::{Lease, LeaseAsk, Pause, Store, StoreFault};
use slots::{Round, Slots, Wants};

pub use breakers::OpenBreaker;
pub use decide::decide;
pub use pauses::backlog;

/// Requests to all workbenches that may be on the wire at once.
const AT_ONCE: usize = 256;
/// How often the queue is looked at when nothing says that it should be.
const POLL: Duration = Duration::from_secs(30);
/// How often it is looked at when other processes work on it, too, for what was not heard of them.
const SHARED_POLL: Duration = Duration::from_secs(1);
/// How often a key that was refused is looked at, to see whether it has changed.
const KEY_LOOK: Duration = Duration::from_secs(1);
/// How long to wait after the store has refused.
const STORE_REST: Duration = Duration::from_secs(1);

/// Everything that the dispatcher is given.
#[derive(Clone)]
pub struct Parts {
    /// Where runs come from and outcomes go.
    pub store: Arc<dyn Store>,
    /// The configuration in force.
    pub live: Arc<Live>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub random: Arc<dyn Random>,
    /// Is told what happens.
    pub observer: Arc<Observer>,
}

impl Parts {
    fn tell_store_fault(&self, fault: &StoreFault) {
        self.observer.tell(Observation::store_fault("dispatch", fault));
    }
}

/// Starts what is due for as long as the gateway runs.
pub struct Dispatcher {
    parts: Parts,
    wake: Arc<Notify>,
    turns: Mutex<turns::Turns>,
    keys: keys::Keys,
    breakers: breakers::Breakers,
    /// What rests, as the store had it when it was last looked at.
    paused: Mutex<Vec<Pause>>,
    /// Jobs that had as many starts as a minute may have when the queue was last looked at, and until when.
    limited: Mutex<HashMap<Arc<str>, Timestamp>>,
    workbenches: attempt::Workbenches,
    tasks: TaskTracker,
    /// Told when what is on the wire is not waited for any longer.
    cut: CancellationToken,
}

impl Dispatcher {
    /// A dispatcher that has not begun.
    pub fn new(parts: Parts) -> Arc<Self> {
        let wake = Arc::new(Notify::new());
        Arc::new(Self {
            keys: keys::Keys::new(Arc::clone(&parts.live), Arc::clone(&wake)),
            parts,
            wake,
            turns: Mutex::default(),
            breakers: breakers::Breakers::default(),
            paused: Mutex::default(),
            limited: Mutex::default(),
            workbenches: attempt::Workbenches::default(),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
        })
    }

    /// Tells it that there is something new in the queue or the configuration.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Tells it that something that rested may have changed, too.
    pub fn look_again(&self) {
        self.lock_turns().sweep_soon();
        self.wake();
    }

    /// Workbenches that rest because starts kept failing.
    pub fn open_circuits(&self) -> Vec<OpenBreaker> {
        self.breakers.open_circuits(self.parts.clock.now())
    }

    /// Works until told to stop, then lets what is on the wire come to its end.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut notifications = self.parts.store.shared().map(|shared| shared.notifications());
        let mut heard = Notifications::default();
        while !stop.is_cancelled() {
            let until = self.pass_or_back_off().await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.wake.notified() => {}
                about_pauses = hear(&mut notifications, &mut heard) => if about_pauses { self.look_again() },
                () = self.parts.clock.wait_until(until) => {}
            }
        }
        self.drained().await;
    }

    /// Ends when nothing is on the wire any more. Only useful after the stop.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits no longer for what is on the wire: its outcome is unknown, and recorded as that. Call
    /// [`Dispatcher::drained`] afterwards.
    pub fn cut_off(&self) {
        self.cut.cancel();
    }

    async fn pass_or_back_off(self: &Arc<Self>) -> Timestamp {
        match self.pass().await {
            Ok(next) => next,
            Err(fault) => {
                self.parts.tell_store_fault(&fault);
                later(self.parts.clock.now(), STORE_REST)
            }
        }
    }

    /// One look at the queue; says when to look again at the latest.
    async fn pass(self: &Arc<Self>) -> Result<Timestamp, StoreFault> {
        let now = self.parts.clock.now();
        if self.lock_turns().sweep_is_due(now) {
            self.settle_lost_attempts(now).await?;
            self.take_over_pauses().await?;
            self.fail_overdue(now).await?;
            let latest = later(now, turns::longest_wait(&self.parts.live.plan()));
            let runs = self.parts.store.pull_in(latest, now).await?;
            if runs > 0 {
                self.parts.observer.tell(Observation::ClockSetBack { runs });
            }
        }
        self.let_changed_keys_go_on(now).await?;
        // What went before took its time, and an attempt must not be dated before it was begun.
        let now = self.parts.clock.now();
        let alone = self.parts.store.shared().is_none();
        let mut next = later(now, if alone { POLL } else { SHARED_POLL });
        if let Some(trial) = self.breakers.next_trial(now) {
            next = next.min(trial);
        }
        if self.keys.any_paused() {
            next = next.min(later(now, KEY_LOOK));
        }
        let plan = self.parts.live.plan();
        let wants: Vec<Wants<'_>> = plan.jobs.values().map(wants).collect();
        let slots = Slots::new(AT_ONCE, &wants);
        // Once, so that every job is the first in its turn.
        let jobs = self.lock_turns().order(&plan);
        for round in slots.rounds() {
            let ask = self.ask(&slots, &jobs, *round, now);
            if ask.most > 0
                && !ask.permits.is_empty()
                && let Some(due) = self.take(ask).await?
            {
                next = next.min(due.max(later(now, Duration::from_millis(1))));
            }
        }
        Ok(next)
    }

    /// Runs whose time is over fail, step by step.
    async fn fail_overdue(&self, now: Timestamp) -> Result<(), StoreFault> {
        loop {
            let runs = self.parts.store.fail_overdue(now, self.waits()).await?;
            if runs == 0 {
                return Ok(());
            }
            self.parts.observer.tell(Observation::RunsOverdue { runs });
        }
    }

    /// Takes what may be taken, and sends it; gives when something falls due.
    async fn take(self: &Arc<Self>, ask: LeaseAsk) -> Result<Option<Timestamp>, StoreFault> {
        let leased = self.parts.store.lease_due(ask).await?;
        self.note_limits(&leased.limited);
        for (job, held) in &leased.held {
            self.parts.observer.tell(Observation::RunsBraked { job, held: *held });
        }
        for lease in leased.leases {
            self.send(lease);
        }
        Ok(leased.next_due)
    }

    /// Attempts whose holder died: nobody knows whether the job was started.
    async fn settle_lost_attempts(self: &Arc<Self>, now: Timestamp) -> Result<(), StoreFault> {
        for lease in self.parts.store.expired_leases(now).await? {
            if self.lock_turns().holds(lease.run) {
                continue;
            }
            let looked_up = |job: &Arc<JobPlan>| job.probe.is_some();
            if self.parts.live.plan().jobs.get(&lease.job).is_some_and(looked_up) {
                self.look_up_lost(lease);
            } else {
                attempt::settle_lost(&self.parts, &self.workbenches, &lease).await?;
            }
        }
        Ok(())
    }

    /// A workbench takes its time to answer, and others wait for the queue meanwhile.
    fn look_up_lost(self: &Arc<Self>, lease: Lease) {
        self.lock_turns().begin(&lease);
        let dispatcher = Arc::clone(self);
        self.tasks.spawn(async move {
            let parts = &dispatcher.parts;
            let settled = attempt::settle_lost(parts, &dispatcher.workbenches, &lease).await;
            if let Err(fault) = settled {
                parts.tell_store_fault(&fault);
            }
            dispatcher.lock_turns().end(&lease.job, lease.run);
            dispatcher.wake();
        });
    }

    /// How many runs of which jobs may be taken now, in the order of the jobs.
    fn ask(
        &self,
        slots: &Slots<'_>,
        jobs: &[&Arc<JobPlan>],
        round: Round,
        now: Timestamp,
    ) -> LeaseAsk {
        let (busy, on_the_wire) = {
            let turns = self.lock_turns();
            (turns.by_job(), turns.on_the_wire())
        };
        let alone = self.parts.store.shared().is_none();
        let permit = |job: &&Arc<JobPlan>| {
            let has = busy.get(&job.name).copied().unwrap_or(0);
            let wanted = slots.of(&wants(job), has, round);
            let is_usable = wanted > 0
                && self.keys.usable(job)
                && (alone || !self.keys.was_just_refused(job, now));
            let (count, trial) = self.breakers.room(&job.workbench.name, wanted, now);
            (is_usable && count > 0).then(|| turns::permit(job, count, trial))
        };
        let permits = jobs.iter().filter_map(permit).collect();
        LeaseAsk { now, permits, most: slots.free(&busy, on_the_wire, round) }
    }

    fn send(self: &Arc<Self>, lease: Lease) {
        self.lock_turns().begin(&lease);
        let plan = self.parts.live.plan();
        // Noted before the queue is looked at again, so that a trial stays alone.
        let begun = plan.jobs.get(&lease.job).map(|job| {
            let workbench = Arc::clone(&job.workbench);
            let ticket = self.breakers.begin(&workbench.name, lease.trial);
            if lease.trial {
                let workbench = &workbench.name;
                self.parts.observer.tell(Observation::BreakerHalfOpen { workbench });
            }
            (workbench, ticket)
        });
        let dispatcher = Arc::clone(self);
        self.tasks.spawn(async move {
            let run = lease.run;
            let job = Arc::clone(&lease.job);
            let Self { parts, workbenches, keys, cut, .. } = &*dispatcher;
            let sent = attempt::attempt(parts, workbenches, keys, lease, cut).await;
            if let Some((workbench, ticket)) = begun {
                dispatcher.learn(&workbench, ticket, sent.result.as_ref()).await;
            }
            dispatcher.lock_turns().end(&job, run);
            dispatcher.wake();
        });
    }

    fn lock_turns(&self) -> std::sync::MutexGuard<'_, turns::Turns> {
        self.turns.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Runs on the wire by job, for people who look.
    pub fn on_the_wire(&self) -> HashMap<Arc<str>, usize> {
        self.lock_turns().by_job()
    }
}

/// Ends when another process has told something since it was last `heard`; says whether it was about
/// what rests. Never ends where there is no other.
async fn hear(
    notifications: &mut Option<watch::Receiver<Notifications>>,
    heard: &mut Notifications,
) -> bool {
    if let Some(notifications) = notifications
        && let Ok(told) = notifications.wait_for(|told| told != heard).await
    {
        let about_pauses = told.pauses != heard.pauses;
        *heard = *told;
        return about_pauses;
    }
    std::future::pending().await
}

fn wants(job: &Arc<JobPlan>) -> Wants<'_> {
    Wants { job: &job.name, workbench: &job.workbench.name, at_once: job.starts_at_once as usize }
}
