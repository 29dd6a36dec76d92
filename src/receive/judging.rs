//! The pure steps of one request, run where they hold up no other: at once where they are brief, else
//! beside the work. Routes that take long go on with the event that was proven and parsed; only a
//! request that was refused is proven again, where newer keys may give another verdict.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::answer::Answer;
use super::steps::{Arrived, Proven, Taken};
use crate::config::{SecretFault, SourceSecrets};
use crate::judge::Unfinished;
use crate::model::DeliveryId;
use crate::providers::Published;

/// Above this a body is parsed where it holds up no other request. Below it only the routes are
/// asked there, when their expressions turn out to take long; what was made of the body waits for
/// that, and may be forty times as large.
const LARGE: usize = 32 * 1024;

/// Places for requests that are judged at once beside the work: more than twice the processors would not
/// be done sooner, and what is made of a body is larger than it is.
#[derive(Debug)]
pub struct JudgingPlaces(Semaphore);

impl Default for JudgingPlaces {
    fn default() -> Self {
        Self(Semaphore::new((2 * processors()).min(8)))
    }
}

impl JudgingPlaces {
    /// Does it on a thread that no other request waits for.
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

/// A request, and all that it is judged by.
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
    /// What the steps make of it.
    pub(super) async fn steps(&self) -> Result<Taken, Answer> {
        if self.arrived.body.len() > LARGE {
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
