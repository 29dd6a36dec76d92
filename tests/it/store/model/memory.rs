//! A store in memory, as plain as it can be: what every real one must look like from environs. It knows
//! nothing of the rules that those share.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use cdsw_gateway::clock::{between, later};
use cdsw_gateway::model::{
    Backlog, ContentDigest, DeliveryId, Environment, Outcome, RunId, RunState,
};
use cdsw_gateway::store::{
    Act, Finish, LeaseAsk, NewDelivery, NewRun, NewRunState, Next, Pausable, Permit, Release,
    StoreFault,
};
use jiff::Timestamp;

use crate::store::world::MAY_BE_IN_A_FAULTY_FILE;

/// A run as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub id: RunId,
    pub state: RunState,
    pub reason: Option<String>,
    pub engine: Option<String>,
    pub attempts: u32,
    pub accepted_at: Timestamp,
    pub changed_at: Timestamp,
    pub due_at: Timestamp,
    pub deadline: Timestamp,
    pub stands_for: u32,
    pub superseded_by: Option<RunId>,
    pub environment: Option<Environment>,
    pub outcomes: Vec<Option<Outcome>>,
    pub acts: Vec<String>,
}

#[derive(Clone, Debug)]
struct Run {
    seen: Seen,
    delivery: DeliveryId,
    route: String,
    job: String,
    part: u32,
    kind: Option<String>,
    /// When the first of those that it stands for was accepted.
    since: Timestamp,
    /// Its time has not come.
    parked: bool,
    lease_until: Timestamp,
    passed: bool,
    superseded_by: Option<usize>,
    /// Its delivery was erased, and with it the link to the run that took its place.
    unlinked: bool,
}

/// What seldom happens by itself, and must happen in some sequence for the comparison to say anything.
pub const RARE: [&str; 19] = [
    "a run took the place of others",
    "a run that stood for several gave way",
    "only the newest of a backlog stayed",
    "a backlog was held for review",
    "a backlog was let go at a pace",
    "the brake held runs",
    "a minute was full",
    "a repeat queued a run again",
    "a replay queued a run again",
    "a lease was lost",
    "an attempt was lost",
    "a run was overdue",
    "a paused route kept a run back",
    "an id came with other content",
    "the first content of an id came again behind another",
    "what was erased came again",
    "erasing cancelled a run",
    "a run waited until faulty files are mended",
    "a run was held, since the configuration does not ask for it",
];

#[derive(Debug, Default)]
pub struct Memory {
    /// Which of [`RARE`] happened.
    pub met: BTreeSet<&'static str>,
    runs: Vec<Run>,
    claims: HashMap<(String, String), Claims>,
    pub repeats: HashMap<DeliveryId, u64>,
    erased: HashSet<DeliveryId>,
    pub pauses: BTreeMap<(String, String), Timestamp>,
    starts: Vec<(String, Timestamp, bool)>,
    backlogs: HashMap<String, usize>,
    pub audit: Vec<(String, String, String)>,
}

/// What is known of one id at one source.
#[derive(Debug)]
struct Claims {
    /// The first delivery that had the id, and how long the id is known.
    first: DeliveryId,
    until: Timestamp,
    /// Each content that came with the id, its delivery, and how long that one is known.
    contents: HashMap<ContentDigest, (DeliveryId, Timestamp)>,
}

/// What offering a delivery comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Offered {
    Kept,
    Another(DeliveryId),
    /// Of this delivery; these runs are queued again.
    Repeat(DeliveryId, Vec<RunId>),
}

/// What taking runs comes to.
#[derive(Debug, Default, PartialEq)]
pub struct Taken {
    pub leases: Vec<(RunId, u32)>,
    pub next_due: Option<Timestamp>,
    pub held: Vec<(String, usize)>,
    pub not_asked: Vec<(String, usize)>,
    pub limited: Vec<(String, Timestamp)>,
}

impl Memory {
    /// Every run, in the order of acceptance.
    pub fn seen(&self) -> Vec<Seen> {
        let stands_in = |run: &Run| {
            let mut by = run.superseded_by.filter(|_| !run.unlinked)?;
            while let Some(newer) = self.runs[by].superseded_by {
                by = newer;
            }
            Some(self.runs[by].seen.id)
        };
        self.runs
            .iter()
            .map(|run| Seen { superseded_by: stands_in(run), ..run.seen.clone() })
            .collect()
    }

