//! A random sequence of use cases looks the same on every store, and on a model in memory.
//!
//! `MODEL_SEQUENCES` says how many sequences are tried. Where one differs it is made as short as it can be,
//! and shown.

mod memory;
mod steps;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cdsw_gateway::clock::later;
use cdsw_gateway::model::RunId;
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{
    Accepted, DeliveryFilter, Finish, Lease, LeaseAsk, ReplayRequest, RunFilter, Store, StoreFault,
};
use jiff::Timestamp;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use crate::common::postgres as server;
use crate::store::world::start;
use memory::{Memory, Offered, RARE, Seen, Taken};
use steps::{End, LEASE, Step, act, any_steps, ask, delivery, finish, new_runs, release};

/// Sequences, where nobody says how many.
const SEQUENCES: u32 = 200;
/// With so many, everything in [`RARE`] is met.
const ENOUGH: u32 = 1000;
/// Threads, each with stores of its own.
const THREADS: u32 = 2;

#[test]
fn every_sequence_of_use_cases_looks_the_same_on_every_store_and_in_memory() {
    let asked = std::env::var("MODEL_SEQUENCES").ok().and_then(|text| text.parse().ok());
    let sequences: u32 = asked.unwrap_or(SEQUENCES);
    let met = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        let tried = || tried(sequences.div_ceil(THREADS), &met);
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(tried)).collect();
        for thread in threads {
            if let Err(differs) = thread.join().expect("the thread runs") {
                panic!("{differs}");
            }
        }
    });
    let met = met.into_inner().expect("no thread panicked");
    let never: Vec<_> = RARE.iter().filter(|rare| !met.contains(*rare)).collect();
    assert!(never.is_empty() || sequences < ENOUGH, "in no sequence: {never:?}");
    println!("{sequences} sequences looked the same on every store and in memory");
}

