//! The store for several processes: PostgreSQL, version 14 or later.
//!
//! Any number of replicas share the queue. Deliveries that arrive together share a transaction and
//! one flush (`group`), and so do outcomes. Leases, limits and rests are judged by the database's
//! clock and kept in its rows, so that they hold for all replicas together.

mod deliveries;
mod group;
mod link;
mod migrate;
mod news;
mod password;
mod queue;
mod read;
mod replicas;
mod runs;
mod settle;
mod statements;
mod tidy;
mod values;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use super::pack::{Packed, Packer};
use super::shared::{Declared, News, Rest, Shared};
use super::statements::Statements as _;
use super::tables::Row as _;
use super::{Pending, Store, StoreFault, steps};
use crate::failpoint::reached;
use crate::model::{Backlog, DeliveryId, RunId};
use crate::store::{
    Accepted, Act, Audited, Counts, Delivery, DeliveryFilter, DeliverySummary, Finish, Lease,
    LeaseAsk, Leased, NewDelivery, Pausable, Pause, Release, ReplayOrder, Replayed, Retention, Run,
    RunBrief, RunFilter, Tidied,
};

use group::{Asked, Group};
use link::{Link, Links};
use values::{params, uuid};

pub use link::Options;
pub use migrate::Migrated;
pub use password::Password;

/// The channel that replicas tell each other on.
const NEWS: &str = "cdsw_gateway";
/// What is told there: that there is something in the queue,
const RUNS: &str = "runs";
/// or that something rests or goes on.
const RESTS: &str = "rests";

/// Bytes of deliveries that share a transaction at most; a larger one is alone.
const BATCH_BYTES: usize = 8 << 20;

/// Whose time leases, limits and rests are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseClock {
    /// The database's, the same for all replicas.
    Database,
    /// Whoever asks says what time it is. For tests, which move time by saying so.
    Caller,
}

/// The store on PostgreSQL.
pub struct PostgresStore {
    links: Links,
    accepts: Group<Packed, Accepted>,
    finishes: Group<Finish, ()>,
    news: watch::Receiver<News>,
    clock: LeaseClock,
    replica: Uuid,
    packer: Packer,
}

/// Makes the tables as this program needs them; says from which version to which.
///
/// # Errors
/// [`StoreFault`], naming what to do.
pub async fn migrate(options: &Options) -> Result<Migrated, StoreFault> {
    migrate::migrate(&options.links()?).await
}

/// Makes the tables as an older program needed them. For tests alone.
///
/// # Errors
/// [`StoreFault`], naming what to do.
#[doc(hidden)]
pub async fn migrate_to(options: &Options, version: usize) -> Result<Migrated, StoreFault> {
    migrate::migrate_to(&options.links()?, version).await
}

impl PostgresStore {
    /// Connects, and sees that the tables are as this program needs them and that a commit is on disk
    /// when it is told. `listening` is how to reach the database without a pooler, for news.
    ///
    /// # Errors
    /// [`StoreFault::Unusable`] when the tables or settings do not do; [`StoreFault::Unavailable`]
    /// when the database cannot be reached.
    pub async fn open(
        options: &Options,
        listening: Option<&Options>,
        clock: LeaseClock,
        replica: u128,
    ) -> Result<Self, StoreFault> {
        let links = options.links()?;
        let link = links.link().await?;
        migrate::check(&link).await?;
        is_durable(&link).await?;
        drop(link);
        let news = match listening {
            Some(options) => news::listen(options)?,
            None if options.pooled => news::none(),
            None => news::listen(options)?,
        };
        let (accepting, finishing) = (links.clone(), links.clone());
        Ok(Self {
            accepts: Group::start(BATCH_BYTES, weight, move |batch| {
                keep_together(accepting.clone(), batch)
            }),
            finishes: Group::start(
                usize::MAX,
                |_| 0,
                move |batch| finish_together(finishing.clone(), batch),
            ),
            links,
            news,
            clock,
            replica: Uuid::from_u128(replica),
            packer: Packer::default(),
        })
    }

