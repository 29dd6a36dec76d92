//! Measures the pure steps on a 7 kB push: verify, understand, match among 1, 100 and 10,000 routes, map,
//! and all of them together. There is no store and no network, so only the CPU's time counts.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::Unverified;
use cdsw_gateway::config::{self, Plan, SourcePlan};
use cdsw_gateway::event::{Understood, understand};
use cdsw_gateway::judge::{Detail, judge};
use cdsw_gateway::model::{DeliveryId, Secret};
use cdsw_gateway::providers::Outgoing;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, Method};
use jiff::Timestamp;

static PUSH: Bytes = Bytes::from_static(include_bytes!("push.json"));

/// A configuration with `routes` routes on one source. Only the last one matches the push.
fn plan(routes: usize) -> Plan {
    let mut text = String::from(
        "workbenches: { main: { url: \"https://cdsw.example.com\", api_keys: { alice: { env: KEY } } } }\n\
         jobs: { retrain: { workbench: main, project: alice/risk-analysis, job: 208, api_key: alice } }\n\
         sources: { github: { provider: github, secrets: [{ env: SECRET }] } }\nroutes:\n",
    );
    for number in 1..routes {
        let _ = writeln!(
            text,
            "  other-{number}: {{ on: {{ source: github, event: push, repository: acme/other-{number} }}, job: retrain }}"
        );
    }
    text.push_str(
        "  retrain:\n    on: { source: github, event: push, repository: acme/risk, branch: [main, \"release/**\"], path: [\"models/**\", \"!**/*.md\"] }\n    \
         if: size(body.commits) > 0\n    job: retrain\n    env:\n      GIT_SHA: ${{ git.sha }}\n      \
         GIT_BRANCH: ${{ git.branch }}\n      STARTED_BY: push by ${{ git.author }}\n",
    );
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("gateway.yaml");
    std::fs::write(&file, text).expect("written");
    match config::load(&file) {
        Ok(loaded) => loaded.plan,
        Err(report) => panic!("{}", report.render(false)),
    }
}

/// The push as GitHub would send it.
struct Sent {
    headers: HeaderMap,
    secret: Secret,
    now: Timestamp,
}

impl Sent {
    fn by(source: &SourcePlan) -> Self {
        let (secret, now) = (Secret::new("a secret for measuring"), Timestamp::UNIX_EPOCH);
        let outgoing = Outgoing {
            method: &Method::POST,
            path: "/hooks/github",
            event: "push",
            body: &PUSH,
            access_token: None,
        };
        let signed = source.provider.sign(&outgoing, &secret, &source.options, "an-id", now);
        Self { headers: signed.expect("it signs").headers.into_iter().collect(), secret, now }
    }

    fn request(&self) -> Unverified<'_> {
        Unverified {
            method: &Method::POST,
            path: "/hooks/github",
            rest: "",
            query: "",
            headers: &self.headers,
            body: &PUSH,
        }
    }

    fn understood(&self, source: &SourcePlan) -> Understood {
        let request = self.request();
        let proof = source
            .prove(&request, std::slice::from_ref(&self.secret).into(), self.now)
            .expect("it is authentic");
        understand(&request.verified(proof), source.provider, &source.options, &source.name)
            .expect("it can be read")
    }
}

fn pure_steps(criterion: &mut Criterion) {
    let one = plan(1);
    let source = Arc::clone(&one.sources["github"]);
    let sent = Sent::by(&source);
    let id = DeliveryId::new(sent.now, 7);
    let understood = sent.understood(&source);
    let route = Arc::clone(&one.routes[0]);
    let seen = understood.events[0].context(id);

    criterion.bench_function("verify", |bencher| {
        bencher.iter(|| {
            let request = sent.request();
            black_box(source.prove(&request, std::slice::from_ref(&sent.secret).into(), sent.now))
                .is_ok()
        });
    });
    criterion.bench_function("verify and understand", |bencher| {
        bencher.iter(|| black_box(sent.understood(&source)));
    });
    criterion.bench_function("map", |bencher| {
        bencher.iter(|| black_box(route.mapping.environment(&seen)));
    });
    for routes in [1, 100, 10_000] {
        let plan = plan(routes);
        let judged = judge(&plan, &source, &understood, id, Detail::Kept);
        assert_eq!(judged.runs.len(), 1, "one route matches");
        criterion.bench_function(&format!("match and map, {routes} routes"), |bencher| {
            bencher.iter(|| black_box(judge(&plan, &source, &understood, id, Detail::Kept)));
        });
    }
    criterion.bench_function("all of it, 1 route", |bencher| {
        bencher.iter(|| {
            let understood = sent.understood(&source);
            black_box(judge(&one, &source, &understood, id, Detail::Kept))
        });
    });
}

criterion_group!(benches, pure_steps);
criterion_main!(benches);