    pub fn ids(&self) -> Vec<RunId> {
        self.runs.iter().map(|run| run.seen.id).collect()
    }

    pub fn deliveries(&self) -> Vec<DeliveryId> {
        let mut all: Vec<DeliveryId> = self.repeats.keys().copied().collect();
        all.sort_unstable();
        all
    }

    fn place(&self, id: RunId) -> usize {
        self.runs.iter().position(|run| run.seen.id == id).expect("a run that was accepted")
    }

    fn is_paused(&self, kind: &str, name: &str) -> bool {
        self.pauses.contains_key(&(kind.to_owned(), name.to_owned()))
    }

    fn is_ready(&self, run: &Run) -> bool {
        run.seen.state == RunState::Queued && !run.parked && !self.is_paused("route", &run.route)
    }

    pub fn accept(&mut self, new: &NewDelivery) -> Offered {
        let (now, until) = (new.received_at, later(new.received_at, new.window));
        let name = (new.source.to_string(), new.key.to_string());
        let known = self.claims.get(&name).filter(|claims| claims.until > now);
        let same = known.and_then(|claims| claims.contents.get(&new.digest));
        // The content of the first is known for as long as the id is.
        let known_first = known.is_some_and(|claims| {
            claims.contents.get(&new.digest).is_some_and(|(id, _)| *id == claims.first)
        });
        if let Some((first, _)) = same.copied().filter(|(_, until)| known_first || *until > now) {
            *self.repeats.get_mut(&first).expect("kept") += 1;
            if known_first && self.claims[&name].contents.len() > 1 {
                self.met.insert(RARE[14]);
            }
            return Offered::Repeat(first, self.repeat(first, new));
        }
        let offered = match known.map(|claims| claims.first) {
            Some(first) => {
                self.met.insert(RARE[13]);
                Offered::Another(first)
            }
            None => Offered::Kept,
        };
        let empty = || Claims { first: new.id, until, contents: HashMap::new() };
        if offered == Offered::Kept {
            self.claims.insert(name.clone(), empty());
        }
        let claims = self.claims.entry(name).or_insert_with(empty);
        claims.until = claims.until.max(until);
        claims.contents.insert(new.digest, (new.id, until));
        self.repeats.insert(new.id, 0);
        for run in &new.runs {
            self.add(new.id, run, now);
        }
        offered
    }

    fn repeat(&mut self, first: DeliveryId, new: &NewDelivery) -> Vec<RunId> {
        let now = new.received_at;
        let mut requeued = Vec::new();
        if self.erased.contains(&first) {
            self.met.insert(RARE[15]);
            return requeued;
        }
        for place in 0..self.runs.len() {
            let run = &self.runs[place];
            if run.delivery != first || run.seen.state != RunState::Failed {
                continue;
            }
            let is_it = |new: &&NewRun| {
                *new.route == *run.route && new.part == run.part && *new.job == *run.job
            };
            match new.runs.iter().find(is_it).cloned() {
                // The reason that it has says more.
                Some(NewRun { state: NewRunState::Failed(_), .. })
                    if run.seen.environment.is_some() =>
                {
                    continue;
                }
                Some(today) => self.try_again(place, &today, now),
                None if run.seen.environment.is_some() => {
                    let patience = between(run.seen.accepted_at, run.seen.deadline);
                    self.queue(place, now);
                    self.runs[place].seen.deadline = later(now, patience);
                }
                None => continue,
            }
            if self.runs[place].seen.state == RunState::Queued {
                self.met.insert(RARE[7]);
                requeued.push(self.runs[place].seen.id);
            }
        }
        requeued
    }

    fn queue(&mut self, place: usize, now: Timestamp) {
        let seen = &mut self.runs[place].seen;
        (seen.state, seen.reason, seen.changed_at, seen.due_at) =
            (RunState::Queued, None, now, now);
        self.runs[place].parked = false;
    }

    fn settle(&mut self, place: usize, state: RunState, reason: Option<String>, now: Timestamp) {
        let run = &mut self.runs[place];
        (run.seen.state, run.seen.reason, run.seen.changed_at) = (state, reason, now);
        run.parked = false;
    }

