//! The configuration that targets judge requests by: for every provider the source that its
//! documentation shows, and routes that look at all there is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use cdsw_gateway::config::{self, Held, Plan, SourcePlan};
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::{self, Published, Verification};
use jiff::Timestamp;

/// The time at which everything is judged.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("in range")
}

/// The configuration, read once.
pub(crate) fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("gateway.yaml");
        std::fs::write(&path, text()).expect("written");
        match config::load(&path) {
            Ok(loaded) => loaded.plan,
            Err(report) => panic!("{}", report.render(false)),
        }
    })
}

/// What a source judges requests by: the secrets and keys with which it can be tried out.
pub(crate) struct Site {
    pub(crate) source: &'static Arc<SourcePlan>,
    pub(crate) secrets: [Secret; 1],
    access_token: Secret,
    published: Option<Published>,
}

impl Site {
    /// The source of a provider.
    pub(crate) fn of(provider: &str) -> &'static Self {
        static SITES: OnceLock<BTreeMap<&str, Site>> = OnceLock::new();
        let all = || providers::names().map(|name| (name, Self::new(name))).collect();
        &SITES.get_or_init(all)[provider]
    }

    fn new(provider: &str) -> Self {
        let source = &plan().sources[provider];
        Self {
            source,
            secrets: [source.provider.sample_secret()],
            access_token: Secret::new(providers::SAMPLE_ACCESS_TOKEN),
            published: source.provider.sample_published(&source.options),
        }
    }

    /// What a request is judged by.
    pub(crate) fn verification(&self) -> Verification<'_> {
        let held = Held {
            secrets: &self.secrets,
            access_tokens: std::slice::from_ref(&self.access_token),
        };
        let published = self.published.as_ref();
        Verification { published, ..self.source.verification(held, now()) }
    }
}

/// The configuration as a file.
pub(crate) fn text() -> String {
    let head = include_str!("../../tests/config/every_provider.yaml");
    let mut text = head.replace("routes: {}\n", "");
    text.insert_str(0, "server: { trusted_proxies: [10.0.0.0/8, \"fd00::/8\"] }\n");
    for name in providers::names() {
        let about = providers::find(name).expect("a provider of the table").about();
        let _ = writeln!(text, "  {name}:");
        about.source.lines().for_each(|line| {
            let _ = writeln!(text, "    {line}");
        });
    }
    text.push_str("routes:\n");
    for name in providers::names() {
        // Travis CI signs for all of its users, so a route of its must say whose repository it is for.
        let (all, some) = match name {
            "travis-ci" => (", repository: \"acme/*\"", "acme/*"),
            _ => ("", "*/*"),
        };
        let _ = write!(
            text,
            "  {name}-all:\n    on: {{ source: {name}{all} }}\n    if: size(body) >= 0\n    job: job\n    \
             env: {{ ALL: \"${{{{ body }}}} ${{{{ headers }}}} ${{{{ query }}}}\", SHA: \"${{{{ git.sha }}}}\" }}\n  \
             {name}-git:\n    on: {{ source: {name}, event: push, repository: \"{some}\", branch: [main, \"release/**\"], \
             path: [\"models/**\", \"!**/*.md\"] }}\n    job: job\n"
        );
    }
    text
}
