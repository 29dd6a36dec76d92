//! No secret leaves its place: not into a log at any level, a metric, the database, the API, an
//! error text or a command's output; and no payload chooses a variable's name.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cdsw_gateway::simulator::{Fault, FaultRule, Page, Simulator};

use crate::common::{
    self, ADMIN_TOKEN, API_KEY, GITLAB_TOKEN, ON_PUSH, PUSH, Site, WEBHOOK_SECRET, World, client,
    github_signature,
};

/// Every secret of the tests, in every form in which it travels.
fn secrets() -> Vec<String> {
    let mut all = forms_of_the_key();
    all.extend([WEBHOOK_SECRET, GITLAB_TOKEN, ADMIN_TOKEN].map(str::to_owned));
    all
}

/// As a workbench may show the key that it was sent.
fn forms_of_the_key() -> Vec<String> {
    let percent: String = API_KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut all = vec![STANDARD.encode(format!("{API_KEY}:")), STANDARD.encode(API_KEY)];
    all.extend([API_KEY.to_owned(), API_KEY.to_uppercase(), hex::encode(API_KEY), percent]);
    all
}

fn assert_clean(what: &str, bytes: &[u8]) {
    for secret in secrets() {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{what} holds the secret that begins with {}", &secret[..12]);
    }
}

/// A gateway process that does not outlive the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cdsw-gateway"))
}

/// Starts `serve` with everything logged; gives both addresses.
fn serve(site: &Site, format: &str, log: &Path) -> (Process, String, String) {
    let log = std::fs::File::create(log).expect("a log");
    let mut child = program()
        .args(["serve", "--print-addresses", "--log", "trace", "--log-format", format, "--config"])
        .arg(site.config())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut address = |word: &str| {
        let line = lines.next().expect("an address").expect("text");
        line.strip_prefix(word).expect("in this order").to_owned()
    };
    let (hooks, admin) = (address("hooks "), address("admin "));
    (Process(child), hooks, admin)
}

