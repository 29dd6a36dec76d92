//! Who did something in a chat program without typing a command, and where: buttons, forms, shortcuts, mentions.
//! `payloads/people.json` has them in the forms in which the programs send them.

use std::path::Path;

use cdsw_gateway::config::Live;
use cdsw_gateway::event::Understood;
use cdsw_gateway::judge::{Detail, judge};
use cdsw_gateway::model::DeliveryId;
use cdsw_gateway::providers::Options;
use http::HeaderMap;
use serde_json::Value as Json;

use crate::common::reading::reading;

const ROUTES: &str = r#"
workbenches: { main: { url: "http://127.0.0.1:8090", api_keys: { ada: { env: WB } } } }
jobs: { train: { workbench: main, project: ada/risk, job: 208, api_key: ada } }
sources: { chat: { provider: slack, secrets: [{ env: S }] } }
routes:
  here: { on: { source: chat, event: [block_actions, app_mention], channel: C1 }, job: train }
  she: { on: { source: chat, user: U1 }, job: train }
  read: { on: { source: chat }, if: 'command.user == "U1" && command.team == "T1"', job: train }
  typed: { on: { source: chat, command: retrain }, job: train }
"#;

fn understood(provider: &str, body: &Json) -> Understood {
    let body = body.to_string();
    reading(provider, "chat", &Options::default(), &HeaderMap::new(), body.as_bytes())
        .expect("understood")
}

fn cases() -> Vec<Json> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/people.json");
    serde_json::from_str(&std::fs::read_to_string(file).expect("the file is there")).expect("JSON")
}

#[test]
fn what_a_person_does_without_a_command_tells_who_and_where_and_keeps_its_kind() {
    for case in cases() {
        let understood = understood(case["provider"].as_str().expect("text"), &case["body"]);
        let what = format!("{} {}", case["provider"], case["kind"]);
        assert_eq!(Some(&*understood.kind), case["kind"].as_str(), "{what}");
        let act = understood.events[0].command.clone().expect("a person or a place");
        assert_eq!(act.user.as_deref(), case["user"].as_str(), "{what}: user");
        assert_eq!(act.channel.as_deref(), case["channel"].as_str(), "{what}: channel");
        assert_eq!(act.team.as_deref(), case["team"].as_str(), "{what}: team");
        assert!(act.is_act && act.name().is_none() && act.text.is_empty(), "{what}: {act:?}");
    }
}

#[test]
fn a_route_asks_for_the_person_and_the_channel_of_a_button_as_of_a_command() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("gateway.yaml");
    std::fs::write(&path, ROUTES).expect("written");
    let live = Live::start(&path).unwrap_or_else(|report| panic!("{}", report.render(false)));
    let plan = live.plan();
    for case in cases().iter().filter(|case| case["provider"] == "slack") {
        let understood = understood("slack", &case["body"]);
        let delivery = DeliveryId::new(jiff::Timestamp::UNIX_EPOCH, 7);
        let judged = judge(&plan, &plan.sources["chat"], &understood, delivery, Detail::Every);
        let mut found: Vec<String> =
            judged.runs.iter().map(|run| run.route.name.to_string()).collect();
        found.sort();
        let of_kind = matches!(case["kind"].as_str(), Some("block_actions" | "app_mention"));
        let mut expected = Vec::new();
        if of_kind && case["channel"] == "C1" {
            expected.push("here");
        }
        if case["user"] == "U1" {
            expected.extend(["read", "she"]);
        }
        assert_eq!(found, expected, "{case}");
    }
}
