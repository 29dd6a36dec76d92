//! Runs the pure steps of a request, stores their result, and makes the answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;

use super::answer::{self, Answer};
use super::judging::Judging;
use super::leaks::{Cleaned, Kept};
use super::rate::Counted;
use super::steps::{Arrived, Authentic, Judgement, Taken};
use super::{Receiver, learn, spoken};
use crate::config::{NAMED_WINDOW, SourcePlan};
use crate::event::{Dialect, Event, Greeting, Handshake, Identity, Reply, Understood};
use crate::failpoint::reached;
use crate::matching::Explanation;
use crate::model::{ContentDigest, DeliveryId, RunState};
use crate::observe::{DeliveryKept, Observation, RunAt};
use crate::providers::{self, HiddenHeaders};
use crate::replay::new_run;
use crate::store::{Accepted, KeptHeaders, NewDelivery, NewRun};

/// The kind of event that an unsigned greeting is stored as.
const HANDSHAKE: &str = "handshake";

impl Receiver {
    pub(super) async fn take_in(&self, arrived: Arrived) -> Answer {
        self.try_take_in(arrived).await.unwrap_or_else(|answer| answer)
    }

    async fn try_take_in(&self, mut arrived: Arrived) -> Result<Answer, Answer> {
        let now = self.clock.now();
        let delivery = DeliveryId::new(now, self.random.bits());
        let secrets = Arc::new(self.live.source_secrets(&arrived.source).await);
        let known = self.published(&arrived).await?;
        arrived.finder = self.finders.of(&self.live, &arrived.source, secrets.as_ref().as_ref());
        let arrived = Arc::new(arrived);
        let places = Arc::clone(&self.judging);
        let mut judging = Judging { arrived, places, secrets, keys: known.keys(), delivery, now };
        let mut taken = judging.steps().await;
        if let Err(refused) = &taken
            && let Some(newer) = self.newer(&known, refused).await?
        {
            judging.keys = Some(newer);
            taken = judging.steps().await;
        }
        let Judging { arrived, secrets, .. } = judging;
        // Taken out of its `Arc`, so that large parts can be dropped before the store is waited for.
        let Some(arrived) = Arc::into_inner(arrived) else {
            return Err(Answer::Fault("a request was still being judged".to_owned()));
        };
        match taken? {
            Taken::Delivery(mut judgement) => {
                if let Ok(secrets) = &*secrets {
                    let at = |places: &[usize], index: usize| places.get(index).copied();
                    let Authentic { secret, access_token, kept, .. } = &mut judgement.authentic;
                    if let Some(cleaned) = &mut kept.cleaned {
                        cleaned.place_secrets(&arrived.source, secrets);
                    }
                    *secret = secret.and_then(|index| at(secrets.places(), index));
                    *access_token =
                        access_token.and_then(|index| at(secrets.token_places(), index));
                }
                self.within_rate(&arrived.source, Counted::Deliveries, now)?;
                Ok(self.keep(arrived, *judgement, delivery, now).await)
            }
            Taken::Greeting(greeting) => {
                self.within_rate(&arrived.source, Counted::Greetings, now)?;
                Ok(self.keep_greeting(&arrived, greeting, delivery, now).await)
            }
        }
    }

    /// Counts an authentic delivery, or a greeting, against its source's rate. Requests that fail
    /// authentication do not count.
    fn within_rate(
        &self,
        source: &SourcePlan,
        counted: Counted,
        now: Timestamp,
    ) -> Result<(), Answer> {
        let Some(rate) = source.rate else { return Ok(()) };
        self.rates.take(&source.name, counted, rate, now).map_err(Answer::TooMany)
    }

