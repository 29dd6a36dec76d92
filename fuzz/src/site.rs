//! The configuration that targets judge requests by: for every provider the source that its
//! documentation shows, and routes that look at all there is.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use cdsw_gateway::authenticate::{Proof, Refusal, Unverified};
use cdsw_gateway::config::{self, Plan, SourcePlan};
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::{self, Grounds};
use jiff::Timestamp;

/// The time at which everything is judged.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("in range")
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

/// The source of a provider.
pub(crate) fn source(provider: &str) -> &'static Arc<SourcePlan> {
    &plan().sources[provider]
}

/// The secrets of a source.
pub(crate) fn secrets(source: &SourcePlan) -> [Secret; 1] {
    [source.provider.sample_secret()]
}

/// Judges a request by the source's sample secret, or by the keys that its sample is signed with.
pub(crate) fn prove(source: &SourcePlan, request: &Unverified<'_>) -> Result<Proof, Refusal> {
    let secrets = secrets(source);
    let published = source.provider.sample_published(&source.options);
    let grounds = source.grounds(secrets[..].into(), now());
    source.prove_by(request, &Grounds { published: published.as_ref(), ..grounds })
}

/// The configuration as a file.
pub(crate) fn text() -> String {
    let head = include_str!("../../tests/config/every_provider.yaml");
    let mut text = head.replace("routes: {}\n", "");
    for name in providers::names() {
        let about = providers::find(name).expect("a provider of the table").about();
        let _ = writeln!(text, "  {name}:");
        about.source.lines().for_each(|line| {
            let _ = writeln!(text, "    {line}");
        });
    }
    text.push_str("routes:\n");
    for name in providers::names() {
        let _ = write!(
            text,
            "  {name}-all:\n    on: {{ source: {name} }}\n    if: size(body) >= 0\n    job: job\n    \
             env: {{ ALL: \"${{{{ body }}}} ${{{{ headers }}}} ${{{{ query }}}}\", SHA: \"${{{{ git.sha }}}}\" }}\n  \
             {name}-git:\n    on: {{ source: {name}, event: push, repository: \"*/*\", branch: [main, \"release/**\"], \
             path: [\"models/**\", \"!**/*.md\"] }}\n    job: job\n"
        );
    }
    text
}
