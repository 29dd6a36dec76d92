//! The dispatcher: takes due runs from the queue, asks the workbench to start them, and records the
//! outcomes.
//!
//! An attempt is committed before its request is sent. If the process dies in between, the attempt is found
//! again and its outcome counts as unknown. This is the only part of the program that reads an API key.

mod asked;
mod attempt;
mod breaker;
mod breakers;
mod decide;
mod keys;
mod pauses;
mod slots;
mod turns;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, later};
use crate::config::{JobPlan, Live, Plan};
use crate::observe::{Observation, Observer};
use crate::random::Random;
use crate::store::shared::Notifications;
use crate::store::{Lease, LeaseAsk, Pause, Store, StoreFault};
use slots::{Round, Slots, Wants};

pub use asked::{Writer, asked};
pub use breakers::OpenBreaker;
pub use decide::decide;
pub use pauses::backlog;

/// Start requests that may be in flight at once, to all workbenches together.
const AT_ONCE: usize = 256;
/// How often the queue is polled where no other process uses the store. New runs wake the dispatcher.
const POLL: Duration = Duration::from_secs(30);
/// How often the queue is polled where other processes share the store, since a notification can be lost.
const SHARED_POLL: Duration = Duration::from_secs(1);
/// How often a refused key is read again, to see whether it has changed.
const KEY_LOOK: Duration = Duration::from_secs(1);
/// Calls by which one sweep fails overdue runs at most, so that they keep no other run from being sent.
const OVERDUE_STEPS: usize = 16;
/// Back-off after the store has failed.
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
    /// Random bits, for the jitter of retries.
    pub random: Arc<dyn Random>,
    /// Writes the log and the metrics.
    pub observer: Arc<Observer>,
    /// Who may have written the runs.
    pub writer: Writer,
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
    clocks: breakers::Clocks,
    /// The pauses, as last read from the store.
    paused: Mutex<Vec<Pause>>,
    /// Jobs that had reached their limit of starts per minute at a look at the queue, with the time of their
    /// next start.
    limited: Mutex<HashMap<Arc<str>, Timestamp>>,
    workbenches: attempt::Workbenches,
    tasks: TaskTracker,
    /// Cancelled when the requests in flight are no longer waited for.
    cut: CancellationToken,
}

impl Dispatcher {
    /// Makes a dispatcher. It does nothing before [`Dispatcher::run`].
    pub fn new(parts: Parts) -> Arc<Self> {
        let wake = Arc::new(Notify::new());
        Arc::new(Self {
            keys: keys::Keys::new(Arc::clone(&parts.live), Arc::clone(&wake)),
            parts,
            wake,
            turns: Mutex::default(),
            breakers: breakers::Breakers::default(),
            clocks: breakers::Clocks::default(),
            paused: Mutex::default(),
            limited: Mutex::default(),
            workbenches: attempt::Workbenches::default(),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
        })
    }

    /// Makes the dispatcher look at the queue now, after new runs or a new configuration have come.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Like [`Dispatcher::wake`], and makes it read the pauses again, since they may have changed.
    pub fn look_again(&self) {
        self.lock_turns().sweep_soon();
        self.wake();
    }

    /// Workbenches whose circuit breaker is open or half-open.
    pub fn open_circuits(&self) -> Vec<OpenBreaker> {
        self.breakers.open_circuits(self.parts.clock.now())
    }

    /// How far each workbench's clock is ahead of this machine's, as its last reply to a start said. It is empty
    /// for a workbench that has not replied since the process began.
    pub fn clocks_ahead(&self) -> BTreeMap<Arc<str>, SignedDuration> {
        self.clocks.all()
    }

    /// Ends the wait of a workbench's open circuit breaker, at a person's command: one start is sent as a trial
    /// now. Gives whether it was open or half-open.
    ///
    /// # Errors
    /// [`StoreFault`] where the other processes cannot be told.
    pub async fn try_workbench(&self, workbench: &Arc<str>) -> Result<bool, StoreFault> {
        let now = self.parts.clock.now();
        if !self.breakers.half_open(workbench, now) {
            return Ok(false);
        }
        if let Some(shared) = self.parts.store.shared() {
            shared.half_open(Arc::clone(workbench)).await?;
        }
        self.look_again();
        Ok(true)
    }