    async fn keep(
        &self,
        mut arrived: Arrived,
        judgement: Judgement,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Answer {
        reached("receive.judged");
        let Judgement { authentic, judged } = judgement;
        let Authentic { understood, secret, access_token, claims, proven_back, kept } = authentic;
        let runs: Vec<NewRun> =
            judged.runs.iter().map(|draft| new_run(draft, now, &*self.random)).collect();
        let briefs = answer::briefs(&runs);
        let window = arrived.source.repeat_window(&understood.identity, now);
        let key = key_of(&understood.identity, window, delivery);
        let digest = understood.content;
        let Understood { handshake, kind, name, events, .. } = understood;
        let own_form = OwnForm::of(&arrived, events);
        let size = std::mem::take(&mut arrived.body).len();
        let mut kept = kept;
        if let Some(cleaned) = &kept.cleaned {
            self.tell_leak(&arrived.source, cleaned, now);
        }
        let body = std::mem::take(&mut kept.body);
        let new = NewDelivery {
            kind: kind.clone(),
            name,
            key: Arc::clone(&key),
            digest,
            window,
            handshake: handshake.is_some(),
            body,
            claims,
            explanation: serde_json::to_vec(&judged.explanation).unwrap_or_default(),
            runs,
            ..new_delivery(&arrived, &kept, delivery, now)
        };
        let accepted = match self.accept(new).await {
            Ok(accepted) => accepted,
            Err(answer) => return answer,
        };
        let proven = secret.and_then(|place| arrived.source.secrets.get(place));
        if let Some(reference) = proven {
            self.proofs.count(&arrived.source.name, reference, now);
        }
        let token = access_token.and_then(|place| arrived.source.access_tokens.get(place));
        if let Some(reference) = token {
            self.proofs.count(&arrived.source.name, reference, now);
        }
        if let (Accepted::Kept { .. } | Accepted::Another { .. }, Some(Handshake::Visit(url))) =
            (&accepted, &handshake)
        {
            self.issuers.visit(url, &arrived.source);
        }
        self.tell_runs(&accepted);
        self.tell_another(&arrived, &accepted, delivery, &key);
        let answer = Answer::of(accepted, delivery, briefs, handshake, proven_back);
        let answer = match own_form.reply(&arrived, &judged.explanation, &answer) {
            Some(reply) => Answer::Spoken { kept: Box::new(answer), reply },
            None => answer,
        };
        if answer.queued_something() {
            (self.on_new_runs)();
        }
        self.tell_kept(
            &arrived,
            &answer,
            &Noted { delivery, kind: &kind, key: &key, size, secret },
        );
        answer
    }

    /// Answers an unsigned greeting, and stores it where it is the first of its kind for a while. Anyone may
    /// send one, so all greetings of one kind to a source share one row: nobody can fill the disk with them,
    /// and nobody can make the store commit for each.
    async fn keep_greeting(
        &self,
        arrived: &Arrived,
        greeting: Greeting,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Answer {
        let Greeting { what, reply, offered, .. } = greeting;
        let source = &arrived.source;
        let is_first = self.greetings.is_first(&source.name, what, now);
        let kept = match is_first {
            true => Some(self.keep_first_greeting(arrived, what, delivery, now).await),
            false => None,
        };
        let Ok(kept) = kept.transpose() else {
            self.greetings.not_kept(&source.name, what);
            return Answer::NotKept;
        };
        if let Some(secret) = offered
            && (is_first || source.options.learn_secret)
        {
            // Looked at each time, since the first greeting may have come before there was a file.
            let learned = learn::learn(&self.live, source, secret).await;
            if is_first || learned == learn::Learned::Written {
                let (source, what) = (&*source.name, &*learned.to_string());
                self.observer.tell(Observation::SecretOffered { source, what });
            }
        }
        let Some((delivery, key)) = kept else {
            self.observer.tell(Observation::GreetedAgain { source: &source.name });
            return Answer::GreetedAgain(reply);
        };
        let answer = Answer::Greeted { delivery, reply };
        let size = arrived.body.len();
        let noted = Noted { delivery, kind: HANDSHAKE, key: &key, size, secret: None };
        self.tell_kept(arrived, &answer, &noted);
        answer
    }

    /// Stores a greeting. Gives the delivery that stands for all of its kind, and the key that they share.
    async fn keep_first_greeting(
        &self,
        arrived: &Arrived,
        what: &'static str,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<(DeliveryId, Arc<str>), Answer> {
        let key: Arc<str> = format!("{HANDSHAKE}: {what}").into();
        let cleaned = arrived.cleaned(&arrived.body).map(Box::new);
        let kept = Kept { body: Bytes::new(), is_plain: false, cleaned };
        let nothing = Some(format!("a handshake starts nothing ({what})"));
        let explanation = Explanation { nothing, ..Explanation::default() };
        let new = NewDelivery {
            kind: HANDSHAKE.into(),
            name: Some(what.into()),
            key: Arc::clone(&key),
            window: NAMED_WINDOW,
            handshake: true,
            explanation: serde_json::to_vec(&explanation).unwrap_or_default(),
            ..new_delivery(arrived, &kept, delivery, now)
        };
        Ok(match self.accept(new).await? {
            Accepted::Kept { .. } | Accepted::Another { .. } => (delivery, key),
            Accepted::Repeat { delivery, .. } => (delivery, key),
        })
    }

    async fn accept(&self, new: NewDelivery) -> Result<Accepted, Answer> {
        self.store.accept(new).await.map_err(|fault| {
            self.observer.tell(Observation::store_fault("accept", &fault));
            Answer::NotKept
        })
    }

    /// Counts that a sender put secrets of its source where they do not belong.
    fn tell_leak(&self, source: &SourcePlan, cleaned: &Cleaned, now: Timestamp) {
        let references: Vec<_> = source.secrets.iter().chain(&source.access_tokens).collect();
        let own = cleaned.secrets.iter().filter_map(|index| references.get(*index).copied());
        let own = own.map(|reference| (reference, cleaned.is_leak));
        let others = cleaned.of_others.iter().map(|reference| (reference, true));
        for (reference, is_leak) in own.chain(others) {
            let is_first = is_leak && self.proofs.leaked(&source.name, reference, now);
            let (source, place) = (&*source.name, &*reference.to_string());
            self.observer.tell(Observation::SecretRemoved { source, place, is_first });
        }
    }

    fn tell_runs(&self, accepted: &Accepted) {
        for (job, runs) in accepted.superseded() {
            self.observer.tell(Observation::RunsSuperseded { job, runs: *runs });
        }
        let Accepted::Repeat { delivery, requeued, .. } = accepted else { return };
        for &run in requeued {
            self.observer.tell(Observation::RunRedelivered { run, delivery: *delivery });
        }
    }

    fn tell_another(
        &self,
        arrived: &Arrived,
        accepted: &Accepted,
        delivery: DeliveryId,
        key: &str,
    ) {
        let &Accepted::Another { same_id_as: first, .. } = accepted else { return };
        let source = &*arrived.source.name;
        self.observer.tell(Observation::SameIdOtherContent { delivery, first, source, key });
    }

    fn tell_kept(&self, arrived: &Arrived, answer: &Answer, noted: &Noted<'_>) {
        let delivery = answer.delivery().unwrap_or(noted.delivery);
        self.observer.tell(Observation::DeliveryKept(DeliveryKept {
            delivery,
            source: &arrived.source.name,
            kind: noted.kind,
            key: noted.key,
            verdict: answer.verdict(),
            runs: answer.runs(),
            size: noted.size,
            remote: &arrived.remote,
            secret: noted.secret,
            took: arrived.began.elapsed(),
        }));
        for run in answer.new_runs() {
            self.observer.tell(Observation::RouteMatched { route: &run.route });
            let at = RunAt { run: run.id, delivery, route: &run.route, job: &run.job };
            let reason = run.reason.as_deref().unwrap_or_default();
            match run.state {
                RunState::Failed => self.observer.tell(Observation::RunNotMapped { at, reason }),
                RunState::Held => self.observer.tell(Observation::RunHeld { at, reason }),
                _ => {}
            }
        }
    }
}

/// The key by which a repeat is recognised. Where each request is a delivery of its own, it is the delivery's
/// id.
fn key_of(identity: &Identity, window: Duration, delivery: DeliveryId) -> Arc<str> {
    if window.is_zero() { format!("delivery: {delivery}").into() } else { identity.key() }
}

/// What the log line about a kept delivery says, apart from the answer.
struct Noted<'a> {
    delivery: DeliveryId,
    kind: &'a str,
    key: &'a str,
    size: usize,
    secret: Option<usize>,
}

/// What an answer in the sender's own form is made from: a person in chat waits for it, or the sender
/// accepts no other. An event may be large, so it is kept across the store's commit only where the answer
/// is about it.
struct OwnForm {
    spoken: Option<(Dialect, Event)>,
    thanks: Option<Reply>,
}

impl OwnForm {
    fn of(arrived: &Arrived, events: Vec<Event>) -> Self {
        let provider = arrived.source.provider;
        let first = events.into_iter().next();
        let thanks = first.as_ref().and_then(|event| provider.thanks(&event.body));
        Self { spoken: provider.dialect().zip(first), thanks }
    }

