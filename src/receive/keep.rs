//! Runs the pure steps of a request, stores their result, and makes the answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;

use super::answer::{self, Answer};
use super::judging::Judging;
use super::steps::{Arrived, Authentic, Judgement, Taken};
use super::{Receiver, learn, spoken};
use crate::config::{NAMED_WINDOW, SourcePlan};
use crate::event::{Dialect, Event, Greeting, Handshake, Identity, Reply, Understood};
use crate::failpoint::reached;
use crate::matching::Explanation;
use crate::model::{ContentDigest, DeliveryId, RunState};
use crate::observe::{DeliveryKept, Observation, RunAt};
use crate::providers;
use crate::replay::new_run;
use crate::store::{Accepted, KeptHeaders, NewDelivery, NewRun};

/// The kind of event that an unsigned greeting is stored as.
const HANDSHAKE: &str = "handshake";

impl Receiver {
    pub(super) async fn take_in(&self, arrived: Arrived) -> Answer {
        self.try_take_in(arrived).await.unwrap_or_else(|answer| answer)
    }

    async fn try_take_in(&self, arrived: Arrived) -> Result<Answer, Answer> {
        let now = self.clock.now();
        let delivery = DeliveryId::new(now, self.random.bits());
        let secrets = Arc::new(self.live.source_secrets(&arrived.source).await);
        let known = self.published(&arrived).await?;
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
                    let Authentic { secret, access_token, .. } = &mut judgement.authentic;
                    *secret = secret.and_then(|index| at(secrets.places(), index));
                    *access_token =
                        access_token.and_then(|index| at(secrets.token_places(), index));
                }
                self.within_rate(&arrived.source, now)?;
                Ok(self.keep(arrived, *judgement, delivery, now).await)
            }
            Taken::Greeting(greeting) => {
                Ok(self.keep_greeting(&arrived, greeting, delivery, now).await)
            }
        }
    }

    /// Counts an authentic delivery against its source's rate. Requests that fail authentication do not
    /// count.
    fn within_rate(&self, source: &SourcePlan, now: Timestamp) -> Result<(), Answer> {
        let Some(rate) = source.rate else { return Ok(()) };
        self.rates.take(&source.name, rate, now).map_err(Answer::TooMany)
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
        let Authentic { understood, secret, access_token, claims, proven_back } = authentic;
        let runs: Vec<NewRun> =
            judged.runs.iter().map(|draft| new_run(draft, now, &*self.random)).collect();
        let briefs = answer::briefs(&runs);
        let window = arrived.source.repeat_window(&understood.identity, now);
        let key = key_of(&understood.identity, window, delivery);
        let digest = understood.content;
        let Understood { handshake, kind, name, events, .. } = understood;
        let own_form = OwnForm::of(&arrived, events);
        let body = std::mem::take(&mut arrived.body);
        let size = body.len();
        let new = NewDelivery {
            kind: kind.clone(),
            name,
            key: Arc::clone(&key),
            digest,
            window,
            handshake: handshake.is_some(),
            body: kept_body(&arrived, body),
            claims,
            explanation: serde_json::to_vec(&judged.explanation).unwrap_or_default(),
            runs,
            ..new_delivery(&arrived, delivery, now)
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
        if let (Accepted::Kept | Accepted::Another { .. }, Some(Handshake::Visit(url))) =
            (&accepted, &handshake)
        {
            self.issuers.visit(url, &arrived.source);
        }
        self.tell_requeued(&accepted);
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

    /// Stores an unsigned greeting. Anyone may send one, so all greetings of one kind to a source share
    /// one row: nobody can fill the disk with them. The log has a line for each.
    async fn keep_greeting(
        &self,
        arrived: &Arrived,
        greeting: Greeting,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Answer {
        let Greeting { what, reply, offered } = greeting;
        let key: Arc<str> = format!("{HANDSHAKE}: {what}").into();
        let nothing = Some(format!("a handshake starts nothing ({what})"));
        let explanation = Explanation { nothing, ..Explanation::default() };
        let new = NewDelivery {
            kind: HANDSHAKE.into(),
            name: Some(what.into()),
            key: Arc::clone(&key),
            window: NAMED_WINDOW,
            handshake: true,
            explanation: serde_json::to_vec(&explanation).unwrap_or_default(),
            ..new_delivery(arrived, delivery, now)
        };
        let accepted = match self.accept(new).await {
            Ok(accepted) => accepted,
            Err(answer) => return answer,
        };
        if let Some(secret) = offered {
            let learned = learn::learn(&self.live, &arrived.source, secret).await;
            let (source, what) = (&*arrived.source.name, &*learned.to_string());
            self.observer.tell(Observation::SecretOffered { source, what });
        }
        let delivery = match accepted {
            Accepted::Kept | Accepted::Another { .. } => delivery,
            Accepted::Repeat { delivery, .. } => delivery,
        };
        let answer = Answer::Greeted { delivery, reply };
        let size = arrived.body.len();
        let noted = Noted { delivery, kind: HANDSHAKE, key: &key, size, secret: None };
        self.tell_kept(arrived, &answer, &noted);
        answer
    }

    async fn accept(&self, new: NewDelivery) -> Result<Accepted, Answer> {
        self.store.accept(new).await.map_err(|fault| {
            self.observer.tell(Observation::store_fault("accept", &fault));
            Answer::NotKept
        })
    }

    fn tell_requeued(&self, accepted: &Accepted) {
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
        let Accepted::Another { same_id_as: first } = *accepted else { return };
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

/// The body to store: without the secret that some senders put there.
fn kept_body(arrived: &Arrived, body: Bytes) -> Bytes {
    let kept = arrived.source.provider.body_to_keep(&body);
    kept.map_or(body, Bytes::from)
}

/// The fields of a new delivery that do not depend on its meaning.
fn new_delivery(arrived: &Arrived, id: DeliveryId, now: Timestamp) -> NewDelivery {
    let source = &arrived.source;
    let secret_fields = source.provider.secret_fields(&source.options);
    let query = arrived.head.uri.query().unwrap_or_default();
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
        headers: kept_headers(&arrived.head.headers, source),
        query: providers::without_fields(query, &secret_fields),
        body: Bytes::new(),
        claims: None,
        explanation: Vec::new(),
        runs: Vec::new(),
    }
}

/// The headers to store: those that carry no secret and are visible ASCII text.
fn kept_headers(headers: &HeaderMap, source: &SourcePlan) -> KeptHeaders {
    let secret = source.provider.secret_headers(&source.options);
    headers
        .iter()
        .filter(|(name, _)| !secret.contains(name))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect()
}