    /// Dispatches until `stop` is cancelled, then waits for the requests in flight.
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

    /// Ends when no request is in flight any more. Only useful after the stop.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Gives up on the requests in flight and records their outcome as unknown. Call
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

    /// Looks at the queue once and sends what is due; gives when to look again at the latest.
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
        // The steps above take time, and an attempt must not be dated earlier than it begins.
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
        // Once for both rounds: each call rotates the order by one job, so that each comes first in turn.
        let jobs = self.lock_turns().order(&plan);
        for round in slots.rounds() {
            let ask = self.ask(&slots, &plan, &jobs, *round, now);
            if ask.most > 0
                && !ask.permits.is_empty()
                && let Some(due) = self.take(ask).await?
            {
                next = next.min(due.max(later(now, Duration::from_millis(1))));
            }
        }
        Ok(next)
    }

    /// Fails runs whose deadline has passed, a bounded number per call to the store.
    async fn fail_overdue(&self, now: Timestamp) -> Result<(), StoreFault> {
        for _ in 0..OVERDUE_STEPS {
            let failed = self.parts.store.fail_overdue(now, self.waits()).await?;
            if failed.is_empty() {
                break;
            }
            for (job, runs) in failed {
                self.parts.observer.tell(Observation::RunsOverdue { job: &job, runs });
            }
        }
        Ok(())
    }

    /// Takes runs from the queue and sends them; gives when the next one falls due.
    async fn take(self: &Arc<Self>, ask: LeaseAsk) -> Result<Option<Timestamp>, StoreFault> {
        let leased = self.parts.store.lease_due(ask).await?;
        self.note_limits(&leased.limited);
        for (job, held) in &leased.held {
            self.parts.observer.tell(Observation::RunsBraked { job, held: *held });
        }
        for (job, held) in &leased.not_asked {
            self.parts.observer.tell(Observation::RunsNotAsked { job, held: *held });
        }
        for lease in leased.leases {
            self.send(lease);
        }
        Ok(leased.next_due)
    }

    /// Settles attempts whose lease has expired because their process died or was cut off: nobody knows
    /// whether the job was started.
    async fn settle_lost_attempts(self: &Arc<Self>, now: Timestamp) -> Result<(), StoreFault> {
        for lease in self.parts.store.expired_leases(now).await? {
            if self.lock_turns().holds(lease.run) {
                continue;
            }
            let looked_up = |job: &Arc<JobPlan>| job.probe.is_some();
            if self.parts.live.plan().jobs.get(&lease.job).is_some_and(looked_up) {
                self.look_up_lost(lease);
            } else {
                let settled = attempt::settle_lost(&self.parts, &self.workbenches, &lease);
                // A row that cannot be written keeps no run from being sent; the next sweep tries again.
                if let Err(fault) = settled.await {
                    self.parts.tell_store_fault(&fault);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Settles a lost attempt in a task of its own, since the workbench may answer slowly and the queue must
    /// not wait for it.
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

    /// The request for work: how many runs of each job may be taken now, in the order of `jobs`.
    fn ask(
        &self,
        slots: &Slots<'_>,
        plan: &Arc<Plan>,
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
        LeaseAsk {
            now,
            permits,
            most: slots.free(&busy, on_the_wire, round),
            plan: Arc::new(asked::Asking { plan: Arc::clone(plan), writer: self.parts.writer }),
            version: Arc::clone(&plan.version),
        }
    }

    fn send(self: &Arc<Self>, lease: Lease) {
        self.lock_turns().begin(&lease);
        let plan = self.parts.live.plan();
        // Counted before the queue is looked at again, so that a half-open breaker lets only one trial
        // through.
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
                dispatcher.clocks.note(&workbench.name, sent.result.as_ref());
                dispatcher.learn(&workbench, ticket, sent.result.as_ref()).await;
            }
            dispatcher.lock_turns().end(&job, run);
            dispatcher.wake();
        });
    }

    fn lock_turns(&self) -> std::sync::MutexGuard<'_, turns::Turns> {
        self.turns.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Number of start requests in flight by job, for the admin API.
    pub fn on_the_wire(&self) -> HashMap<Arc<str>, usize> {
        self.lock_turns().by_job()
    }
}

/// Ends when another process has sent a notification that is not in `heard` yet; gives whether it was about
/// pauses. Never ends where the store is not shared.
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
