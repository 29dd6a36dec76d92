//! The demo's story: six deliveries, what became of each, and whether that is as it should be.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::super::deliveries::show_explanation;
use super::super::failure::Failure;
use super::super::runs::show_run;
use super::super::screen::{Screen, Tone};
use super::super::signing::{Signing, hook};
use super::stage::{PAYLOADS, Stage};
use crate::admin::views::{DeliveryView, RefusalsView, RunView};
use crate::error_chain::with_causes;
use crate::model::{RunId, RunState, Secret};
use crate::simulator::{Fault, FaultRule};

/// Longest wait for an answer, or for a run to be final or held.
const PATIENCE: Duration = Duration::from_secs(15);

/// One delivery of the story.
struct Scene {
    title: &'static str,
    source: &'static str,
    event: &'static str,
    payload: &'static str,
    id: &'static str,
    wrong_secret: bool,
    expected: Expected,
}

/// How a scene should end.
#[derive(Clone, Copy)]
struct Expected {
    status: u16,
    duplicate: bool,
    run: Option<(RunState, u32)>,
}

const SCENES: [Scene; 6] = [
    Scene {
        title: "GitHub: a push to main that changes models/ starts the retrain job",
        source: "github",
        event: "push",
        payload: "push-models.json",
        id: "0d5e8f10-7c2a-11f1-9d3e-1c697a0a5e01",
        wrong_secret: false,
        expected: Expected { status: 202, duplicate: false, run: Some((RunState::Started, 1)) },
    },
    Scene {
        title: "GitHub: a push that changes only docs/ starts nothing",
        source: "github",
        event: "push",
        payload: "push-docs.json",
        id: "0d5e8f10-7c2a-11f1-9d3e-1c697a0a5e02",
        wrong_secret: false,
        expected: Expected { status: 200, duplicate: false, run: None },
    },
    Scene {
        title: "GitHub: the first push delivered again does not start the job again",
        source: "github",
        event: "push",
        payload: "push-models.json",
        id: "0d5e8f10-7c2a-11f1-9d3e-1c697a0a5e01",
        wrong_secret: false,
        expected: Expected { status: 200, duplicate: true, run: Some((RunState::Started, 1)) },
    },
    Scene {
        title: "A stranger: a push signed with another secret is refused",
        source: "github",
        event: "push",
        payload: "push-models.json",
        id: "0d5e8f10-7c2a-11f1-9d3e-1c697a0a5e04",
        wrong_secret: true,
        expected: Expected { status: 401, duplicate: false, run: None },
    },
    Scene {
        title: "GitLab: the workbench first answers 503, so the start is tried again",
        source: "gitlab",
        event: "push",
        payload: "gitlab-push.json",
        id: "f5e5f430-7c2a-4f3e-9d3e-1c697a0a5e05",
        wrong_secret: false,
        expected: Expected { status: 202, duplicate: false, run: Some((RunState::Started, 2)) },
    },
    Scene {
        title: "Standard Webhooks: the workbench's answer is lost, so a person is asked",
        source: "training",
        event: "training.finished",
        payload: "training-finished.json",
        id: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        wrong_secret: false,
        expected: Expected { status: 202, duplicate: false, run: Some((RunState::Held, 1)) },
    },
];

/// What became of a delivery.
#[derive(Serialize)]
struct Account {
    title: &'static str,
    as_it_should: bool,
    status: u16,
    answer: serde_json::Value,
    delivery: Option<DeliveryView>,
    run: Option<RunView>,
    refusal: Option<String>,
}

/// Plays and shows every scene; true when every delivery ended as it should.
pub(super) async fn tell(stage: &Stage, screen: Screen) -> Result<bool, Failure> {
    prepare(stage);
    if !screen.json() {
        opening(stage, screen);
    }
    let mut accounts = Vec::new();
    for (number, scene) in SCENES.iter().enumerate() {
        let account = play(stage, scene).await?;
        if !screen.json() {
            show(screen, number + 1, &account);
        }
        accounts.push(account);
    }
    let good = accounts.iter().all(|account| account.as_it_should);
    let runs = stage.simulator.runs().len();
    if screen.json() {
        screen.value(&accounts);
    } else {
        screen.line("");
        let verdict = if good {
            screen.paint(Tone::Good, "every delivery ended as it should")
        } else {
            screen.paint(Tone::Bad, "not every delivery ended as it should")
        };
        screen.line(format!("{verdict}; the simulated workbench has started {runs} runs, and the gateway alone has seen the key"));
    }
    Ok(good)
}

/// Adds the faults that the workbench is to show.
fn prepare(stage: &Stage) {
    stage
        .simulator
        .add_fault(FaultRule::once_for_job("alice/risk-analysis/209", Fault::busy_503()));
    stage
        .simulator
        .add_fault(FaultRule::once_for_job("alice/risk-analysis/210", Fault::StartedAnswerLost));
}