fn tried(sequences: u32, met: &Mutex<BTreeSet<&'static str>>) -> Result<(), String> {
    let runtime = Runtime::new().expect("a runtime");
    let url = runtime.block_on(server::with_tables());
    let config = Config { cases: sequences, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let tried = runner.run(&any_steps(), |steps| {
        runtime.block_on(async {
            let mut world = World::new(&url).await;
            for step in &steps {
                world.take(step).await.map_err(TestCaseError::fail)?;
            }
            world.compare().await.map_err(TestCaseError::fail)?;
            met.lock().expect("no thread panicked").append(&mut world.memory.met);
            Ok(())
        })
    });
    tried.map_err(|differs| differs.to_string())
}

/// The stores, the model, and the one time of all of them.
struct World {
    stores: Vec<(&'static str, Arc<dyn Store>)>,
    memory: Memory,
    now: Timestamp,
    leases: Vec<Lease>,
    url: String,
    file: tempfile::TempDir,
    /// Entries of the audit log that belong to sequences before.
    audited: Option<u64>,
}

impl World {
    async fn new(url: &str) -> Self {
        let empty = "DELETE FROM runs; DELETE FROM attempts; DELETE FROM deliveries; DELETE FROM claims; \
                     DELETE FROM acts; DELETE FROM starts; DELETE FROM pauses; DELETE FROM backlogs; \
                     DELETE FROM gates";
        server::execute(url, empty).await;
        let file = memory_backed();
        let mut world = Self {
            stores: Vec::new(),
            memory: Memory::default(),
            now: start(),
            leases: Vec::new(),
            url: url.to_owned(),
            file,
            audited: None,
        };
        world.open().await;
        let last = world.stores[1].1.audit(None, 1).await.expect("read");
        world.audited = last.first().map(|entry| entry.number);
        world
    }

    /// Opens the stores, as processes do that come after those that died.
    async fn open(&mut self) {
        self.stores.clear();
        let path = self.file.path().join("gateway.db");
        let sqlite: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).expect("opens"));
        let postgres = server::open(&self.url, 1).await;
        self.stores = vec![("sqlite", sqlite), ("postgres", postgres)];
    }

    async fn take(&mut self, step: &Step) -> Result<(), String> {
        let now = self.now;
        match step {
            Step::Accept { source, key, content, window, runs } => {
                let new = delivery(source, (key, content, *window), runs, now);
                let expected = self.memory.accept(&new);
                for (name, store) in &self.stores {
                    let seen = match store.accept(new.clone()).await {
                        Ok(Accepted::Kept { .. }) => Ok(Offered::Kept),
                        Ok(Accepted::Another { same_id_as, .. }) => {
                            Ok(Offered::Another(same_id_as))
                        }
                        Ok(Accepted::Repeat { delivery, requeued, .. }) => {
                            Ok(Offered::Repeat(delivery, requeued))
                        }
                        Err(fault) => Err(fault),
                    };
                    same(name, step, &seen, &Ok(expected.clone()))?;
                }
            }
            Step::Lease { limits, most, refused } => {
                self.lease(step, &ask(limits, *most, *refused, now), *refused).await?;
            }
            Step::Finish { lease, end, stale } => {
                let leases = if *stale { &self.leases } else { &self.in_hand() };
                if !leases.is_empty() {
                    let finish = finish(lease.get(leases).clone(), *end, now);
                    self.finish(step, &finish).await?;
                }
            }
            Step::Release { run, word } if !self.memory.ids().is_empty() => {
                let (id, word, act) = (*run.get(&self.memory.ids()), release(*word, now), act(now));
                let expected = self.memory.release(id, &word, &act);
                for (name, store) in &self.stores {
                    let seen = store.release(id, word.clone(), act.clone()).await.map(drop);
                    same(name, step, &kind(seen), &kind(expected.clone()))?;
                }
            }
            Step::Cancel { run } if !self.memory.ids().is_empty() => {
                let (id, act) = (*run.get(&self.memory.ids()), act(now));
                let expected = self.memory.cancel(id, &act);
                for (name, store) in &self.stores {
                    let seen = store.cancel(id, act.clone()).await.map(drop);
                    same(name, step, &kind(seen), &kind(expected.clone()))?;
                }
            }
            Step::Erase { delivery } if !self.memory.deliveries().is_empty() => {
                let (id, act) = (*delivery.get(&self.memory.deliveries()), act(now));
                let expected = self.memory.erase(id, &act);
                for (name, store) in &self.stores {
                    let seen = store.erase(id, act.clone()).await.map(|erased| erased.cancelled);
                    let seen = seen.map_err(|fault| kind(Err(fault)));
                    let expected = expected.clone().map_err(|fault| kind(Err(fault)));
                    same(name, step, &seen, &expected)?;
                }
            }
            Step::Replay { delivery, runs, again } if !self.memory.deliveries().is_empty() => {
                let delivery = *delivery.get(&self.memory.deliveries());
                let runs = new_runs(runs, now);
                let expected = self.memory.replay(delivery, &runs, *again, now);
                for (name, store) in &self.stores {
                    let order = ReplayRequest {
                        delivery,
                        runs: runs.clone(),
                        again: *again,
                        act: act(now),
                    };
                    let seen = store.replay(order).await.map(|replayed| {
                        let runs = replayed.runs.into_iter();
                        runs.map(|run| (run.id, run.what, run.state)).collect::<Vec<_>>()
                    });
                    // Of what was erased, nothing is replayed.
                    same(name, step, &seen.ok(), &expected)?;
                }
            }
            Step::Pause { what } => {
                self.memory.pause(what, &act(now));
                for (name, store) in &self.stores {
                    same(name, step, &store.pause(what.clone(), None, act(now)).await, &Ok(()))?;
                }
            }
            Step::Resume { what, backlogs } => {
                let expected = self.memory.resume(what, backlogs, now);
                for (name, store) in &self.stores {
                    let backlogs =
                        backlogs.iter().map(|(job, how)| ((*job).into(), *how)).collect();
                    let seen = store.resume(what.clone(), backlogs, act(now)).await;
                    same(name, step, &seen, &Ok(expected))?;
                }
            }
            Step::LetGo { job, how } => {
                let expected = self.memory.release_backlog(job, *how, now);
                for (name, store) in &self.stores {
                    let seen = store.release_backlog((*job).into(), *how, now).await;
                    same(name, step, &seen, &Ok(expected))?;
                }
            }
            Step::Pass { seconds } => self.now = later(now, Duration::from_secs(*seconds)),
            Step::FailOverdue => {
                let waits = ("train", "job train is paused");
                let expected = self.memory.fail_overdue(waits, now);
                for (name, store) in &self.stores {
                    let waits = vec![(waits.0.into(), waits.1.to_owned())];
                    same(name, step, &store.fail_overdue(now, waits).await, &Ok(expected.clone()))?;
                }
            }
            Step::PullIn { seconds } => {
                let latest = later(now, Duration::from_secs(*seconds));
                let expected = self.memory.pull_in(latest, now);
                for (name, store) in &self.stores {
                    same(name, step, &store.pull_in(latest, now).await, &Ok(expected))?;
                }
            }
            Step::Lost => self.settle_lost(step).await?,
            Step::Die => {
                self.open().await;
                self.now = later(now, LEASE);
                self.settle_lost(step).await?;
            }
            Step::Release { .. }
            | Step::Cancel { .. }
            | Step::Erase { .. }
            | Step::Replay { .. } => {}
        }
        Ok(())
    }

    /// Leases that nobody has settled.
    fn in_hand(&self) -> Vec<Lease> {
        let open = self.memory.lost(Timestamp::MAX);
        let is_open = |lease: &&Lease| open.contains(&(lease.run, lease.attempt));
        self.leases.iter().filter(is_open).cloned().collect()
    }

    async fn lease(
        &mut self,
        step: &Step,
        ask: &LeaseAsk,
        refused: Option<&'static str>,
    ) -> Result<(), String> {
        let expected = self.memory.lease(ask, refused);
        let mut leases = Vec::new();
        for (name, store) in &self.stores {
            let leased = store.lease_due(ask.clone()).await.map_err(|fault| fault.to_string())?;
            let taken = Taken {
                leases: leased.leases.iter().map(|lease| (lease.run, lease.attempt)).collect(),
                next_due: leased.next_due,
                held: leased.held.iter().map(|(job, held)| (job.to_string(), *held)).collect(),
                not_asked: leased
                    .not_asked
                    .iter()
                    .map(|(job, held)| (job.to_string(), *held))
                    .collect(),
                limited: leased.limited.iter().map(|(job, at)| (job.to_string(), *at)).collect(),
            };
            same(name, step, &taken, &expected)?;
            leases = leased.leases;
        }
        self.leases.extend(leases);
        Ok(())
    }

    async fn finish(&mut self, step: &Step, finish: &Finish) -> Result<(), String> {
        let expected = self.memory.finish(finish);
        for (name, store) in &self.stores {
            same(name, step, &store.finish(finish.clone()).await, &expected)?;
        }
        Ok(())
    }

    /// Attempts whose holder died are found, and become unknown.
    async fn settle_lost(&mut self, step: &Step) -> Result<(), String> {
        let now = self.now;
        let expected = self.memory.lost(now);
        if !expected.is_empty() {
            self.memory.met.insert(RARE[10]);
        }
        let mut found = Vec::new();
        for (name, store) in &self.stores {
            found = store.expired_leases(now).await.map_err(|fault| fault.to_string())?;
            let mut lost: Vec<(RunId, u32)> =
                found.iter().map(|lease| (lease.run, lease.attempt)).collect();
            lost.sort_unstable();
            let mut expected = expected.clone();
            expected.sort_unstable();
            same(name, step, &lost, &expected)?;
        }
        for lease in found {
            self.finish(step, &finish(lease, End::Hold, now)).await?;
        }
        Ok(())
    }

    /// Everything that people can see.
    async fn compare(&self) -> Result<(), String> {
        let expected = self.memory.seen();
        for (name, store) in &self.stores {
            let runs = shown(&**store).await.map_err(|fault| fault.to_string())?;
            same(name, &"runs", &runs, &expected)?;
            let all = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
            let deliveries = store.deliveries(all).await.map_err(|fault| fault.to_string())?;
            let repeats =
                deliveries.iter().map(|delivery| (delivery.id, delivery.repeats)).collect();
            same(name, &"repeats", &self.memory.repeats, &repeats)?;
            let pauses = store.pauses().await.map_err(|fault| fault.to_string())?;
            let pauses = pauses.iter().map(|pause| {
                ((pause.what.kind().to_owned(), pause.what.name().to_owned()), pause.since)
            });
            same(name, &"pauses", &pauses.collect(), &self.memory.pauses)?;
            let before = if *name == "postgres" { self.audited } else { None };
            let audit = store.audit(None, 1000).await.map_err(|fault| fault.to_string())?;
            let audit = audit.into_iter().rev().filter(|entry| Some(entry.number) > before);
            let audit = audit.map(|entry| (entry.act, entry.kind, entry.name)).collect::<Vec<_>>();
            same(name, &"audit", &audit, &self.memory.audit)?;
        }
        Ok(())
    }
}

