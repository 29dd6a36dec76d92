//! A gateway and a simulated workbench, each a process of its own, and the commands that look at
//! them.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::common::process::{Running, Serving, program};
use super::common::{ADMIN_TOKEN, API_KEY, Site, client};
use super::{Ended, run_with};

/// Pushes start `retrain`; a push to another branch would start `report`.
pub(crate) const ROUTES: &str = r#"
  retrain-on-push:
    on: { source: github, event: push, branch: [main, "release/**"], path: "models/**" }
    job: retrain
    env:
      GIT_SHA: ${{ git.sha }}
      STARTED_BY: push by ${{ git.author }}
  report-on-develop:
    on: { source: github, event: push, branch: develop }
    job: report
"#;

pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) gateway: Serving,
    pub(crate) workbench: Option<Running>,
    control: String,
}

impl Stage {
    pub(crate) fn new(routes: &str) -> Self {
        Self::with(routes, "", "")
    }

    /// The same with more lines under `server:` and under the workbench.
    pub(crate) fn with(routes: &str, server: &str, bench: &str) -> Self {
        let mut workbench = Running::start(
            program()
                .args(["simulate", "--json", "--listen", "127.0.0.1:0"])
                .args(["--job", "alice/risk-analysis/208", "--job", "alice/risk-analysis/209"])
                .env("WORKBENCH_KEY", API_KEY),
        );
        let said: Value = serde_json::from_str(&workbench.line()).expect("JSON");
        let address = |name: &str| said[name].as_str().expect("an address").to_owned();
        let site = Site::with(&address("api"), routes, server, bench);
        std::fs::copy(
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/push.json"),
            site.path("push.json"),
        )
        .expect("copied");
        let gateway = Serving::on(&site);
        Self { site, gateway, workbench: Some(workbench), control: address("control") }
    }

    /// Tells the gateway to stop and starts it again on the same site.
    pub(crate) fn restart(self) -> Self {
        self.restart_as(program())
    }

    /// The same with a program that was prepared.
    pub(crate) fn restart_as(self, prepared: std::process::Command) -> Self {
        let Self { site, gateway, workbench, control } = self;
        assert!(gateway.running.terminate().success(), "a stop is no failure");
        let gateway = Serving::with(&site, prepared);
        Self { site, gateway, workbench, control }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.site.directory.path()
    }

    /// Runs a command as somebody who may look at this gateway.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_as(ADMIN_TOKEN, arguments)
    }

    pub(crate) fn run_as(&self, token: &str, arguments: &[&str]) -> Ended {
        run_with(self.directory(), arguments, "", |command| {
            command
                .env("CDSW_GATEWAY_URL", format!("http://{}", self.gateway.admin))
                .env("CDSW_GATEWAY_TOKEN", token);
        })
    }

    /// Sends a push with the `send` command.
    pub(crate) fn send(&self, arguments: &[&str]) -> Ended {
        let to = format!("http://{}", self.gateway.hooks);
        let mut all = vec!["send", "github", "--payload", "push.json", "--to", &to];
        all.extend(arguments);
        self.run(&all)
    }

    /// What goes wrong with the next start.
    pub(crate) async fn fault(&self, fault: Value) {
        let rules = json!([{ "fault": fault, "times": 1 }]);
        let url = format!("{}/faults", self.control);
        let answer = client().post(url).json(&rules).send().await.expect("an answer");
        assert_eq!(answer.status(), 204);
    }

    /// A push of which the run ends in this state; gives the ids of delivery and run.
    pub(crate) async fn push(&self, key: &str, state: &str) -> (String, String) {
        match state {
            "held" => self.fault(json!({ "reply": { "status": 502, "page": "html" } })).await,
            "failed" => self.fault(json!({ "reply": { "status": 403 } })).await,
            _ => {}
        }
        let answer = self.send(&["--id", key, "--json"]).with(0).json();
        let text = |pointer: &str| {
            answer.pointer(pointer).and_then(Value::as_str).expect("an id").to_owned()
        };
        let (delivery, run) = (text("/answer/delivery"), text("/answer/runs/0/id"));
        self.reaches(&run, state).await;
        (delivery, run)
    }

    /// What the simulated workbench says about its requests or runs, once there is any.
    pub(crate) async fn workbench_says(&self, what: &str) -> Vec<Value> {
        let url = format!("{}/{what}", self.control);
        let client = client();
        let looking = async {
            loop {
                let answer = client.get(&url).send().await.expect("an answer");
                let list: Vec<Value> = answer.json().await.expect("JSON");
                if !list.is_empty() {
                    return list;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), looking).await.expect("there is none")
    }

    /// Ends when the run is in this state.
    pub(crate) async fn reaches(&self, run: &str, state: &str) {
        let url = format!("http://{}/api/runs/{run}", self.gateway.admin);
        let client = client();
        let looking = async {
            loop {
                let answer = client.get(&url).bearer_auth(ADMIN_TOKEN).send().await;
                let run: Value = answer.expect("an answer").json().await.expect("JSON");
                if run["state"] == state {
                    break;
                }
            }
        };
        let patience = Duration::from_secs(30);
        assert!(tokio::time::timeout(patience, looking).await.is_ok(), "{run} is not {state}");
    }
}
