//! What strangers do to the running program, and what everybody else notices of it: nothing.

mod admin;
mod hostile;
mod intake;
mod memory;
mod shared;
mod turns;

use std::net::SocketAddr;
use std::time::Duration;

use crate::common::process::{Serving, program};
use crate::common::{ON_PUSH, Site, simulator};
use cdsw_gateway::simulator::Simulator;

/// Connections of an attack.
const CONNECTIONS: usize = 1000;
/// The longest that an honest request may take, on a machine that does other work too.
const PATIENCE: Duration = Duration::from_secs(20);
/// Memory that the program may use at most in these tests, in kB: the budget of bodies (256 MiB), the heads
/// of all connections (32 KiB each), and its own.
const MEMORY: u64 = 600 * 1024;

/// A gateway as a process, with a workbench.
struct Attacked {
    site: Site,
    serving: Serving,
    _workbench: Simulator,
}

impl Attacked {
    /// Starts it with these lines under `server:`, where a process may open this many files.
    async fn start(server: &str, descriptors: usize) -> Self {
        // The attack needs descriptors of its own in this process.
        cdsw_gateway::serving::descriptors::raise(4096);
        let workbench = simulator().await;
        let site = Site::with(&workbench.api_url(), ON_PUSH, server, "");
        // A source that answers challenges of everybody.
        site.private("xt", "canary-secret-of-challenges");
        let usual = std::fs::read_to_string(site.config()).expect("read");
        let greets = "\nsources:\n  xt: { provider: x-twitter, secrets: [{ file: secrets/xt }] }\n";
        site.write_config(&usual.replace("\nsources:\n", greets));
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"")]);
        limited.arg(program().get_program());
        for name in ["CONFIG", "HEALTH", "URL", "TOKEN", "TOKEN_FILE", "LOG", "LOG_FORMAT"] {
            limited.env_remove(format!("CDSW_GATEWAY_{name}"));
        }
        let serving = Serving::with(&site, limited);
        Self { site, serving, _workbench: workbench }
    }

    fn hooks(&self) -> SocketAddr {
        self.serving.hooks.parse().expect("an address")
    }

    fn admin(&self) -> SocketAddr {
        self.serving.admin.parse().expect("an address")
    }

    /// The most memory that the process has had, in kB.
    fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.serving.running.id());
        let status = std::fs::read_to_string(status).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }
}

/// A client that opens a connection for each request, and does not wait for long.
fn honest() -> reqwest::Client {
    honest_from(std::net::Ipv4Addr::LOCALHOST)
}

/// The same, from this address.
fn honest_from(address: std::net::Ipv4Addr) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .local_address(std::net::IpAddr::from(address))
        .timeout(PATIENCE)
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client")
}