    async fn leasing_time(&self, link: &Link, told: Timestamp) -> Result<Timestamp, StoreFault> {
        if self.clock == LeaseClock::Caller {
            return Ok(told);
        }
        let row = link.one(&format!("SELECT {} AS now", replicas::NOW), params![]).await?;
        row.map_or(Ok(told), |row| row.moment("now"))
    }
}

impl Store for PostgresStore {
    fn accept(&self, delivery: NewDelivery) -> Pending<'_, Accepted> {
        Box::pin(async move {
            let packed = self.packer.pack(delivery).await?;
            let accepted = self.accepts.ask(packed).await;
            reached("accept.committed");
            accepted
        })
    }

    fn lease_due(&self, ask: LeaseAsk) -> Pending<'_, Leased> {
        Box::pin(async move {
            let told = (self.clock == LeaseClock::Caller).then_some(ask.now);
            let link = self.links.link().await?;
            let mut seen = link.see(told).await?;
            if seen.is_late() {
                let now = seen.now;
                self.links.transact(async |link| steps::queue::promote(link, now).await).await?;
                seen = link.see(told).await?;
            }
            drop(link);
            let permits = seen.open(&ask);
            if permits.is_empty() {
                return Ok(seen.nothing());
            }
            self.links
                .transact(async |link| {
                    let leased = steps::queue::take(link, &ask, &seen, &permits, told).await?;
                    if !leased.leases.is_empty() {
                        reached("lease.written");
                    }
                    Ok(leased)
                })
                .await
        })
    }

    fn finish(&self, finish: Finish) -> Pending<'_, ()> {
        Box::pin(async move {
            let finished = self.finishes.ask(finish).await;
            reached("finish.committed");
            finished
        })
    }

    fn expired_leases(&self, now: Timestamp) -> Pending<'_, Vec<Lease>> {
        Box::pin(async move {
            let link = self.links.link().await?;
            let leasing = self.leasing_time(&link, now).await?;
            queue::expired_leases(&link, leasing, now).await
        })
    }

    fn fail_overdue(&self, now: Timestamp, waits: Vec<(Arc<str>, String)>) -> Pending<'_, usize> {
        Box::pin(async move {
            self.links
                .transact(async |link| {
                    steps::pauses::free_left_behind(link, now).await?;
                    steps::settle::fail_overdue(link, now, &waits).await
                })
                .await
        })
    }

    fn pull_in(&self, latest: Timestamp, now: Timestamp) -> Pending<'_, usize> {
        Box::pin(async move { queue::pull_in(&self.links.link().await?, latest, now).await })
    }

    fn replay(&self, order: ReplayOrder) -> Pending<'_, Replayed> {
        Box::pin(async move {
            self.links.transact(async |link| steps::people::replay(link, &order).await).await
        })
    }

    fn release(&self, run: RunId, release: Release, act: Act) -> Pending<'_, Run> {
        Box::pin(async move {
            self.links
                .transact(async |link| steps::people::release(link, run, &release, &act).await)
                .await
        })
    }

    fn cancel(&self, run: RunId, act: Act) -> Pending<'_, Run> {
        Box::pin(async move {
            self.links.transact(async |link| steps::people::cancel(link, run, &act).await).await
        })
    }

    fn pause(&self, what: Pausable, mark: Option<Vec<u8>>, act: Act) -> Pending<'_, ()> {
        Box::pin(async move {
            let mark = mark.as_deref();
            self.links
                .transact(async |link| steps::pauses::pause(link, &what, mark, &act).await)
                .await
        })
    }

    fn resume(
        &self,
        what: Pausable,
        backlogs: Vec<(Arc<str>, Backlog)>,
        act: Act,
    ) -> Pending<'_, bool> {
        Box::pin(async move {
            self.links
                .transact(async |link| steps::pauses::resume(link, &what, &backlogs, &act).await)
                .await
        })
    }

    fn pauses(&self) -> Pending<'_, Vec<Pause>> {
        Box::pin(async move { read::paused(&self.links.link().await?).await })
    }

    fn let_go(&self, job: Arc<str>, how: Backlog, now: Timestamp) -> Pending<'_, usize> {
        Box::pin(async move {
            self.links
                .transact(async |link| steps::pauses::let_go(link, &job, how, now).await)
                .await
        })
    }

    fn note(&self, what: String, kind: String, name: String, act: Act) -> Pending<'_, ()> {
        Box::pin(async move {
            let link = self.links.link().await?;
            link.audit(&what, &kind, &name, &act).await
        })
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Pending<'_, Vec<Audited>> {
        Box::pin(async move { read::audited(&self.links.link().await?, before, limit).await })
    }

    fn delivery(&self, id: DeliveryId) -> Pending<'_, Option<Delivery>> {
        Box::pin(
            async move { self.links.snapshot(async |link| read::delivery(link, id).await).await },
        )
    }

    fn deliveries(&self, filter: DeliveryFilter) -> Pending<'_, Vec<DeliverySummary>> {
        Box::pin(async move {
            self.links.snapshot(async |link| read::deliveries(link, &filter).await).await
        })
    }

    fn run(&self, id: RunId) -> Pending<'_, Option<Run>> {
        Box::pin(async move { self.links.snapshot(async |link| read::run(link, id).await).await })
    }

    fn runs(&self, filter: RunFilter) -> Pending<'_, Vec<RunBrief>> {
        Box::pin(async move { read::runs(&self.links.link().await?, &filter).await })
    }

    fn counts(&self) -> Pending<'_, Counts> {
        Box::pin(async move { read::counts(&self.links.link().await?).await })
    }

    fn held_since(&self, before: Timestamp) -> Pending<'_, u64> {
        Box::pin(async move { read::held_since(&self.links.link().await?, before).await })
    }

    fn tidy(&self, retention: Retention, now: Timestamp) -> Pending<'_, Tidied> {
        Box::pin(async move {
            self.links.transact(async |link| tidy::step(link, retention, now).await).await
        })
    }

    fn probe(&self, now: Timestamp) -> Pending<'_, ()> {
        Box::pin(async move {
            let link = self.links.link().await?;
            let sql = "INSERT INTO probe (one, at) VALUES (1, $1) \
                       ON CONFLICT (one) DO UPDATE SET at = excluded.at";
            link.execute(sql, params![values::millis(now)]).await?;
            Ok(())
        })
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}

