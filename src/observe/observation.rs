//! Everything that the gateway learns and tells.
//!
//! An observation borrows what it needs and no more: there is no field for a body, a header's value, a
//! variable's value, a signature or a secret, and what is told in words was made without them.

use std::io;
use std::net::SocketAddr;

use jiff::Timestamp;

use super::{AttemptEnded, DeliveryKept, DeliveryRefused};
use crate::config::{Change, Report};
use crate::model::{DeliveryId, Outcome, RunId, RunState};
use crate::store::{Pausable, RetentionStep, Run, StoreFault};

/// A run and where it belongs.
#[derive(Clone, Copy, Debug)]
pub struct RunAt<'a> {
    /// The run.
    pub run: RunId,
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its route.
    pub route: &'a str,
    /// Its job.
    pub job: &'a str,
}

impl<'a> RunAt<'a> {
    /// Of a kept run.
    pub fn of(run: &'a Run) -> Self {
        let brief = &run.brief;
        Self { run: brief.id, delivery: brief.delivery, route: &brief.route, job: &brief.job }
    }
}

/// Something that has happened.
#[derive(Clone, Copy, Debug)]
pub enum Observation<'a> {
    /// A request was kept, or recognized as a repeat.
    DeliveryKept(DeliveryKept<'a>),
    /// A request was not kept.
    DeliveryRefused(DeliveryRefused<'a>),
    /// A sender handed over a secret in its handshake.
    SecretOffered {
        /// The source.
        source: &'a str,
        /// What became of it, in words.
        what: &'a str,
    },

    /// A new run failed at once: its variables could not be made from the payload.
    RunNotMapped {
        /// The run.
        at: RunAt<'a>,
        /// Why, in words.
        reason: &'a str,
    },
    /// A new run is held: its route says so.
    RunHeld {
        /// The run.
        at: RunAt<'a>,
        /// Why, in words.
        reason: &'a str,
    },
    /// A failed run is queued again, since its sender delivered it again.
    RunRedelivered {
        /// The run.
        run: RunId,
        /// Its delivery.
        delivery: DeliveryId,
    },
    /// A person had a kept delivery go through today's routes; this is what one route came to.
    RunReplayed {
        /// The run.
        run: RunId,
        /// Its delivery.
        delivery: DeliveryId,
        /// Its route.
        route: &'a str,
        /// What was done with the run.
        what: &'a str,
        /// Where it stands now. A run that is failed was not mapped.
        state: RunState,
        /// Who asked for it.
        who: &'a str,
    },
    /// A person released or cancelled a run.
    RunSettled {
        /// The run.
        at: RunAt<'a>,
        /// What the person did.
        act: &'static str,
        /// Where the run stands now.
        state: RunState,
        /// Who did it.
        who: &'a str,
    },
    /// Runs failed, since their time was over before they could be started.
    RunsOverdue {
        /// How many.
        runs: usize,
    },
    /// A job's brake held runs.
    RunsBraked {
        /// The job.
        job: &'a str,
        /// How many runs.
        held: usize,
    },
    /// Runs were due later than any run may be, and are due now: the clock was set back.
    ClockSetBack {
        /// How many runs.
        runs: usize,
    },

    /// An attempt ended, and what is known of it is on disk.
    AttemptEnded(AttemptEnded<'a>),
    /// An attempt ended, and the store did not take what is known of it before the process had to stop.
    AttemptUnrecorded {
        /// The run.
        run: RunId,
        /// Its job.
        job: &'a str,
        /// Which attempt of the run it is, counted from 1.
        attempt: u32,
        /// What is known of it.
        outcome: Outcome,
        /// The workbench's id of the engine, where it was started.
        engine_id: Option<&'a str>,
    },

    /// A workbench did not accept an API key, which is paused from now on.
    KeyRefused {
        /// The workbench.
        workbench: &'a str,
        /// The key's name.
        key: &'a str,
    },
    /// An API key that was refused has changed, and is resumed.
    KeyChanged {
        /// The key, as `workbench/key`.
        key: &'a str,
    },
    /// A person paused something.
    Paused {
        /// What.
        what: &'a Pausable,
        /// Who did it.
        who: &'a str,
    },
    /// A person resumed something.
    Resumed {
        /// What.
        what: &'a Pausable,
        /// Who did it.
        who: &'a str,
    },
    /// Starts on a workbench kept failing: nothing is sent for a while.
    BreakerOpened {
        /// The workbench.
        workbench: &'a str,
    },
    /// One start is sent, to see whether the workbench is back.
    BreakerHalfOpen {
        /// The workbench.
        workbench: &'a str,
    },
    /// The workbench is back, and starts are sent again.
    BreakerClosed {
        /// The workbench.
        workbench: &'a str,
    },

    /// The configuration that the process starts with.
    ConfigurationLoaded {
        /// Its version.
        version: &'a str,
        /// What was found in its files.
        report: &'a Report,
    },
    /// The configuration was read again, and what is good of it is in force.
    ConfigurationReloaded {
        /// What changed.
        change: &'a Change,
        /// What was found in its files.
        report: &'a Report,
    },
    /// The configuration was read again and is faulty: the one before stays in force.
    ConfigurationRefused {
        /// What was found in its files.
        report: &'a Report,
    },
    /// A source can receive nothing, since its secrets cannot be had.
    SourceUnusable {
        /// The source.
        source: &'a str,
        /// Why, in words.
        reason: &'a str,
    },

    /// Published keys were fetched.
    KeysFetched {
        /// Their address.
        url: &'a str,
        /// The host that publishes them.
        host: &'a str,
        /// How many there are.
        keys: usize,
        /// When.
        at: Timestamp,
    },
    /// Published keys could not be fetched.
    KeysNotFetched {
        /// Their address.
        url: &'a str,
        /// The host that publishes them.
        host: &'a str,
        /// Why, as a label.
        reason: &'static str,
        /// Why, in words.
        words: &'a str,
        /// When those that stay in use were fetched, where there are any.
        since: Option<Timestamp>,
    },
    /// A subscription was confirmed at its sender.
    SubscriptionConfirmed {
        /// The source.
        source: &'a str,
        /// The sender's host.
        host: &'a str,
    },
    /// A subscription could not be confirmed.
    SubscriptionNotConfirmed {
        /// The source.
        source: &'a str,
        /// The sender's host.
        host: &'a str,
        /// Why, as a label.
        reason: &'static str,
        /// Why, in words.
        words: &'a str,
    },

    /// The store did not do what it was asked.
    StoreFault {
        /// What was to be done.
        step: &'static str,
        /// Why it was not.
        fault: &'a StoreFault,
        /// True where this was told a moment ago: it is counted, and the log has it already.
        repeated: bool,
    },
    /// The database's password cannot be had; the one before is tried.
    DatabasePassword {
        /// Why, in words.
        reason: &'a str,
    },
    /// Retention made a step.
    Retention {
        /// What it did.
        step: &'a RetentionStep,
    },
    /// The store is over its size bound, and retention may remove nothing more.
    StoreOverBound {
        /// Bytes in use.
        bytes: u64,
        /// Bytes that it may use.
        bound: u64,
    },

    /// The process is ready.
    Ready {
        /// Its role.
        role: &'static str,
        /// Where webhooks are received; none where they are not.
        hooks: Option<SocketAddr>,
        /// Where health, metrics and the API are.
        admin: SocketAddr,
        /// Version of the configuration in force.
        config: &'a str,
    },
    /// The process was told to stop.
    Stopping,
    /// Starts did not end within the grace time.
    StartsCutOff,
    /// The process has stopped.
    Stopped,
    /// The simulated workbench cannot write its log file any more.
    RequestLogLost {
        /// What the system said.
        error: &'a io::Error,
    },
}

impl<'a> Observation<'a> {
    /// The store did not do what it was asked.
    pub fn store_fault(step: &'static str, fault: &'a StoreFault) -> Self {
        Self::StoreFault { step, fault, repeated: false }
    }

    /// What reading the configuration again came to.
    pub fn reloaded(done: &'a Result<Change, Report>, found: &'a Report) -> Self {
        match done {
            Ok(change) => Self::ConfigurationReloaded { change, report: found },
            Err(report) => Self::ConfigurationRefused { report },
        }
    }
}