    fn try_again(&mut self, place: usize, today: &NewRun, now: Timestamp) {
        match &today.state {
            NewRunState::Failed(reason) => {
                let seen = &mut self.runs[place].seen;
                (seen.reason, seen.changed_at) = (Some(reason.clone()), now);
                return;
            }
            NewRunState::Queued(_) => self.queue(place, now),
            NewRunState::Held(_, reason) => {
                self.settle(place, RunState::Held, Some(reason.clone()), now);
            }
        }
        let seen = &mut self.runs[place].seen;
        (seen.due_at, seen.deadline) = (now, today.deadline);
        seen.environment = variables(&today.state);
    }

    fn add(&mut self, delivery: DeliveryId, new: &NewRun, now: Timestamp) {
        let place = self.runs.len();
        let (state, reason) = match &new.state {
            NewRunState::Queued(_) => (RunState::Queued, None),
            NewRunState::Held(_, reason) => (RunState::Held, Some(reason.clone())),
            NewRunState::Failed(reason) => (RunState::Failed, Some(reason.clone())),
        };
        let mut run = Run {
            seen: Seen {
                id: new.id,
                state,
                reason,
                engine: None,
                attempts: 0,
                accepted_at: now,
                changed_at: now,
                due_at: now,
                deadline: new.deadline,
                stands_for: 1,
                superseded_by: None,
                environment: variables(&new.state),
                outcomes: Vec::new(),
                acts: Vec::new(),
            },
            delivery,
            route: new.route.to_string(),
            job: new.job.to_string(),
            part: new.part,
            kind: new.latest.as_ref().map(|latest| latest.key.to_string()),
            since: now,
            parked: false,
            lease_until: now,
            passed: false,
            superseded_by: None,
            unlinked: false,
        };
        if let (Some(latest), RunState::Queued) = (&new.latest, state) {
            for older in self.unsent(&run.route, &latest.key) {
                self.met.insert(RARE[0]);
                run.since = run.since.min(self.runs[older].since);
                run.seen.stands_for += self.runs[older].seen.stands_for;
                self.supersede(older, place, now);
            }
            let due = later(now, latest.wait).min(later(run.since, latest.wait_at_most)).max(now);
            if due > now {
                (run.seen.state, run.seen.due_at, run.parked) = (RunState::Waiting, due, true);
            }
        }
        self.runs.push(run);
    }

    fn unsent(&self, route: &str, kind: &str) -> Vec<usize> {
        let is_unsent = |run: &Run| {
            matches!(run.seen.state, RunState::Waiting | RunState::Queued)
                && run.route == route
                && run.kind.as_deref() == Some(kind)
        };
        (0..self.runs.len()).filter(|place| is_unsent(&self.runs[*place])).collect()
    }

    fn supersede(&mut self, older: usize, by: usize, now: Timestamp) {
        let reason = "a newer run of its kind took its place".to_owned();
        self.settle(older, RunState::Superseded, Some(reason), now);
        self.runs[older].superseded_by = Some(by);
    }