impl Shared for PostgresStore {
    fn declare(&self, declared: Declared, changed: bool) -> Pending<'_, ()> {
        Box::pin(async move {
            let replica = self.replica;
            self.links
                .transact(async |link| replicas::declare(link, replica, &declared, changed).await)
                .await
        })
    }

    fn leave(&self) -> Pending<'_, ()> {
        Box::pin(async move { replicas::leave(&self.links.link().await?, self.replica).await })
    }

    fn rest(&self, rest: Rest) -> Pending<'_, ()> {
        Box::pin(async move {
            let link = self.links.link().await?;
            let now = self.leasing_time(&link, Timestamp::UNIX_EPOCH).await?;
            replicas::rest(&link, &rest, now).await
        })
    }

    fn back(&self, workbench: Arc<str>) -> Pending<'_, ()> {
        Box::pin(async move { replicas::back(&self.links.link().await?, &workbench).await })
    }

    fn no_trial(&self, workbench: Arc<str>) -> Pending<'_, ()> {
        Box::pin(async move { replicas::no_trial(&self.links.link().await?, &workbench).await })
    }

    fn resting(&self) -> Pending<'_, Vec<Rest>> {
        Box::pin(async move { replicas::resting(&self.links.link().await?).await })
    }

    fn news(&self) -> watch::Receiver<News> {
        self.news.clone()
    }
}

fn weight(packed: &Packed) -> usize {
    packed.headers.len() + packed.explanation.len() + packed.body.len()
}

/// A 2xx is built on a commit that is on disk, which two settings of the server could take back.
async fn is_durable(link: &Link) -> Result<(), StoreFault> {
    let row = link
        .one(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit'), \
             current_setting('synchronous_standby_names') <> ''",
            params![],
        )
        .await?;
    let Some(row) = row else { return Ok(()) };
    let (fsync, commit): (&str, &str) = (values::get(&row, 0)?, values::get(&row, 1)?);
    // With a standby that is to have every commit, `local` would leave it behind.
    let behind = values::get::<bool>(&row, 2)? && commit == "local";
    if fsync == "off" || commit == "off" || behind {
        return Err(StoreFault::Unusable(format!(
            "the server says that a commit is done before it is on disk (fsync = {fsync}, \
             synchronous_commit = {commit}), and what is accepted must not be lost; turn both on"
        )));
    }
    Ok(())
}

