//! What the dispatcher learns from an attempt about keys and workbenches, and what it lets go on by
//! itself: a key that has changed, a workbench that is back.

use std::sync::Arc;

use jiff::Timestamp;

use super::breaker::{Ticket, Turn};
use super::sender::Sent;
use super::{Dispatcher, keys};
use crate::config::{JobPlan, WorkbenchPlan};
use crate::observe::log;
use crate::store::{Act, Pausable, Pause, StoreFault};

/// The name under which the gateway's own acts are kept.
const GATEWAY: &str = "gateway";

impl Dispatcher {
    /// Takes over what rests.
    pub(super) async fn take_over_pauses(&self) -> Result<(), StoreFault> {
        self.keys.mirror(&self.parts.store.pauses().await?);
        Ok(())
    }

    /// Lets keys go on that have changed since they were refused. Costs nothing while none rests.
    pub(super) async fn let_changed_keys_go_on(&self, now: Timestamp) -> Result<(), StoreFault> {
        let plan = self.parts.live.plan();
        for key in self.keys.changed(&self.parts.live, &plan) {
            let act = own_act(now, "the key has changed");
            self.parts.store.resume(Pausable::Key(key.clone()), act).await?;
            log::key_resumed(&key);
            for job in keys::jobs_of(&plan, &key) {
                self.let_go(job, now).await?;
            }
            self.take_over_pauses().await?;
        }
        Ok(())
    }

    /// Says what becomes of the runs of a job that waited.
    pub async fn let_go(&self, job: &JobPlan, now: Timestamp) -> Result<(), StoreFault> {
        let name = Arc::clone(&job.name);
        self.parts.store.let_go(name, job.on_resume, now).await.map(drop)
    }

    /// What an attempt says about its key and its workbench.
    pub(super) async fn learn(
        &self,
        job: &Arc<str>,
        workbench: &WorkbenchPlan,
        ticket: Ticket,
        sent: Sent,
    ) {
        let now = self.parts.clock.now();
        let plan = self.parts.live.plan();
        let learnt = match self.rests.end(workbench, ticket, sent.result.as_ref(), now) {
            Turn::None => Ok(()),
            Turn::Opened => {
                log::workbench_rests(&workbench.name);
                self.parts.metrics.breaker_opened(&workbench.name);
                Ok(())
            }
            Turn::Closed => {
                log::workbench_is_back(&workbench.name);
                let jobs = plan.jobs.values().filter(|job| job.workbench.name == workbench.name);
                let mut done = Ok(());
                for job in jobs {
                    done = done.and(self.let_go(job, now).await);
                }
                done
            }
        };
        let refused = match (&sent.refused, plan.jobs.get(job)) {
            (Some(mark), Some(job)) => self.refuse(job, mark.clone(), now).await,
            _ => Ok(()),
        };
        for fault in [learnt, refused].into_iter().filter_map(Result::err) {
            log::store_fault("dispatch", &fault);
            self.parts.metrics.store_faults.inc();
        }
    }

    /// A key that was refused rests at once in memory, and in the store as soon as it takes it.
    async fn refuse(&self, job: &JobPlan, mark: Vec<u8>, now: Timestamp) -> Result<(), StoreFault> {
        let what = Pausable::Key(keys::name(job));
        let act = own_act(now, "the workbench refused the key (401)");
        self.keys.rest(Pause {
            what: what.clone(),
            since: now,
            who: act.who.clone(),
            note: act.note.clone(),
            mark: Some(mark.clone()),
        });
        self.parts.store.pause(what, Some(mark), act).await
    }
}

fn own_act(at: Timestamp, note: &str) -> Act {
    Act { who: GATEWAY.to_owned(), at, origin: None, note: Some(note.to_owned()) }
}
