//! The pure steps of one request, run where they hold up no other: at once where they are brief, else
//! beside the work. They may be run again, where newer keys may give another verdict.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::answer::Answer;
use super::steps::{Arrived, Judge, Taken};
use crate::config::{SecretFault, SourceSecrets};
use crate::judge::{Unfinished, judge, judge_briefly};
use crate::model::DeliveryId;
use crate::providers::Published;

/// Above this a body's pure steps run at once where they hold up no other request; below it only
/// when its expressions turn out to take long.
const LARGE: usize = 128 * 1024;

/// Requests that are judged at once beside the work: more than twice the processors would not be done
/// sooner, and what is made of a body is larger than it is.
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new((2 * processors()).min(8)));

const UNHURRIED: Judge = |plan, source, understood, delivery, detail| {
    Ok(judge(plan, source, understood, delivery, detail))
};

/// A request, and all that it is judged by.
#[derive(Clone)]
pub(super) struct Judging {
    pub(super) arrived: Arc<Arrived>,
    pub(super) secrets: Arc<Result<SourceSecrets, SecretFault>>,
    pub(super) keys: Option<Arc<Published>>,
    pub(super) delivery: DeliveryId,
    pub(super) now: Timestamp,
}

impl Judging {
    /// What the steps make of it.
    pub(super) async fn steps(&self) -> Result<Result<Taken, Answer>, Answer> {
        let brief = match self.arrived.body.len() > LARGE {
            true => Err(Unfinished),
            false => self.judged(judge_briefly),
        };
        let Err(Unfinished) = brief else { return brief.map_err(|_| unfinished()) };
        let Ok(_turn) = AT_ONCE.acquire().await else { return Err(unfinished()) };
        let judging = self.clone();
        match tokio::task::spawn_blocking(move || judging.judged(UNHURRIED)).await {
            Ok(taken) => taken.map_err(|_| unfinished()),
            Err(stopped) => Err(Answer::Fault(stopped.to_string())),
        }
    }

    fn judged(&self, judge: Judge) -> Result<Result<Taken, Answer>, Unfinished> {
        let Self { arrived, secrets, keys, delivery, now } = self;
        arrived.steps(secrets.as_ref().as_ref(), keys.as_deref(), *delivery, *now, judge)
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn unfinished() -> Answer {
    Answer::Fault("the routes could not be judged".to_owned())
}
