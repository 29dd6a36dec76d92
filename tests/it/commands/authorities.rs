//! A system without certificate authorities: what speaks plain HTTP needs none, and what needs some says what to mount.

use std::process::Command;

use super::common::process::{Running, program};
use super::common::tls::{front, valid};
use super::common::{ON_PUSH, Site, simulator};
use super::stage::Stage;
use super::{run, run_with};

/// What makes the system's authorities be looked for in an empty directory.
fn without_authorities(command: &mut Command, site: &Site) {
    let empty = site.path("no-authorities");
    std::fs::create_dir_all(&empty).expect("a directory");
    command.env("SSL_CERT_DIR", empty).env("SSL_CERT_FILE", site.path("no-authorities/none.pem"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_speaks_plain_http_starts_jobs_on_a_system_without_authorities() {
    let stage = Stage::new(ON_PUSH);
    let mut prepared = program();
    without_authorities(&mut prepared, &stage.site);
    let stage = stage.restart_as(prepared);
    stage.push("without-authorities", "started").await;
    let admin = format!("http://{}", stage.gateway.admin);
    let ended = run_with(stage.directory(), &["health", "--url", &admin], "", |command| {
        without_authorities(command, &stage.site);
    });
    assert_eq!(ended.status, 0, "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_what_to_mount_where_authorities_are_needed_and_a_ca_file_is_enough() {
    let shown = valid(&["localhost"]);
    let workbench = simulator().await;
    let behind = workbench.api_url().trim_start_matches("http://").parse().expect("an address");
    let https = front(shown.config.clone(), behind).await;
    let url = format!("https://localhost:{}", https.port());
    let doctor = |bench: &str| {
        let site = Site::with(&url, ON_PUSH, "", bench);
        std::fs::write(site.path("ca.pem"), &shown.root).expect("written");
        run_with(site.directory.path(), &["doctor", "--offline"], "", |command| {
            without_authorities(command, &site);
        })
    };
    let without = format!("{}", doctor(""));
    assert!(without.contains("No CA certificates were loaded from the system"), "{without}");
    assert!(without.contains("name it in SSL_CERT_FILE"), "{without}");
    let with = format!("{}", doctor("    ca_file: ca.pem\n"));
    assert!(!with.contains("No CA certificates"), "{with}");
    assert!(with.contains("answers (200)"), "{with}");
}

#[test]
fn a_command_does_not_follow_a_redirect_with_its_token() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    let mut elsewhere = Running::start(Command::new("python3").args(["-u", "-c", REDIRECTING]));
    let url = format!("http://127.0.0.1:{}", elsewhere.line());
    let ended = run_with(site.directory.path(), &["runs", "list", "--url", &url], "", |command| {
        command.env("CDSW_GATEWAY_TOKEN", "a-token");
    });
    assert_eq!(ended.status, 4, "{ended}");
    assert!(ended.stderr.contains("redirects to https://gateway.example.com/api/runs"), "{ended}");
    let ended = run(site.directory.path(), &["health", "--url", &url]);
    assert_eq!(ended.status, 1, "{ended}");
}

/// Prints its port, and answers everything with a redirect.
const REDIRECTING: &str = r#"
import http.server
class Redirecting(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(301)
        self.send_header("Location", "https://gateway.example.com" + self.path.split("?")[0])
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Redirecting)
print(server.server_port)
server.serve_forever()
"#;
