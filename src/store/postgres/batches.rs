//! Batches: deliveries and outcomes that arrive together share a statement, or a transaction. Where a batch
//! fails, each of its members is tried alone, so that none suffers for another.

use std::collections::HashSet;
use std::sync::Arc;

use super::connection::Connections;
use super::group::Asked;
use super::values::uuid;
use super::{deliveries, settle};
use crate::failpoint::reached;
use crate::store::pack::Packed;
use crate::store::{Accepted, Finish, StoreFault, steps};

/// Bytes that a delivery adds to its batch.
pub(super) fn weight(packed: &Packed) -> usize {
    packed.headers.len() + packed.explanation.len() + packed.body.len()
}

/// Keeps a batch of deliveries: the plain ones in one statement, each of the others in its own transaction.
pub(super) async fn keep_together(pool: Connections, batch: Vec<Asked<Packed, Accepted>>) {
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
        match pool.connection().await {
            Ok(connection) => deliveries::keep(&connection, &all).await,
            Err(fault) => Err(fault.into()),
        }
    };
    reached("accept.written");
    match kept {
        Ok(kept) => {
            for asked in plain {
                if kept.contains(&uuid(asked.what.delivery.id.as_bytes())) {
                    asked.tell(Ok(Accepted::KEPT));
                } else {
                    tokio::spawn(keep_alone(pool.clone(), asked));
                }
            }
        }
        // One delivery's data may be the cause, so each is tried alone and the others are kept.
        Err(refused) if refused.data && plain.len() > 1 => {
            for asked in plain {
                tokio::spawn(keep_alone(pool.clone(), asked));
            }
        }
        Err(refused) => {
            for asked in plain {
                asked.tell(Err(refused.fault.clone()));
            }
        }
    }
    for asked in alone {
        tokio::spawn(keep_alone(pool.clone(), asked));
    }
}

async fn keep_alone(pool: Connections, asked: Asked<Packed, Accepted>) {
    // These transactions can wait for each other's locks. They may use only a part of the connections, so
    // that other work still gets one.
    let Ok(_turn) = pool.alone().acquire().await else { return };
    let kept = pool
        .transact(async |connection| steps::accept::accept(connection, &asked.what).await)
        .await;
    asked.tell(kept);
}

/// Records a batch of outcomes.
pub(super) async fn finish_together(pool: Connections, batch: Vec<Asked<Finish, ()>>) {
    let mut runs = HashSet::new();
    let (batch, twice): (Vec<_>, Vec<_>) =
        batch.into_iter().partition(|asked| runs.insert(asked.what.lease.run));
    let all: Vec<&Finish> = batch.iter().map(|asked| &asked.what).collect();
    let finished = if all.iter().all(|finish| settle::is_plain(finish)) {
        // One statement, which is a transaction by itself.
        match pool.connection().await {
            Ok(connection) => settle::finish(&connection, &all).await,
            Err(fault) => Err(fault),
        }
    } else {
        pool.transact(async |connection| settle::finish(connection, &all).await).await
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
                tokio::spawn(finish_alone(pool.clone(), asked));
            }
        }
        Err(fault) => {
            for asked in batch {
                asked.tell(Err(fault.clone()));
            }
        }
    }
    for asked in twice {
        tokio::spawn(finish_alone(pool.clone(), asked));
    }
}

async fn finish_alone(pool: Connections, asked: Asked<Finish, ()>) {
    let run = asked.what.lease.run;
    let finished =
        pool.transact(async |connection| settle::finish(connection, &[&asked.what]).await).await;
    asked.tell(
        finished.and_then(
            |lost| {
                if lost.is_empty() { Ok(()) } else { Err(StoreFault::LeaseLost(run)) }
            },
        ),
    );
}