/// Keeps a batch of deliveries: the plain ones together, each of the others by itself.
async fn keep_together(links: Links, batch: Vec<Asked<Packed, Accepted>>) {
    let mut keys = HashSet::new();
    let (plain, alone): (Vec<_>, Vec<_>) = batch.into_iter().partition(|asked| {
        let delivery = &asked.what.delivery;
        deliveries::is_plain(&asked.what)
            && keys.insert((Arc::clone(&delivery.source), Arc::clone(&delivery.key)))
    });
    drop(keys);
    let all: Vec<&Packed> = plain.iter().map(|asked| &asked.what).collect();
    let kept = if all.is_empty() {
        Ok(HashSet::new())
    } else {
        match links.link().await {
            Ok(link) => deliveries::keep(&link, &all).await,
            Err(fault) => Err(fault.into()),
        }
    };
    reached("accept.written");
    match kept {
        Ok(kept) => {
            for asked in plain {
                if kept.contains(&uuid(asked.what.delivery.id.as_bytes())) {
                    asked.tell(Ok(Accepted::Kept));
                } else {
                    tokio::spawn(keep_alone(links.clone(), asked));
                }
            }
        }
        // One of them may be at fault; the others are not to suffer for it.
        Err(refused) if refused.data && plain.len() > 1 => {
            for asked in plain {
                tokio::spawn(keep_alone(links.clone(), asked));
            }
        }
        Err(refused) => {
            for asked in plain {
                asked.tell(Err(refused.fault.clone()));
            }
        }
    }
    for asked in alone {
        tokio::spawn(keep_alone(links.clone(), asked));
    }
}

async fn keep_alone(links: Links, asked: Asked<Packed, Accepted>) {
    // Some wait for each other; what keeps the rest going must not wait for a connection meanwhile.
    let Ok(_turn) = links.alone().acquire().await else { return };
    let kept = links.transact(async |link| steps::accept::accept(link, &asked.what).await).await;
    asked.tell(kept);
}

/// Records a batch of outcomes.
async fn finish_together(links: Links, batch: Vec<Asked<Finish, ()>>) {
    let mut runs = HashSet::new();
    let (batch, twice): (Vec<_>, Vec<_>) =
        batch.into_iter().partition(|asked| runs.insert(asked.what.lease.run));
    let all: Vec<&Finish> = batch.iter().map(|asked| &asked.what).collect();
    let finished = if all.iter().all(|finish| settle::is_plain(finish)) {
        // One statement, which is a transaction by itself.
        match links.link().await {
            Ok(link) => settle::finish(&link, &all).await,
            Err(fault) => Err(fault),
        }
    } else {
        links.transact(async |link| settle::finish(link, &all).await).await
    };
    reached("finish.written");
    match finished {
        Ok(lost) => {
            for asked in batch {
                let run = asked.what.lease.run;
                let lost = lost.contains(&uuid(run.as_bytes()));
                asked.tell(if lost { Err(StoreFault::LeaseLost(run)) } else { Ok(()) });
            }
        }
        Err(_) if batch.len() > 1 => {
            for asked in batch {
                tokio::spawn(finish_alone(links.clone(), asked));
            }
        }
        Err(fault) => {
            for asked in batch {
                asked.tell(Err(fault.clone()));
            }
        }
    }
    for asked in twice {
        tokio::spawn(finish_alone(links.clone(), asked));
    }
}

async fn finish_alone(links: Links, asked: Asked<Finish, ()>) {
    let run = asked.what.lease.run;
    let finished = links.transact(async |link| settle::finish(link, &[&asked.what]).await).await;
    asked.tell(
        finished.and_then(
            |lost| {
                if lost.is_empty() { Ok(()) } else { Err(StoreFault::LeaseLost(run)) }
            },
        ),
    );
}