    pub fn lease(&mut self, ask: &LeaseAsk, refused: Option<&str>) -> Taken {
        let now = ask.now;
        for run in self.runs.iter_mut().filter(|run| run.parked && run.seen.due_at <= now) {
            run.parked = false;
            if run.seen.state == RunState::Waiting {
                (run.seen.state, run.seen.changed_at) = (RunState::Queued, now);
            }
        }
        let parked = self.runs.iter().filter(|run| run.parked);
        let mut taken =
            Taken { next_due: parked.map(|run| run.seen.due_at).min(), ..Taken::default() };
        let queued = |run: &Run| run.seen.state == RunState::Queued && !run.parked;
        if self.runs.iter().any(|run| queued(run) && !self.is_ready(run)) {
            self.met.insert(RARE[12]);
        }
        let open: Vec<&Permit> = ask.permits.iter().filter(|permit| self.is_open(permit)).collect();
        let rooms: Vec<Room> = open.iter().map(|permit| self.room(permit, now)).collect();
        let mut windows: Vec<Vec<usize>> = Vec::new();
        for (permit, room) in open.iter().zip(&rooms) {
            let may_be_sent = |run: &Run| {
                *run.job == *permit.job && self.is_ready(run) && run.seen.deadline > now
            };
            let places = (0..self.runs.len()).filter(|place| may_be_sent(&self.runs[*place]));
            let all: Vec<usize> = places.collect();
            let most = room.starts.min(ask.most);
            let is_refused = |place: &usize| Some(&*self.runs[*place].route) == refused;
            let mut window = all[..most.min(all.len())].to_vec();
            if !window.is_empty() && window.iter().all(is_refused) {
                // All that is not asked for is taken out, and what is left moves up.
                let (mut out, asked): (Vec<usize>, Vec<usize>) =
                    all.into_iter().partition(is_refused);
                out.extend(asked.into_iter().take(most));
                window = out;
            }
            windows.push(window);
        }
        for (permit, window) in open.iter().zip(&mut windows) {
            let (refused, asked): (Vec<usize>, Vec<usize>) =
                window.iter().partition(|place| Some(&*self.runs[**place].route) == refused);
            *window = asked;
            if refused.is_empty() {
                continue;
            }
            taken.next_due = Some(now);
            let held = refused.into_iter().filter(|place| self.is_held(*place, now)).count();
            if held > 0 {
                taken.not_asked.push((permit.job.to_string(), held));
            }
        }
        taken.not_asked.sort();
        let mut braking = Vec::new();
        for ((permit, room), window) in open.iter().zip(rooms).zip(windows) {
            if let Some(at) = room.again_at {
                taken.next_due = Some(taken.next_due.map_or(at, |due| due.min(at)));
                taken.limited.push((permit.job.to_string(), at));
            }
            let mut left = room.starts.min(ask.most - taken.leases.len());
            let mut until_brake = room.until_brake;
            for place in window {
                let run = &self.runs[place];
                if left == 0 {
                    break;
                }
                if run.seen.attempts == 0 && !run.passed {
                    if until_brake == Some(0) {
                        braking.push(*permit);
                        break;
                    }
                    until_brake = until_brake.map(|left| left - 1);
                }
                left -= 1;
                self.begin(place, room.counted, later(now, permit.lease), now);
                taken.leases.push((self.runs[place].seen.id, self.runs[place].seen.attempts));
            }
        }
        for permit in braking {
            let over: Vec<usize> = (0..self.runs.len())
                .filter(|place| {
                    let run = &self.runs[*place];
                    *run.job == *permit.job
                        && self.is_ready(run)
                        && run.seen.attempts == 0
                        && !run.passed
                })
                .collect();
            self.met.insert(RARE[5]);
            for place in &over {
                let most = permit.per_hour.unwrap_or(0);
                let reason = format!(
                    "the brake: its job has had {most} runs within an hour (starts_per_hour); see \
                     whether that is meant, then release it or cancel it"
                );
                self.settle(*place, RunState::Held, Some(reason), now);
            }
            taken.held.push((permit.job.to_string(), over.len()));
            taken.next_due = Some(now);
        }
        taken
    }

    /// A run that the configuration does not ask for is held, or waits where a faulty file may have its route;
    /// gives whether it is held.
    fn is_held(&mut self, place: usize, now: Timestamp) -> bool {
        let run = &mut self.runs[place];
        let age = now.duration_since(run.seen.changed_at).as_secs();
        if run.route != MAY_BE_IN_A_FAULTY_FILE {
            self.met.insert(RARE[18]);
            let reason = "the configuration does not ask for it: there is no such route; mend the route and then \
                          release the run (--retry), or start its delivery by the routes of today with \
                          `replay --again`; `runs cancel` gives it up";
            self.settle(place, RunState::Held, Some(reason.to_owned()), now);
            return true;
        }
        let wait = Duration::from_secs(age.clamp(2, 20).unsigned_abs());
        (run.parked, run.seen.due_at) = (true, later(now, wait));
        run.seen.reason =
            Some("waits until faulty files are mended: its route may be in one".to_owned());
        self.met.insert(RARE[17]);
        false
    }

    fn is_open(&self, permit: &Permit) -> bool {
        let key = permit.key.as_deref().unwrap_or("");
        let paused = self.is_paused("all", "")
            || self.is_paused("job", &permit.job)
            || self.is_paused("key", key);
        !paused && self.runs.iter().any(|run| *run.job == *permit.job && self.is_ready(run))
    }

