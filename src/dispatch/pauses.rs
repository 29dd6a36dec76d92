//! What the dispatcher learns from attempts about keys and workbenches, and what it resumes without a
//! person: a key that has changed, and a workbench that works again.

use std::sync::{Arc, PoisonError};

use jiff::Timestamp;

use super::breaker::{Ticket, Turn};
use super::{Dispatcher, OpenBreaker, STORE_REST, keys};
use crate::clock::later;
use crate::config::{JobPlan, WorkbenchPlan};
use crate::model::{AttemptResult, Backlog, to_the_second};
use crate::observe::Observation;
use crate::store::shared::Shared;
use crate::store::{Act, KeyRefused, Pausable, Pause, StoreFault};

/// The name under which the audit log records what the gateway does by itself.
const GATEWAY: &str = "gateway";

impl Dispatcher {
    /// Reads the pauses, and what other processes know about circuit breakers, from the store.
    pub(super) async fn take_over_pauses(&self) -> Result<(), StoreFault> {
        let pauses = self.parts.store.pauses().await?;
        self.keys.mirror(&pauses);
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = pauses;
        if let Some(shared) = self.parts.store.shared() {
            self.tell_open_circuits(shared).await?;
            self.breakers.mirror(&shared.open_circuits().await?);
        }
        Ok(())
    }

    /// Tells the other processes which breakers have opened here, where they have not been told yet.
    async fn tell_open_circuits(&self, shared: &dyn Shared) -> Result<(), StoreFault> {
        for circuit in self.breakers.untold(self.parts.clock.now()) {
            shared.open_circuit(circuit.clone()).await?;
            self.breakers.told(&circuit.workbench);
        }
        Ok(())
    }

    /// Remembers which jobs have reached their limit of starts per minute, and until when.
    pub(super) fn note_limits(&self, jobs: &[(Arc<str>, Timestamp)]) {
        if !jobs.is_empty() {
            let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
            limited.extend(jobs.iter().cloned());
        }
    }

    /// Why the runs of a job, or those of one of its routes, are not sent now: a pause, an open circuit
    /// breaker or a limit of starts per minute. `None` where there is no such reason.
    pub fn waits_for(&self, job: &JobPlan, route: Option<&str>) -> Option<String> {
        let key = keys::name(job);
        let pauses = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = pauses.iter().find(|pause| match &pause.what {
            Pausable::All => true,
            Pausable::Job(name) => *job.name == **name,
            Pausable::Key(name) => *name == key,
            Pausable::Route(name) => route == Some(&**name),
        });
        if let Some(Pause { what, since, note, .. }) = pause {
            let note = note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
            return Some(format!("{what} has been paused since {}{note}", to_the_second(*since)));
        }
        let open = self.open_circuits();
        match open.iter().find(|circuit| *circuit.workbench == *job.workbench.name) {
            Some(OpenBreaker { workbench, until: Some(until), .. }) => Some(format!(
                "the circuit breaker of workbench {workbench} is open until {}",
                to_the_second(*until)
            )),
            Some(OpenBreaker { workbench, .. }) => Some(format!(
                "the circuit breaker of workbench {workbench} is half-open: one start at a time is tried"
            )),
            None => self.limit(job),
        }
    }

    fn limit(&self, job: &JobPlan) -> Option<String> {
        let limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
        let until = *limited.get(&job.name).filter(|until| **until > self.parts.clock.now())?;
        Some(format!(
            "job {} has had as many starts as it may have in a minute (starts_per_minute, or the pace of a \
             backlog); the next is at {}",
            job.name,
            to_the_second(until)
        ))
    }

    /// The reason of [`Dispatcher::waits_for`] for each job that has one, with the job's name.
    pub(super) fn waits(&self) -> Vec<(Arc<str>, String)> {
        let plan = self.parts.live.plan();
        let jobs = plan.jobs.values();
        jobs.filter_map(|job| Some((Arc::clone(&job.name), self.waits_for(job, None)?))).collect()
    }

    /// Resumes keys that have changed since they were refused. Costs nothing while no key is paused.
    pub(super) async fn let_changed_keys_go_on(&self, now: Timestamp) -> Result<(), StoreFault> {
        let plan = self.parts.live.plan();
        for key in self.keys.changed(&plan) {
            let act = own_act(now, "the key has changed");
            let backlogs = keys::jobs_of(&plan, &key).map(backlog).collect();
            self.parts.store.resume(Pausable::Key(key.clone()), backlogs, act).await?;
            self.parts.observer.tell(Observation::KeyChanged { key: &key });
            self.take_over_pauses().await?;
        }
        Ok(())
    }

    /// Feeds the end of an attempt to the circuit breaker of its workbench. `result` is `None` where no
    /// request was sent or it was cut off.
    pub(super) async fn learn(
        &self,
        workbench: &WorkbenchPlan,
        ticket: Ticket,
        result: Option<&AttemptResult>,
    ) {
        let now = self.parts.clock.now();
        let shared = self.parts.store.shared();
        let name = &workbench.name;
        let learnt = match self.breakers.end(workbench, ticket, result, now) {
            Turn::None => Ok(()),
            Turn::Nothing => match shared {
                Some(shared) => shared.no_trial(Arc::clone(name)).await,
                None => Ok(()),
            },
            Turn::Opened => {
                self.parts.observer.tell(Observation::BreakerOpened { workbench: name });
                match shared {
                    Some(shared) => self.tell_open_circuits(shared).await,
                    None => Ok(()),
                }
            }
            Turn::Closed => self.come_back(name, now).await,
        };
        if let Err(fault) = learnt {
            self.parts.tell_store_fault(&fault);
        }
    }

    /// Releases the backlog of a workbench that works again, and only then closes its circuit breaker.
    async fn come_back(&self, workbench: &Arc<str>, now: Timestamp) -> Result<(), StoreFault> {
        let plan = self.parts.live.plan();
        for job in plan.jobs.values().filter(|job| job.workbench.name == *workbench) {
            let (name, how) = backlog(job);
            // Tried until it succeeds: `on_resume` must not be skipped, and applying it twice does no harm.
            while let Err(fault) =
                self.parts.store.release_backlog(Arc::clone(&name), how, now).await
            {
                self.parts.tell_store_fault(&fault);
                tokio::select! {
                    () = self.cut.cancelled() => return Err(fault),
                    () = self.parts.clock.wait_until(later(self.parts.clock.now(), STORE_REST)) => {}
                }
            }
        }
        let told = match self.parts.store.shared() {
            Some(shared) => shared.close_circuit(Arc::clone(workbench)).await,
            None => Ok(()),
        };
        self.breakers.close(workbench);
        self.parts.observer.tell(Observation::BreakerClosed { workbench });
        told
    }
}

/// The pause of a key that the workbench refused. It is recorded together with the attempt.
pub(super) fn key_refused(job: &JobPlan, mark: Vec<u8>, now: Timestamp) -> KeyRefused {
    let act = own_act(now, "the workbench refused the key (401)");
    KeyRefused { what: Pausable::Key(keys::name(job)), mark, act }
}

/// What becomes of a job's backlog when the pause ends, with the job's name.
pub fn backlog(job: &Arc<JobPlan>) -> (Arc<str>, Backlog) {
    (Arc::clone(&job.name), job.on_resume)
}

fn own_act(at: Timestamp, note: &str) -> Act {
    Act { who: GATEWAY.to_owned(), at, origin: None, note: Some(note.to_owned()) }
}
