//! People start jobs from chat: what they type becomes the job's environment, and what they read
//! back names nothing that is not theirs.

use std::collections::BTreeMap;

use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::model::{RunState, Secret};
use cdsw_gateway::providers::{self, Outgoing};
use cdsw_gateway::simulator::{Fault, FaultRule};
use serde_json::{Value, json};

use super::common::{Site, World, simulator};
use super::{delivery, edit, replay, text};

const SLACK: &str = "canary-slack-signing-secret";
const MATTERMOST: &str = "canary-mattermost-token";
/// `canary-teams-security-token` in base64.
const TEAMS: &str = "Y2FuYXJ5LXRlYW1zLXNlY3VyaXR5LXRva2Vu";

const ROUTES: &str = r#"
  retrain-by-chat:
    on: { source: [slack, mattermost, teams, discord], event: command, command: retrain, channel: [ml, "19:253b1f341670408fb6fe51050b6e5ceb@thread.skype"] }
    job: retrain
    env:
      START_DATE: ${{ command.args.START_DATE }}
      END_DATE: { value: "${{ command.args.END_DATE }}", default: today }
      MODE: { value: "${{ command.words[0] }}", default: whole }
      ASKED_BY: ${{ command.user_name }}
  report-by-bob:
    on: { source: slack, command: [report, summary], user: U-BOB }
    if: command.args.MONTH != "13"
    job: report
    env: { MONTH: "${{ command.args.MONTH }}", NOTE: "${{ command.args.?NOTE.orValue('') }}" }
  anything:
    on: { source: slack, command: "free-*", channel: C-FREE }
    job: report
    env: { ALL: "${{ command.args }}" }
"#;

/// A gateway that all four programs send to.
pub(crate) async fn world() -> World {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), ROUTES);
    let sources = sources(&site);
    edit(&site, "  open-ci:\n", &format!("{sources}  open-ci:\n"));
    World::on(site, simulator).await
}

/// The four sources as lines of a configuration, once their secrets are in place.
pub(crate) fn sources(site: &Site) -> String {
    let public = String::from_utf8(discord().sample_secret().expose().to_vec()).expect("hex");
    let mut lines = String::new();
    for (name, provider, secret) in [
        ("slack", "slack", SLACK),
        ("mattermost", "mattermost", MATTERMOST),
        ("teams", "ms-teams-outgoing", TEAMS),
        ("discord", "discord", &public),
    ] {
        site.private(name, secret);
        lines.push_str(&format!(
            "  {name}: {{ provider: {provider}, secrets: [{{ file: secrets/{name} }}] }}\n"
        ));
    }
    lines
}

fn discord() -> &'static dyn providers::Provider {
    providers::find("discord").expect("known")
}

/// What the sender holds.
fn secret(source: &str) -> Secret {
    match source {
        "slack" => Secret::new(SLACK),
        "mattermost" => Secret::new(MATTERMOST),
        "teams" => Secret::new(TEAMS),
        _ => discord().sample_signer(),
    }
}

/// A request as the source's sender would make it.
pub(crate) fn request(world: &World, source: &str, body: &str) -> reqwest::RequestBuilder {
    let plan = world.live.plan();
    let known = plan.sources.get(source).expect("a configured source");
    let path = format!("/hooks/{source}");
    let (method, body) = (&http::Method::POST, body.as_bytes());
    let outgoing = Outgoing { method, path: &path, event: "command", body, access_token: None };
    let signed =
        known.provider.sign(&outgoing, &secret(source), &known.options, "id", world.clock.now());
    let signed = signed.expect("it signs");
    world
        .client
        .post(world.hook(source))
        .headers(signed.headers.into_iter().collect())
        .body(signed.body.unwrap_or_else(|| body.to_vec()))
}