    fn room(&mut self, permit: &Permit, now: Timestamp) -> Room {
        let of_job = |run: &&Run| *run.job == *permit.job;
        let on_the_wire = self.runs.iter().filter(of_job);
        let on_the_wire = on_the_wire.filter(|run| run.seen.state == RunState::Sending).count();
        let mut limits: Vec<u32> = permit.per_minute.into_iter().collect();
        if let Some(up_to) = self.backlogs.get(&*permit.job).copied() {
            let old = self.runs.iter().take(up_to + 1).filter(of_job);
            if old.into_iter().any(|run| self.is_ready(run)) {
                self.met.insert(RARE[4]);
                limits.push(permit.backlog_per_minute.expect("the sequences name a pace"));
            } else {
                self.backlogs.remove(&*permit.job);
            }
        }
        let made = |within: u64, firsts: bool| -> Vec<Timestamp> {
            let within = Duration::from_secs(within);
            let of_job = self.starts.iter().filter(|(job, ..)| **job == *permit.job);
            let recent =
                of_job.filter(|(_, at, first)| later(*at, within) > now && (*first || !firsts));
            recent.map(|(_, at, _)| *at).collect()
        };
        let in_a_minute = made(60, false);
        let mut room = Room {
            starts: permit.count.min(permit.at_once.saturating_sub(on_the_wire)),
            until_brake: permit
                .per_hour
                .map(|most| (most as usize).saturating_sub(made(3600, true).len())),
            again_at: None,
            counted: !limits.is_empty() || permit.per_hour.is_some(),
        };
        if let Some(most) = limits.into_iter().min() {
            let left = (most as usize).saturating_sub(in_a_minute.len());
            if left == 0 {
                self.met.insert(RARE[6]);
                let oldest = in_a_minute.iter().min();
                room.again_at = oldest.map(|at| later(*at, Duration::from_secs(60)));
            }
            room.starts = room.starts.min(left);
        }
        room
    }

    fn begin(&mut self, place: usize, counted: bool, until: Timestamp, now: Timestamp) {
        let run = &mut self.runs[place];
        run.seen.attempts += 1;
        run.seen.outcomes.push(None);
        run.lease_until = until;
        (run.seen.state, run.seen.reason, run.seen.changed_at) = (RunState::Sending, None, now);
        if counted {
            self.starts.push((run.job.clone(), now, run.seen.attempts == 1));
        }
    }

    pub fn lost(&self, now: Timestamp) -> Vec<(RunId, u32)> {
        let lost = self.runs.iter();
        let lost = lost.filter(|run| run.seen.state == RunState::Sending && run.lease_until <= now);
        lost.map(|run| (run.seen.id, run.seen.attempts)).collect()
    }

    pub fn finish(&mut self, finish: &Finish) -> Result<(), StoreFault> {
        let place = self.place(finish.lease.run);
        let seen = &mut self.runs[place].seen;
        if seen.state != RunState::Sending || seen.attempts != finish.lease.attempt {
            self.met.insert(RARE[9]);
            return Err(StoreFault::LeaseLost(finish.lease.run));
        }
        *seen.outcomes.last_mut().expect("begun") = Some(finish.result.outcome);
        let now = finish.now;
        match finish.next.clone() {
            Next::Started { engine_id } => {
                seen.engine = Some(engine_id);
                self.settle(place, RunState::Started, None, now);
            }
            Next::Hold { reason } => self.settle(place, RunState::Held, Some(reason), now),
            Next::Fail { reason } => self.settle(place, RunState::Failed, Some(reason), now),
            Next::Retry { at, reason } => {
                self.settle(place, RunState::Queued, Some(reason), now);
                self.runs[place].seen.due_at = at;
                self.runs[place].parked = at > now;
            }
        }
        if let Some(refused) = &finish.refused {
            self.pause(&refused.what, &refused.act);
        }
        if let (RunState::Queued, Some(kind)) =
            (self.runs[place].seen.state, self.runs[place].kind.clone())
        {
            let route = self.runs[place].route.clone();
            if let Some(newer) = self.unsent(&route, &kind).pop().filter(|newer| *newer > place) {
                let (since, count) = (self.runs[place].since, self.runs[place].seen.stands_for);
                if count > 1 {
                    self.met.insert(RARE[1]);
                }
                self.supersede(place, newer, now);
                self.runs[newer].since = self.runs[newer].since.min(since);
                self.runs[newer].seen.stands_for += count;
            }
        }
        Ok(())
    }