    fn reply(self, arrived: &Arrived, explanation: &Explanation, kept: &Answer) -> Option<Reply> {
        let lines = self.spoken.and_then(|(dialect, event)| {
            let lines = spoken::lines(&arrived.plan, &event, explanation, kept)?;
            Some(dialect.reply(&lines))
        });
        lines.or(self.thanks)
    }
}

/// The fields of a new delivery that do not depend on its meaning.
fn new_delivery(arrived: &Arrived, kept: &Kept, id: DeliveryId, now: Timestamp) -> NewDelivery {
    let source = &arrived.source;
    let query = arrived.head.uri.query().unwrap_or_default();
    let (headers, query) = match &kept.cleaned {
        Some(cleaned) => (&cleaned.headers, &*cleaned.query),
        None => (&arrived.head.headers, query),
    };
    NewDelivery {
        id,
        source: source.name.clone(),
        provider: source.provider.name().into(),
        kind: providers::UNNAMED.into(),
        name: None,
        key: Arc::default(),
        digest: ContentDigest::default(),
        window: Duration::ZERO,
        handshake: false,
        received_at: now,
        remote: Some(arrived.remote.clone()),
        headers: kept_headers(headers, kept, source),
        query: providers::visible_query(source.provider, &source.options, query),
        body: Bytes::new(),
        claims: None,
        explanation: Vec::new(),
        runs: Vec::new(),
    }
}

/// The headers to store: those that carry no secret and are visible ASCII text.
fn kept_headers(headers: &HeaderMap, kept: &Kept, source: &SourcePlan) -> KeptHeaders {
    let hidden = HiddenHeaders::of(source.provider, &source.options);
    headers
        .iter()
        .filter(|(name, _)| !hidden.contains(name) && kept.has_header(name))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect()
}