fn opening(stage: &Stage, screen: Screen) {
    screen.line(screen.paint(Tone::Strong, "cdsw-gateway demo"));
    screen.line(format!(
        "  gateway    webhooks {}/hooks/{{source}}, admin {}",
        stage.hooks_url(),
        stage.admin_url()
    ));
    screen.line(format!("  workbench  simulated at {}", stage.simulator.api_url()));
    screen.line(format!("  config     {}", stage.config().display()));
}

async fn play(stage: &Stage, scene: &Scene) -> Result<Account, Failure> {
    let (status, answer) = send(stage, scene).await?;
    let id = answer.get("delivery").and_then(|id| id.as_str()).map(str::to_owned);
    let run_id = answer
        .pointer("/runs/0/id")
        .and_then(|id| id.as_str())
        .and_then(|id| id.parse::<RunId>().ok());
    let run = match run_id {
        Some(id) => Some(settled(stage, id).await?),
        None => None,
    };
    let delivery = match &id {
        Some(id) => Some(stage.api.get::<DeliveryView>(&["deliveries", id], &[]).await?),
        None => None,
    };
    let refusal = if status == 401 { last_refusal(stage, scene.source).await? } else { None };
    let duplicate = answer.get("duplicate").and_then(serde_json::Value::as_bool) == Some(true);
    let ended = run.as_ref().map(|run| (run.summary.state, run.summary.attempts));
    let expected = scene.expected;
    Ok(Account {
        title: scene.title,
        as_it_should: (status, duplicate, ended)
            == (expected.status, expected.duplicate, expected.run),
        status,
        answer,
        delivery,
        run,
        refusal,
    })
}

async fn send(stage: &Stage, scene: &Scene) -> Result<(u16, serde_json::Value), Failure> {
    let plan = stage.live.plan();
    let source = plan
        .sources
        .get(scene.source)
        .ok_or_else(|| Failure::Failed(format!("the demo lacks source {}", scene.source)))?;
    let secret = if scene.wrong_secret {
        Secret::new("somebody else's secret")
    } else {
        let secrets = stage.live.source_secrets(source).await;
        secrets
            .ok()
            .and_then(|secrets| secrets.first().cloned())
            .ok_or_else(|| Failure::Failed(format!("source {} lacks a secret", scene.source)))?
    };
    let body = PAYLOADS
        .iter()
        .find(|(name, _)| *name == scene.payload)
        .map(|(_, payload)| payload.as_bytes().to_vec())
        .unwrap_or_default();
    let base = stage
        .hooks_url()
        .parse()
        .map_err(|_| Failure::Failed("the gateway's address".to_owned()))?;
    let request = Signing { source, secret, access_token: None, event: scene.event, id: scene.id }
        .request(hook(&base, scene.source)?, body)?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .map_err(|error| Failure::Failed(with_causes(&error)))?;
    let answer =
        client.execute(request).await.map_err(|error| Failure::Failed(with_causes(&error)))?;
    let status = answer.status().as_u16();
    let body = answer.json().await.map_err(|error| Failure::Failed(with_causes(&error)))?;
    Ok((status, body))
}

/// Waits until the run is final or held, and returns it; after `PATIENCE`, as it is then.
async fn settled(stage: &Stage, id: RunId) -> Result<RunView, Failure> {
    let began = Instant::now();
    loop {
        let run: RunView = stage.api.get(&["runs", &id.to_string()], &[]).await?;
        let settled = run.summary.state.is_final() || run.summary.state == RunState::Held;
        if settled || began.elapsed() > PATIENCE {
            return Ok(run);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn last_refusal(stage: &Stage, source: &str) -> Result<Option<String>, Failure> {
    let view: RefusalsView = stage.api.get(&["refusals", source], &[]).await?;
    Ok(view.refusals.first().map(|refused| refused.words.clone()))
}

fn show(screen: Screen, number: usize, account: &Account) {
    screen.line("");
    let mark = if account.as_it_should {
        screen.paint(Tone::Good, "ok")
    } else {
        screen.paint(Tone::Bad, "NOT AS IT SHOULD BE")
    };
    screen.line(format!(
        "{} {mark}",
        screen.paint(Tone::Strong, format!("{number}. {}", account.title))
    ));
    screen.line(format!("answer    {} {}", account.status, account.answer));
    if let Some(refusal) = &account.refusal {
        screen.line(format!("log       {refusal} (the sender is not told)"));
    }
    if let Some(delivery) = &account.delivery {
        show_explanation(screen, &delivery.explanation);
    }
    if let Some(run) = &account.run {
        show_run(screen, run);
    }
}