    pub fn release(&mut self, id: RunId, word: &Release, act: &Act) -> Result<(), StoreFault> {
        let place = self.place(id);
        let state = self.runs[place].seen.state;
        let has_variables = self.runs[place].seen.environment.is_some();
        let is_tried_again =
            state == RunState::Failed && matches!(word, Release::Retry { .. }) && has_variables;
        if state != RunState::Held && !is_tried_again {
            return Err(StoreFault::Unlawful { run: id, state, message: String::new() });
        }
        let word = match word {
            Release::Retry { deadline } => {
                self.queue(place, act.at);
                self.runs[place].seen.deadline = *deadline;
                self.runs[place].passed = true;
                "release --retry"
            }
            Release::Started { engine_id } => {
                self.settle(place, RunState::Started, None, act.at);
                self.runs[place].seen.engine = Some(engine_id.clone());
                "release --started"
            }
            Release::Fail => {
                let reason = format!("given up by {}", act.who);
                self.settle(place, RunState::Failed, Some(reason), act.at);
                "release --fail"
            }
        };
        self.noted(place, word);
        Ok(())
    }

    pub fn cancel(&mut self, id: RunId, act: &Act) -> Result<(), StoreFault> {
        let place = self.place(id);
        let state = self.runs[place].seen.state;
        if !matches!(state, RunState::Waiting | RunState::Queued | RunState::Held) {
            return Err(StoreFault::Unlawful { run: id, state, message: String::new() });
        }
        let reason = format!("cancelled by {}", act.who);
        self.settle(place, RunState::Cancelled, Some(reason), act.at);
        self.noted(place, "cancel");
        Ok(())
    }

    fn noted(&mut self, place: usize, word: &str) {
        let run = &mut self.runs[place].seen;
        run.acts.push(word.to_owned());
        let id = run.id.to_string();
        self.audit.push((word.to_owned(), "run".to_owned(), id));
    }

    /// The runs that are cancelled for it.
    pub fn erase(&mut self, id: DeliveryId, act: &Act) -> Result<Vec<RunId>, StoreFault> {
        let all = 0..self.runs.len();
        let places: Vec<usize> = all.filter(|place| self.runs[*place].delivery == id).collect();
        let on_the_wire = |place: &&usize| self.runs[**place].seen.state == RunState::Sending;
        if let Some(place) = places.iter().find(on_the_wire) {
            let Seen { id: run, state, .. } = self.runs[*place].seen;
            return Err(StoreFault::Unlawful { run, state, message: String::new() });
        }
        let mut cancelled = Vec::new();
        for place in places {
            let state = self.runs[place].seen.state;
            if matches!(state, RunState::Waiting | RunState::Queued | RunState::Held) {
                let reason = format!("cancelled by {}", act.who);
                self.settle(place, RunState::Cancelled, Some(reason), act.at);
                self.met.insert(RARE[16]);
                self.runs[place].seen.acts.push("cancel".to_owned());
                cancelled.push(self.runs[place].seen.id);
            }
            let run = &mut self.runs[place];
            run.unlinked = true;
            run.seen.environment = run.seen.environment.take().map(|_| Environment::default());
            if run.seen.state != RunState::Cancelled {
                run.seen.reason = run.seen.reason.take().map(|_| "erased".to_owned());
            }
        }
        self.erased.insert(id);
        self.audit.push(("erase".to_owned(), "delivery".to_owned(), id.to_string()));
        Ok(cancelled)
    }

    /// `None` where the delivery was erased.
    pub fn replay(
        &mut self,
        delivery: DeliveryId,
        runs: &[NewRun],
        again: bool,
        now: Timestamp,
    ) -> Option<Vec<(RunId, &'static str, RunState)>> {
        if self.erased.contains(&delivery) {
            return None;
        }
        let mut done = Vec::new();
        for new in runs {
            let is_kept = |run: &Run| {
                run.delivery == delivery && *run.route == *new.route && run.part == new.part
            };
            let kept = self.runs.iter().rposition(is_kept);
            let (place, what) = match kept.map(|kept| (kept, self.runs[kept].seen.state)) {
                Some((kept, RunState::Failed | RunState::Cancelled))
                    if *self.runs[kept].job == *new.job =>
                {
                    self.try_again(kept, new, now);
                    self.met.insert(RARE[8]);
                    (
                        kept,
                        match self.runs[kept].seen.state {
                            RunState::Queued => "queued again",
                            RunState::Held => "held",
                            RunState::Cancelled => "left as it is",
                            _ => "failed again",
                        },
                    )
                }
                Some((kept, state))
                    if !again && !matches!(state, RunState::Failed | RunState::Cancelled) =>
                {
                    done.push((self.runs[kept].seen.id, "left as it is", state));
                    continue;
                }
                _ => {
                    self.add(delivery, new, now);
                    (self.runs.len() - 1, "new")
                }
            };
            let run = &mut self.runs[place].seen;
            run.acts.push("replay".to_owned());
            // A new one is said to be queued, also where it waits for more of its kind.
            let state = if run.state == RunState::Waiting { RunState::Queued } else { run.state };
            done.push((run.id, what, state));
        }
        self.audit.push(("replay".to_owned(), "delivery".to_owned(), delivery.to_string()));
        Some(done)
    }

