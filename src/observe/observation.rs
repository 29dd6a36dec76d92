//! Everything that is logged or counted.
//!
//! An observation has no field for a body, a header's value, a variable's value, a signature or a secret.
//! Its texts (`reason`, `words`, `what`) are made without them.

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::{AttemptEnded, ConnectionEnd, DeliveryKept, DeliveryRefused};
use crate::config::{Change, Report};
use crate::model::{DeliveryId, Outcome, RunId, RunState};
use crate::serving::Bound;
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
    /// Where a stored run belongs.
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
    /// A delivery was kept to which its sender gave the id of another one, with other content.
    SameIdOtherContent {
        /// The delivery.
        delivery: DeliveryId,
        /// The delivery that had the id.
        first: DeliveryId,
        /// Their source.
        source: &'a str,
        /// What identifies both at the sender.
        key: &'a str,
    },
    /// A request was not kept.
    DeliveryRefused(DeliveryRefused<'a>),
    /// An unsigned greeting was answered, and not stored, since one of its kind was stored a moment ago.
    GreetedAgain {
        /// The source.
        source: &'a str,
    },
    /// An authentic request contained a secret of its source, which was removed before the delivery was kept.
    SecretRemoved {
        /// The source.
        source: &'a str,
        /// Where the secret's value comes from; never the value.
        place: &'a str,
        /// Whether a line is logged: the sender puts none there on purpose, and it is the first for a while.
        is_first: bool,
    },
    /// A sender handed over a secret in its handshake.
    SecretOffered {
        /// The source.
        source: &'a str,
        /// What became of it, in words.
        what: &'a str,
    },

    /// Connections were not taken, or were closed before their clients closed them.
    ConnectionsEnded {
        /// The listener.
        listener: &'static str,
        /// How.
        end: ConnectionEnd,
        /// How many, for the metric.
        count: u64,
        /// How many since the last log line; none where no line is due.
        to_log: Option<u64>,
        /// The system's error, if there is one.
        error: Option<&'a io::Error>,
    },
    /// The system grants fewer file descriptors than the configured connections need.
    FewDescriptors {
        /// How many the process may have.
        limit: usize,
        /// The connections of senders that are possible with them.
        connections: usize,
        /// The connections of senders that the configuration asks for.
        wanted: usize,
    },
    /// Somebody sent an admin token that is not configured.
    WrongToken {
        /// The address that it came from.
        origin: &'a str,
        /// How many since the last log line on this address; none where no line is due.
        to_log: Option<u64>,
    },

    /// A request of a client of which nothing was proved has to wait for its turn.
    StrangerWaits {
        /// The listener.
        listener: &'static str,
        /// How many since the last log line; none where no line is due.
        to_log: Option<u64>,
    },
    /// Somebody asked whether the listener for webhooks answers.
    HealthAsked,
    /// A route matched a delivery, and a run was kept for it.
    RouteMatched {
        /// The route.
        route: &'a str,
    },
    /// A new run failed at once: its variables could not be made from the payload.
    RunNotMapped {
        /// The run.
        at: RunAt<'a>,
        /// Why, in words.
        reason: &'a str,
    },
    /// A new run is held, because its route says so.
    RunHeld {
        /// The run.
        at: RunAt<'a>,
        /// Why, in words.
        reason: &'a str,
    },
    /// A failed run is queued again, because its sender repeated the delivery.
    RunRedelivered {
        /// The run.
        run: RunId,
        /// Its delivery.
        delivery: DeliveryId,
    },
    /// A person replayed a delivery. There is one observation for each run.
    RunReplayed {
        /// The run.
        run: RunId,
        /// Its delivery.
        delivery: DeliveryId,
        /// Its route.
        route: &'a str,
        /// What was done with the run.
        what: &'a str,
        /// Its job.
        job: &'a str,
        /// The run's state now. `Failed` means that its variables could not be made.
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
        /// The run's state now.
        state: RunState,
        /// Who did it.
        who: &'a str,
    },
    /// The runs of a delivery took the place of earlier ones that were not sent yet.
    RunsSuperseded {
        /// Their job.
        job: &'a str,
        /// How many.
        runs: usize,
    },
    /// Runs failed, because their deadline passed before they could be started.
    RunsOverdue {
        /// Their job.
        job: &'a str,
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
    /// A process that faces the internet could read a secret of the dispatch side.
    SecretWithinReach {
        /// Which secret, and what to do, for people.
        words: &'a str,
    },
    /// Runs of a job are held, because the configuration does not ask for them.
    RunsNotAsked {
        /// The job.
        job: &'a str,
        /// How many runs.
        held: usize,
    },
    /// Runs were due later than any run can be, because the clock was set back. They are due now.
    ClockSetBack {
        /// How many runs.
        runs: usize,
    },

    /// An attempt ended, and its outcome is stored.
    AttemptEnded(AttemptEnded<'a>),
    /// An attempt ended, but its outcome could not be stored before the process had to stop.
    AttemptUnrecorded {
        /// The run.
        run: RunId,
        /// Its job.
        job: &'a str,
        /// Which attempt of the run it is, counted from 1.
        attempt: u32,
        /// Its outcome.
        outcome: Outcome,
        /// The workbench's id of the engine, where the job was started.
        engine_id: Option<&'a str>,
    },

    /// A workbench refused an API key. The key is paused.
    KeyRefused {
        /// The workbench.
        workbench: &'a str,
        /// The key's name.
        key: &'a str,
    },
    /// An admin token has another value.
    TokenChanged {
        /// Its name.
        token: &'a str,
    },
    /// An admin token cannot be read, so nobody can use it.
    TokenUnreadable {
        /// Its name.
        token: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// An admin token can be read again.
    TokenReadable {
        /// Its name.
        token: &'a str,
    },
    /// A refused API key has changed. It is resumed.
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
    /// A person ended the wait of an open circuit breaker: one start is sent as a trial now.
    BreakerResumed {
        /// The workbench.
        workbench: &'a str,
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
    /// A circuit breaker opened: starts on the workbench kept failing, so none is sent for a while.
    BreakerOpened {
        /// The workbench.
        workbench: &'a str,
    },
    /// A circuit breaker is half-open: one start is sent as a trial.
    BreakerHalfOpen {
        /// The workbench.
        workbench: &'a str,
    },
    /// A circuit breaker closed: the workbench works again, and starts are sent.
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
        /// When.
        at: Timestamp,
    },
    /// The configuration was read again, and its valid parts are in force.
    ConfigurationReloaded {
        /// When.
        at: Timestamp,
        /// What changed.
        change: &'a Change,
        /// What was found in its files.
        report: &'a Report,
    },
    /// The configuration was read again and is faulty. The previous one stays in force.
    ConfigurationRefused {
        /// What was found in its files.
        report: &'a Report,
    },
    /// A file of `routes.d/` was faulty at the start, and the version is in force that a process before had.
    RouteFileAdopted {
        /// The file.
        file: &'a str,
        /// When that version was first in force.
        since: Timestamp,
    },
    /// A secret in use is weak, or serves two purposes.
    SecretDoubtful {
        /// What is doubtful, in words.
        reason: &'a str,
        /// What to do.
        hint: &'a str,
    },
    /// A source can receive nothing, because its secrets cannot be read.
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
        /// When the keys that stay in use were fetched; none where there are no keys.
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

    /// The store answered with a fault.
    StoreFault {
        /// The operation.
        step: &'static str,
        /// The fault.
        fault: &'a StoreFault,
        /// True when the fault was logged a moment ago: it is counted, and not logged again.
        repeated: bool,
    },
    /// Other users of this machine could use a file of the store, or its directory.
    StoreFileExposed {
        /// Its path.
        path: &'a Path,
        /// Its permissions, as they were found.
        mode: u32,
        /// Whether they were corrected.
        corrected: bool,
    },
    /// A person had the content of a delivery erased.
    DeliveryErased {
        /// The delivery.
        delivery: DeliveryId,
        /// How many of its runs were cancelled for that.
        cancelled: usize,
        /// Who did it.
        who: &'a str,
    },
    /// The database's password cannot be read; the previous one is tried.
    DatabasePassword {
        /// Why, in words.
        reason: &'a str,
    },
    /// Retention finished one step.
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
        hooks: Option<&'a Bound>,
        /// Where health, metrics and the API are.
        admin: &'a Bound,
        /// Where health alone is served; none where it is not.
        health: Option<&'a Bound>,
        /// Version of the configuration in force.
        config: &'a str,
    },
    /// The process was told to stop.
    Stopping {
        /// How long the stop takes at most.
        at_most: Duration,
    },
    /// Starts did not end within the grace time.
    StartsCutOff,
    /// The process has stopped.
    Stopped,
    /// The simulated workbench cannot write its log file any more.
    RequestLogLost {
        /// The system's error.
        error: &'a io::Error,
    },
}

impl<'a> Observation<'a> {
    /// The store answered with a fault.
    pub fn store_fault(step: &'static str, fault: &'a StoreFault) -> Self {
        Self::StoreFault { step, fault, repeated: false }
    }

    /// The observation of a reload: what changed, or why it was refused.
    pub fn reloaded(done: &'a Result<Change, Report>, found: &'a Report, at: Timestamp) -> Self {
        match done {
            Ok(change) => Self::ConfigurationReloaded { at, change, report: found },
            Err(report) => Self::ConfigurationRefused { report },
        }
    }
}