/// Every run of a store, in the order of acceptance.
async fn shown(store: &dyn Store) -> Result<Vec<Seen>, StoreFault> {
    let mut runs = store.runs(RunFilter { limit: 1000, ..RunFilter::default() }).await?;
    runs.reverse();
    let mut shown = Vec::new();
    for brief in runs {
        let run = store.run(brief.id).await?.expect("listed");
        assert_eq!(run.brief, brief, "a list shows what the run shows");
        shown.push(Seen {
            id: brief.id,
            state: brief.state,
            reason: brief.reason,
            engine: brief.engine_id,
            attempts: brief.attempts,
            accepted_at: brief.accepted_at,
            changed_at: brief.changed_at,
            due_at: brief.due_at,
            deadline: brief.deadline,
            stands_for: brief.stands_for,
            superseded_by: brief.superseded_by,
            environment: run.environment,
            outcomes: run.tries.iter().map(|attempt| attempt.outcome).collect(),
            acts: run.acts.into_iter().map(|(word, _)| word).collect(),
        });
    }
    Ok(shown)
}

/// The kind of a fault, without its words.
fn kind(result: Result<(), StoreFault>) -> Result<(), StoreFault> {
    result.map_err(|fault| match fault {
        StoreFault::Unlawful { run, state, .. } => {
            StoreFault::Unlawful { run, state, message: String::new() }
        }
        other => other,
    })
}

fn same<T: PartialEq + std::fmt::Debug>(
    store: &str,
    step: &dyn std::fmt::Debug,
    seen: &T,
    expected: &T,
) -> Result<(), String> {
    if seen == expected {
        return Ok(());
    }
    Err(format!("{store} differs at {step:?}\n{store}: {seen:#?}\nmodel: {expected:#?}"))
}

/// A directory whose files are in memory, where the system has one: what is compared is not the disk.
fn memory_backed() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a directory")
}
