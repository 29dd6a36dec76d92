//! Runs the pure steps of a request where they delay no other request: short ones on the async worker,
//! long ones on a thread for blocking work.
//!
//! When only the routes take long, the event that was already authenticated and parsed is handed over.
//! A request is authenticated twice only when it was refused and newer keys may change that.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::answer::Answer;
use super::steps::{Arrived, Proven, Taken};
use crate::config::{SecretFault, SourceSecrets};
use crate::judge::Unfinished;
use crate::model::DeliveryId;
use crate::providers::Published;

/// Bodies of more bytes than this, and those that have to be unpacked, are parsed and judged on a thread for
/// blocking work.
///
/// Smaller ones are parsed on the async worker, and only routes whose expressions take long move to such a
/// thread. The parsed body waits for that thread meanwhile, and may be forty times as large as its bytes.
const LARGE: usize = 32 * 1024;

/// Limits how many requests are judged at once on threads for blocking work: two for each processor, and
/// eight at most. More would not finish sooner, and a parsed body takes more memory than its bytes.
#[derive(Debug)]
pub struct JudgingPlaces(Semaphore);

impl Default for JudgingPlaces {
    fn default() -> Self {
        Self(Semaphore::new((2 * processors()).min(8)))
    }
}

impl JudgingPlaces {
    /// Runs the work on a thread for blocking work, once a place is free.
    ///
    /// # Errors
    /// [`Answer::Fault`] when the work panicked.
    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Answer> {
        let Ok(_place) = self.0.acquire().await else {
            return Err(Answer::Fault("the routes could not be judged".to_owned()));
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|stopped| Answer::Fault(stopped.to_string()))
    }
}

/// A request with everything that its steps need.
#[derive(Clone)]
pub(super) struct Judging {
    pub(super) arrived: Arc<Arrived>,
    pub(super) places: Arc<JudgingPlaces>,
    pub(super) secrets: Arc<Result<SourceSecrets, SecretFault>>,
    pub(super) keys: Option<Arc<Published>>,
    pub(super) delivery: DeliveryId,
    pub(super) now: Timestamp,
}

impl Judging {
    /// Runs the steps.
    ///
    /// # Errors
    /// The answer to a request that is not kept.
    pub(super) async fn steps(&self) -> Result<Taken, Answer> {
        if self.arrived.body.len() > LARGE || self.arrived.is_encoded() {
            let judging = self.clone();
            let work = move || {
                Ok(match judging.prove()? {
                    Proven::Greeting(greeting) => Taken::Greeting(greeting),
                    Proven::Delivery(authentic) => {
                        let judged = judging.arrived.judge(&authentic, judging.delivery);
                        Taken::judged(*authentic, judged)
                    }
                })
            };
            return self.places.beside(work).await?;
        }
        let authentic = match self.prove()? {
            Proven::Greeting(greeting) => return Ok(Taken::Greeting(greeting)),
            Proven::Delivery(authentic) => authentic,
        };
        match self.arrived.judge_briefly(&authentic, self.delivery) {
            Ok(judged) => Ok(Taken::judged(*authentic, judged)),
            Err(Unfinished) => {
                let (arrived, delivery) = (Arc::clone(&self.arrived), self.delivery);
                let work = move || {
                    let judged = arrived.judge(&authentic, delivery);
                    Taken::judged(*authentic, judged)
                };
                self.places.beside(work).await
            }
        }
    }

    fn prove(&self) -> Result<Proven, Answer> {
        let Self { arrived, secrets, keys, now, .. } = self;
        arrived.prove(secrets.as_ref().as_ref(), keys.as_deref(), *now)
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