/// Everything that can go wrong with a key or secret around it.
async fn trouble(simulator: &Simulator, hooks: &str) {
    let client = client();
    let hook = |source: &str| format!("http://{hooks}/hooks/{source}");
    let github = |id: &'static str| {
        client
            .post(hook("github"))
            .header("x-github-event", "push")
            .header("x-github-delivery", id)
            .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
            .header("cookie", format!("session={ADMIN_TOKEN}"))
            .body(PUSH)
    };
    // A workbench that shows the key to whoever reads its errors, then one that refuses it.
    let engine = Fault::reply(200, Page::Json(format!(r#"{{"engine_id":"{API_KEY}"}}"#)));
    let moved = Fault::status(302).with_header("Location", &format!("https://{API_KEY}.invalid/"));
    let shown = forms_of_the_key().join(" and ");
    let shown = Fault::reply(422, Page::Json(shown));
    for (fault, id) in [(engine, "echo-engine"), (moved, "echo-moved"), (shown, "echo-422")] {
        simulator.add_fault(FaultRule::once(fault));
        let seen = simulator.requests().len() as u64;
        assert_eq!(github(id).send().await.expect("an answer").status(), 202);
        simulator.wait_for_requests(seen + 1).await;
    }
    let echo = format!("bad key {API_KEY} in Basic {}", STANDARD.encode(format!("{API_KEY}:")));
    for (status, id) in [(500, "echo-500"), (401, "echo-401")] {
        simulator.add_fault(FaultRule::once(Fault::reply(status, Page::Json(echo.clone()))));
        let seen = simulator.requests().len() as u64;
        assert_eq!(github(id).send().await.expect("an answer").status(), 202);
        simulator.wait_for_requests(seen + 1).await;
    }
    // Secrets where they do not belong.
    for body in [WEBHOOK_SECRET, "{"] {
        let wrong = client.post(hook("github")).header("x-hub-signature-256", WEBHOOK_SECRET);
        assert_eq!(wrong.body(body).send().await.expect("an answer").status(), 401);
    }
    let gitlab = client
        .post(hook("gitlab"))
        .header("x-gitlab-event", "Push Hook")
        .header("x-gitlab-token", GITLAB_TOKEN)
        .body(r#"{"object_kind":"push"}"#);
    assert_eq!(gitlab.send().await.expect("an answer").status(), 200);
    let wrong = client.post(hook("gitlab")).header("x-gitlab-token", format!("{GITLAB_TOKEN}x"));
    assert_eq!(wrong.body("{}").send().await.expect("an answer").status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_reaches_a_log_metric_database_page_or_error() {
    for format in ["json", "text"] {
        let simulator = common::simulator().await;
        let routes = format!(
            "{ON_PUSH}  on-gitlab:\n    on: {{ source: gitlab, event: none }}\n    job: report\n"
        );
        let site = Site::new(&simulator.api_url(), &routes);
        let log = site.path("log");
        let (process, hooks, admin) = serve(&site, format, &log);
        trouble(&simulator, &hooks).await;
        read_everything(&site, &admin).await;
        drop(process);
        let logged = std::fs::read(&log).expect("a log");
        assert!(logged.len() > 10_000, "the log says little: {} bytes", logged.len());
        assert_clean(&format!("the {format} log"), &logged);
        let mut databases = 0;
        for entry in std::fs::read_dir(site.directory.path()).expect("listed") {
            let path = entry.expect("an entry").path();
            if path.is_file() && path != site.config() {
                databases += usize::from(path.to_string_lossy().contains("gateway.db"));
                assert_clean(&path.display().to_string(), &std::fs::read(&path).expect("read"));
            }
        }
        assert!(databases >= 2, "the database and its log were looked at");
    }
}

/// All that the admin side says, and what the commands print.
async fn read_everything(site: &Site, admin: &str) {
    let client = client();
    let base = format!("http://{admin}");
    let get = async |path: String, token: &str| {
        let answer = client.get(format!("{base}{path}")).bearer_auth(token).send().await;
        let bytes = answer.expect("an answer").bytes().await.expect("bytes");
        assert_clean(&path, &bytes);
        bytes
    };
    let list = get("/api/deliveries".to_owned(), ADMIN_TOKEN).await;
    let list: serde_json::Value = serde_json::from_slice(&list).expect("JSON");
    let deliveries = list["deliveries"].as_array().expect("a list");
    assert_eq!(deliveries.len(), 6);
    for delivery in deliveries {
        let id = delivery["id"].as_str().expect("an id");
        for tail in ["", "/body", "/explain"] {
            get(format!("/api/deliveries/{id}{tail}"), ADMIN_TOKEN).await;
        }
        for run in delivery["runs"].as_array().expect("a list") {
            let id = run["id"].as_str().expect("an id");
            get(format!("/api/runs/{id}"), ADMIN_TOKEN).await;
        }
    }
    for path in ["/api/runs", "/api/refusals/github", "/api/refusals/gitlab", "/api/status"] {
        get(path.to_owned(), ADMIN_TOKEN).await;
        get(path.to_owned(), WEBHOOK_SECRET).await;
    }
    for path in ["/metrics", "/readyz", "/livez", "/nowhere"] {
        get(path.to_owned(), ADMIN_TOKEN).await;
    }
    for arguments in [
        vec!["check"],
        vec!["doctor"],
        vec!["explain", "github", "-"],
        vec!["deliveries", "list"],
        vec!["deliveries", "refused", "github"],
        vec!["runs", "list"],
    ] {
        let Output { stdout, stderr, .. } = program()
            .args(&arguments)
            .env("CDSW_GATEWAY_CONFIG", site.config())
            .env("CDSW_GATEWAY_URL", &base)
            .env("CDSW_GATEWAY_TOKEN", ADMIN_TOKEN)
            .stdin(Stdio::null())
            .output()
            .expect("runs");
        assert!(!stdout.is_empty() || !stderr.is_empty(), "{arguments:?} says something");
        assert_clean(&format!("{arguments:?}"), &stdout);
        assert_clean(&format!("{arguments:?}"), &stderr);
    }
}

#[test]
fn a_secret_written_into_the_configuration_is_refused_and_not_repeated() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    let text = std::fs::read_to_string(site.config()).expect("read");
    let literal = text.replace("{ file: secrets/api-key }", API_KEY).replace(
        "secrets: [{ file: secrets/webhook }]",
        &format!("secrets: [\"{WEBHOOK_SECRET}\"]"),
    );
    site.write_config(&literal);
    for arguments in [vec!["check"], vec!["check", "--json"], vec!["serve"]] {
        let output = program()
            .args(&arguments)
            .env("CDSW_GATEWAY_CONFIG", site.config())
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(3));
        assert_clean("standard output", &output.stdout);
        assert_clean("standard error", &output.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_chooses_values_and_never_names() {
    let routes = r#"
  hostile:
    on: { source: github, event: push }
    job: retrain
    env:
      NOTE: ${{ body.note }}
      ALL: ${{ body.environment }}
"#;
    let world = World::start(routes).await;
    let payload = serde_json::json!({
        "note": "x\",\"LD_PRELOAD\":\"/tmp/evil.so",
        "environment": { "LD_PRELOAD": "/tmp/evil.so", "PATH": "/tmp" },
        "env": { "CDSW_PROJECT": "other" },
        "GATEWAY_RUN_ID": "mine",
        "job": "report",
        "project": "mallory/steals",
    });
    let request = world.github("push", "hostile", payload.to_string());
    assert_eq!(world.send(request).await.0, 202);
    world.simulator.wait_for_requests(1).await;
    let seen = world.simulator.requests().remove(0);
    let names: Vec<&str> = seen.environment.keys().map(String::as_str).collect();
    assert_eq!(names, ["ALL", "GATEWAY_DELIVERY_ID", "GATEWAY_RUN_ID", "NOTE"]);
    assert_ne!(seen.environment["GATEWAY_RUN_ID"], "mine");
    assert!(seen.path.contains("/alice/risk-analysis/jobs/208/"), "{}", seen.path);
    assert!(seen.reserved.is_empty());
}