/// Sends it; gives what the person reads, in the sender's own form.
async fn say(world: &World, source: &str, body: &str) -> Value {
    let (status, answer) = world.send(request(world, source, body)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// A form as Slack and Mattermost write it.
fn slash(text: &str, trigger: &str, user: &str, channel: (&str, &str)) -> String {
    let (id, name) = channel;
    form(&[
        ("token", "canary-verification-token"),
        ("command", "/cdsw"),
        ("text", text),
        ("user_id", user),
        ("user_name", "alice"),
        ("channel_id", id),
        ("channel_name", name),
        ("team_id", "T1"),
        ("trigger_id", trigger),
    ])
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://form").expect("an address");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().expect("fields").to_owned()
}

const ML: (&str, &str) = ("C-ML", "ml");

async fn slack(world: &World, text: &str, trigger: &str) -> String {
    slack_as(world, text, trigger, "U-ALICE", ML).await
}

async fn slack_as(
    world: &World,
    text: &str,
    trigger: &str,
    user: &str,
    channel: (&str, &str),
) -> String {
    let answer = say(world, "slack", &slash(text, trigger, user, channel)).await;
    assert_eq!(answer["response_type"], "ephemeral", "{answer}");
    answer["text"].as_str().expect("a text").to_owned()
}

/// The environment of the only start that the workbench saw, without the gateway's own names.
async fn environment(world: &World) -> BTreeMap<String, String> {
    world.simulator.wait_for_requests(1).await;
    let requests = world.simulator.requests();
    assert_eq!(requests.len(), 1);
    let all = requests[0].environment.clone().into_iter();
    all.map(|(name, value)| (name.to_string(), value.to_string()))
        .filter(|(name, _)| !name.starts_with("GATEWAY_"))
        .collect()
}

fn expected(asked_by: &str) -> BTreeMap<String, String> {
    [
        ("START_DATE", "2017-01-01"),
        ("END_DATE", "2017 01 31"),
        ("MODE", "fast"),
        ("ASKED_BY", asked_by),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

async fn starts(source: &str, provider: &str, said: &str, asked_by: &str) {
    let world = world().await;
    let sample = providers::find(provider).and_then(|known| known.sample("command"));
    let answer = say(&world, source, sample.expect("a sample")).await;
    let words = text(&answer, said);
    assert!(words.contains("retrain-by-chat starts job retrain, run 0"), "{words}");
    assert_eq!(environment(&world).await, expected(asked_by), "{source}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_in_slack_starts_a_job_with_what_was_typed() {
    starts("slack", "slack", "/text", "alice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_in_mattermost_starts_a_job_with_what_was_typed() {
    starts("mattermost", "mattermost", "/text", "alice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mention_in_teams_starts_a_job_with_what_was_typed() {
    starts("teams", "ms-teams-outgoing", "/text", "Alice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_in_discord_starts_a_job_with_what_was_typed() {
    starts("discord", "discord", "/data/content", "alice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_program_is_answered_in_its_own_form() {
    let world = world().await;
    let form = slash("nonsense", "t1", "U-ALICE", ML);
    let slack = say(&world, "slack", &form).await;
    assert_eq!((&slack["response_type"], &slack["mrkdwn"]), (&json!("ephemeral"), &json!(false)));
    let mattermost = say(&world, "mattermost", &form).await;
    assert_eq!(mattermost["response_type"], "ephemeral");
    let words = text(&mattermost, "/text");
    assert!(words.contains("/cdsw retrain START\\_DATE=… \\[END\\_DATE=…\\]"), "{words}");
    let teams = json!({
        "type": "message", "id": "1", "text": "<at>cdsw</at> help",
        "conversation": { "id": "19:253b1f341670408fb6fe51050b6e5ceb@thread.skype" },
    });
    let teams = say(&world, "teams", &teams.to_string()).await;
    assert_eq!(teams["type"], "message");
    let words = text(&teams, "/text");
    assert!(words.contains("\n\n@\u{200b}cdsw retrain START&#95;DATE=…"), "{words}");
    let discord = json!({
        "id": "1", "type": 2, "channel_id": "5", "channel": { "name": "ml" },
        "user": { "id": "7", "username": "alice" },
        "data": { "name": "cdsw", "options": [{ "name": "command", "type": 3, "value": "help" }] },
    });
    let discord = say(&world, "discord", &discord.to_string()).await;
    assert_eq!(discord["type"], 4);
    assert_eq!(discord["data"]["flags"], 64);
    assert_eq!(discord["data"]["allowed_mentions"], json!({ "parse": [] }));
    assert!(text(&discord, "/data/content").contains("START\\_DATE=…"), "{discord}");
    assert_eq!(world.runs().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_of_discord_may_have_options_of_its_own() {
    let world = world().await;
    let options = json!([
        { "name": "START_DATE", "type": 3, "value": "2017-01-01" },
        { "name": "END_DATE", "type": 4, "value": 20170131 },
    ]);
    let command = json!({
        "id": "1", "type": 2, "channel": { "name": "ml" },
        "user": { "id": "7", "username": "alice" },
        "data": { "name": "cdsw", "options": [{ "name": "retrain", "type": 1, "options": options }] },
    });
    say(&world, "discord", &command.to_string()).await;
    let environment = environment(&world).await;
    assert_eq!(environment["START_DATE"], "2017-01-01");
    assert_eq!(environment["END_DATE"], "20170131");
    assert_eq!(environment["MODE"], "whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_start_nothing_here_is_told_of_no_route() {
    let world = world().await;
    let other = ("C-OTHER", "other");
    let words = slack_as(&world, "retrain START_DATE=1", "t1", "U-ALICE", other).await;
    let expected = "there is no command retrain here\nthere are no commands that you can give here";
    assert_eq!(words, expected);
    // What one user may start in a channel is not told to another.
    let words = slack_as(&world, "", "t2", "U-BOB", other).await;
    assert_eq!(
        words,
        "commands that you can give here:\n/cdsw report MONTH=… [NOTE=…]\n/cdsw summary MONTH=… \
         [NOTE=…]"
    );
    let words = slack(&world, "help", "t3").await;
    assert_eq!(
        words,
        "there is no command help here\ncommands that you can give here:\n/cdsw retrain \
         START_DATE=… [END_DATE=…]"
    );
    let words = slack_as(&world, "x", "t4", "U-X", ("C-FREE", "free")).await;
    assert!(words.ends_with("here:\n/cdsw free-*\u{200b} [NAME=…]"), "{words}");
    assert_eq!(world.runs().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_the_route_does_not_read_cannot_be_set() {
    let world = world().await;
    let words = slack(&world, "retrain START_DATE=1 LD_PRELOAD=/x", "t1").await;
    assert!(
        words.starts_with(
            "retrain-by-chat: the route takes START_DATE, END_DATE, and not LD_PRELOAD\n"
        ),
        "{words}"
    );
    assert_eq!(world.runs().await, 0);
    // A route that reads them all takes any.
    let free = ("C-FREE", "free");
    let words = slack_as(&world, "free-run B=2 A='1 x'", "t2", "U-X", free).await;
    assert!(words.starts_with("anything starts job report, run 0"), "{words}");
    assert_eq!(environment(&world).await["ALL"], r#"{"A":"1 x","B":"2"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_that_does_not_hold_is_told_without_its_words() {
    let world = world().await;
    let words = slack_as(&world, "report MONTH=13", "t1", "U-BOB", ML).await;
    let first = words.lines().next();
    assert_eq!(first, Some("report-by-bob: its condition does not hold for this command"));
    assert!(!words.contains("!="), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_cannot_be_read_starts_nothing_and_says_what_is_wrong() {
    let world = world().await;
    for (index, (typed, said)) in [
        ("retrain START_DATE=\"2017", "a quote is not closed"),
        ("retrain START_DATE=1 START_DATE=2", "START_DATE is given twice"),
        ("retrain START-DATE=1", "START-DATE=… is not a name and a value"),
        ("START_DATE=1", "a command starts with its name"),
    ]
    .into_iter()
    .enumerate()
    {
        let words = slack(&world, typed, &format!("t{index}")).await;
        assert!(words.starts_with(said), "{words}");
        assert!(words.contains("/cdsw retrain START_DATE=…"), "{words}");
    }
    assert_eq!(world.runs().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_missing_fails_the_run_and_is_told() {
    let world = world().await;
    let words = slack(&world, "retrain", "t1").await;
    let told =
        "retrain-by-chat: nothing is started, since START_DATE is missing: type START_DATE=…";
    assert!(words.starts_with(told), "{words}");
    assert!(!words.contains("command.") && !words.contains("`default`"), "{words}");
    assert!(words.ends_with("usage: /cdsw retrain START_DATE=… [END_DATE=…]"), "{words}");
    assert_eq!((world.runs().await, world.simulator.requests().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_of_slack_starts_nothing_again_and_is_told_how_it_stands() {
    let world = world().await;
    let body = slash("retrain START_DATE=1", "t1", "U-ALICE", ML);
    say(&world, "slack", &body).await;
    environment(&world).await;
    let retry = request(&world, "slack", &body).header("x-slack-retry-num", "1");
    let (status, answer) = world.send(retry).await;
    let words = text(&answer, "/text");
    assert_eq!(status, 200);
    assert!(words.starts_with("this command was given before; it stands so:\n"), "{words}");
    assert_eq!((world.runs().await, world.simulator.requests().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_cannot_mention_or_link_in_the_answer() {
    let world = world().await;
    let typed = "<!channel><@U1>@here*b*https://e.example";
    let form = slash(&format!("'{typed}'"), "t1", "U-ALICE", ML);
    let slack = say(&world, "slack", &form).await;
    let mattermost = say(&world, "mattermost", &form).await;
    for answer in [slack, mattermost] {
        let words = text(&answer, "/text");
        for wild in ["<!", "<@", "@here", "://", "e.example"] {
            assert!(!words.contains(wild), "{wild}: {words}");
        }
    }
    // Slack hands on these three letters escaped, and a job gets what was typed.
    slack_as(&world, "free-a V='a &amp; &lt;b&gt;'", "t2", "U-X", ("C-FREE", "free")).await;
    assert_eq!(environment(&world).await["ALL"], r#"{"V":"a & <b>"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_does_not_wait_for_a_workbench_that_hangs() {
    let world = world().await;
    world.simulator.add_fault(FaultRule::always(Fault::NeverAnswer));
    let began = std::time::Instant::now();
    let words = slack(&world, "retrain START_DATE=1", "t1").await;
    assert!(words.contains("starts job retrain"), "{words}");
    world.simulator.wait_for_requests(1).await;
    // The workbench hangs while a second command comes in.
    slack(&world, "retrain START_DATE=2", "t2").await;
    assert!(began.elapsed() < std::time::Duration::from_secs(3));
    world.simulator.release_held();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_in_the_body_is_neither_kept_nor_shown_and_a_replay_means_the_same() {
    let world = world().await;
    for (source, trigger) in [("slack", "t1"), ("mattermost", "t2")] {
        say(&world, source, &slash("retrain START_DATE=1", trigger, "U-ALICE", ML)).await;
    }
    let filter = cdsw_gateway::store::RunFilter { limit: 9, ..Default::default() };
    let runs = world.gateway.store().runs(filter).await.expect("read");
    for run in runs {
        let before = world.run_in(run.id, RunState::Started).await.environment.expect("made");
        let kept = run.delivery.to_string();
        let view = delivery(&world, &kept).await.to_string();
        assert!(!view.contains("canary") && !view.contains("token="), "{view}");
        let (status, view) = replay(&world, &kept, json!({ "again": true })).await;
        assert_eq!(status, 200, "{view}");
        let again = text(&view, "/runs/0/id").parse().expect("an id");
        let after = world.run_in(again, RunState::Started).await.environment.expect("made");
        assert_eq!(before.get("START_DATE"), after.get("START_DATE"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_command_gets_the_usual_answer() {
    let world = world().await;
    let event = json!({
        "token": "canary-verification-token", "type": "event_callback", "event_id": "Ev1",
        "event": { "type": "app_mention", "text": "<@U1> retrain START_DATE=1", "channel": "C-ML" },
    });
    let (status, answer) = world.send(request(&world, "slack", &event.to_string())).await;
    assert_eq!((status, &answer["runs"]), (200, &json!([])));
    let view = delivery(&world, text(&answer, "/delivery")).await;
    assert_eq!(text(&view, "/kind"), "app_mention", "{view}");
    let retry = request(&world, "slack", &event.to_string()).header("x-slack-retry-num", "1");
    assert_eq!(world.send(retry).await.1["duplicate"], true);
    let clicked = r#"{"type":"block_actions","trigger_id":"1.2.3","token":"canary-t"}"#;
    let clicked = form(&[("payload", clicked)]);
    let (_, answer) = world.send(request(&world, "slack", &clicked)).await;
    let view = delivery(&world, text(&answer, "/delivery")).await;
    assert_eq!(text(&view, "/kind"), "block_actions", "{view}");
    assert!(!view.to_string().contains("canary-t"), "{view}");
    let message = "token=x&text=cdsw+retrain&trigger_word=cdsw&post_id=p1&channel_name=ml";
    let (status, answer) = world.send(request(&world, "mattermost", message)).await;
    assert_eq!((status, answer.get("text")), (200, None), "{answer}");
    assert_eq!(world.runs().await, 0);
}