    pub fn pause(&mut self, what: &Pausable, act: &Act) {
        let (kind, name) = (what.kind().to_owned(), what.name().to_owned());
        self.pauses.entry((kind.clone(), name.clone())).or_insert(act.at);
        self.audit.push(("pause".to_owned(), kind, name));
    }

    pub fn resume(
        &mut self,
        what: &Pausable,
        backlogs: &[(&'static str, Backlog)],
        now: Timestamp,
    ) -> bool {
        let (kind, name) = (what.kind().to_owned(), what.name().to_owned());
        let was_paused = self.pauses.remove(&(kind.clone(), name.clone())).is_some();
        if was_paused {
            for (job, how) in backlogs {
                self.release_backlog(job, *how, now);
            }
        }
        self.audit.push(("resume".to_owned(), kind, name));
        was_paused
    }

    pub fn release_backlog(&mut self, job: &str, how: Backlog, now: Timestamp) -> usize {
        let ready: Vec<usize> = (0..self.runs.len())
            .filter(|place| self.runs[*place].job == job && self.is_ready(&self.runs[*place]))
            .collect();
        let Some(last) = ready.last() else { return 0 };
        match how {
            Backlog::Paced => {
                self.backlogs.insert(job.to_owned(), *last);
                1
            }
            Backlog::Review => {
                self.met.insert(RARE[3]);
                for place in &ready {
                    let reason = "it waited while its job was paused (on_resume: review); release it, \
                                  or cancel it";
                    self.settle(*place, RunState::Held, Some(reason.to_owned()), now);
                }
                ready.len()
            }
            Backlog::Latest => {
                let mut kinds: BTreeMap<(String, Option<String>), Vec<usize>> = BTreeMap::new();
                for place in ready {
                    let run = &self.runs[place];
                    kinds.entry((run.route.clone(), run.kind.clone())).or_default().push(place);
                }
                let mut changed = 0;
                for mut kind in kinds.into_values().filter(|kind| kind.len() > 1) {
                    self.met.insert(RARE[2]);
                    changed += kind.len();
                    let newest = kind.pop().expect("more than one");
                    for older in kind {
                        self.runs[newest].seen.stands_for += self.runs[older].seen.stands_for;
                        self.supersede(older, newest, now);
                        let reason = "a newer run took its place after a pause";
                        self.runs[older].seen.reason = Some(reason.to_owned());
                    }
                }
                changed
            }
        }
    }

    pub fn fail_overdue(&mut self, waits: (&str, &str), now: Timestamp) -> BTreeMap<String, usize> {
        let mut failed = BTreeMap::new();
        for place in 0..self.runs.len() {
            let run = &self.runs[place];
            let waits_still = matches!(run.seen.state, RunState::Waiting | RunState::Queued);
            if waits_still && run.seen.deadline <= now {
                self.met.insert(RARE[11]);
                let last = run
                    .seen
                    .reason
                    .as_ref()
                    .map_or(String::new(), |last| format!("; last: {last}"));
                let waited = if run.job == waits.0 {
                    format!("; it waited: {}", waits.1)
                } else {
                    String::new()
                };
                let reason = format!(
                    "its time was over before it could be started (deadline or max_age of its \
                     job){last}{waited}"
                );
                self.settle(place, RunState::Failed, Some(reason), now);
                *failed.entry(self.runs[place].job.clone()).or_default() += 1;
            }
        }
        failed
    }

    pub fn pull_in(&mut self, latest: Timestamp, now: Timestamp) -> usize {
        let late = self.runs.iter_mut().filter(|run| run.parked && run.seen.due_at > latest);
        late.map(|run| run.seen.due_at = now).count()
    }
}

#[derive(Clone, Copy, Debug)]
struct Room {
    starts: usize,
    until_brake: Option<usize>,
    again_at: Option<Timestamp>,
    counted: bool,
}

fn variables(state: &NewRunState) -> Option<Environment> {
    match state {
        NewRunState::Queued(variables) | NewRunState::Held(variables, _) => Some(variables.clone()),
        NewRunState::Failed(_) => None,
    }
}
