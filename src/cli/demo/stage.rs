//! What the demo runs on: a temporary directory, a simulated workbench, a gateway.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use tempfile::TempDir;

use super::super::client::Api;
use super::super::failure::Failure;
use crate::clock::{Clock, SystemClock};
use crate::config::Live;
use crate::gateway::{Environs, Gateway, Part};
use crate::issuers::Transport;
use crate::model::{Secret, Target};
use crate::random::{Random, SystemRandom};
use crate::serving::{Bound, PassedSockets};
use crate::simulator::{Simulator, SimulatorOptions};

const CONFIG: &str = include_str!("gateway.yaml");

/// Every payload of the story, by its file's name.
pub(super) const PAYLOADS: [(&str, &str); 4] = [
    ("push-models.json", include_str!("push-models.json")),
    ("push-docs.json", include_str!("push-docs.json")),
    ("gitlab-push.json", include_str!("gitlab-push.json")),
    ("training-finished.json", include_str!("training-finished.json")),
];

/// Everything that runs during the demo.
pub(super) struct Stage {
    directory: TempDir,
    pub(super) simulator: Simulator,
    gateway: Gateway,
    pub(super) live: Arc<Live>,
    pub(super) api: Api,
}

impl Stage {
    /// Writes the files and starts the workbench and the gateway.
    pub(super) async fn set() -> Result<Self, Failure> {
        let fail =
            |what: &str, error: &dyn std::fmt::Display| Failure::Failed(format!("{what}: {error}"));
        let directory = tempfile::Builder::new()
            .prefix("cdsw-gateway-demo-")
            .tempdir()
            .map_err(|error| fail("a temporary directory", &error))?;
        let key = secret();
        let token = secret();
        let simulator = Simulator::start(options(&key))
            .await
            .map_err(|error| fail("the simulated workbench", &error))?;
        write(directory.path(), &simulator, &key, &token)
            .map_err(|error| fail(&directory.path().display().to_string(), &error))?;
        let config = directory.path().join("gateway.yaml");
        let live = Live::start(&config).map_err(|report| Failure::Config(report.render(false)))?;
        let live = Arc::new(live);
        let environs = Environs {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            transport: Transport::default(),
            passed: PassedSockets::default(),
        };
        let gateway = Gateway::start(Arc::clone(&live), environs, Part::default())
            .await
            .map_err(|fault| Failure::Failed(fault.to_string()))?;
        // The addresses are known only now; the file that the reader is shown names them.
        let text = written(&simulator, hooks(&gateway).port(), admin(&gateway).port());
        std::fs::write(&config, text).map_err(|error| fail("gateway.yaml", &error))?;
        let api = Api::new(url(admin(&gateway)), Secret::new(token))?;
        Ok(Self { directory, simulator, gateway, live, api })
    }

    /// The configuration file.
    pub(super) fn config(&self) -> PathBuf {
        self.directory.path().join("gateway.yaml")
    }

    /// The address of the listener for webhooks.
    pub(super) fn hooks_url(&self) -> String {
        format!("http://{}", hooks(&self.gateway))
    }

    /// The address of the admin listener.
    pub(super) fn admin_url(&self) -> String {
        format!("http://{}", self.gateway.admin())
    }

    /// The address of the simulated workbench's control API.
    pub(super) fn control_url(&self) -> String {
        self.simulator.control_url()
    }

    /// A file with a token for the admin API.
    pub(super) fn token_file(&self) -> PathBuf {
        self.directory.path().join("secrets/admin-token")
    }

    /// A payload's file.
    pub(super) fn payload(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Stops the gateway and the workbench, and removes the directory.
    pub(super) async fn clear(self) {
        self.gateway.stop(Duration::from_secs(5)).await;
        self.simulator.shutdown().await;
    }
}

fn url(address: std::net::SocketAddr) -> Url {
    let mut url = Url::parse("http://127.0.0.1/").expect("a literal address");
    let _ = url.set_port(Some(address.port()));
    url
}

/// Throw-away secrets, 128 random bits each.
fn secret() -> String {
    format!("{:032x}", SystemRandom.bits())
}

fn options(key: &str) -> SimulatorOptions {
    let job = |number| Target::V1 {
        owner: "alice".to_owned(),
        project: "risk-analysis".to_owned(),
        number,
    };
    let mut options = SimulatorOptions::single(key, job(208));
    options.add_job(job(209));
    options.add_job(job(210));
    options.now = Arc::new(|| SystemClock.now());
    options
}

fn written(simulator: &Simulator, hooks: u16, admin: u16) -> String {
    CONFIG
        .replace("{hooks}", &hooks.to_string())
        .replace("{admin}", &admin.to_string())
        .replace("{workbench}", &simulator.api_url())
}

fn write(directory: &Path, simulator: &Simulator, key: &str, token: &str) -> std::io::Result<()> {
    use base64::Engine as _;
    let secrets = directory.join("secrets");
    std::fs::create_dir(&secrets)?;
    let training = base64::engine::general_purpose::STANDARD.encode(secret());
    for (name, content) in [
        ("alice-api-key", key.to_owned()),
        ("admin-token", token.to_owned()),
        ("github", secret()),
        ("gitlab", secret()),
        ("training", format!("whsec_{training}")),
    ] {
        private(&secrets.join(name), &content)?;
    }
    for (name, payload) in PAYLOADS {
        std::fs::write(directory.join(name), payload)?;
    }
    std::fs::write(directory.join("gateway.yaml"), written(simulator, 0, 0))
}

/// A file that only its owner can read.
fn private(path: &Path, content: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true).mode(0o600).open(path)?.write_all(content.as_bytes())
}

fn hooks(gateway: &Gateway) -> std::net::SocketAddr {
    let hooks = gateway.hooks().and_then(Bound::tcp);
    hooks.expect("the demo's gateway receives on an address")
}

fn admin(gateway: &Gateway) -> std::net::SocketAddr {
    gateway.admin().tcp().expect("the demo's admin side is on an address")
}
