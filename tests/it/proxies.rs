//! The proxies of `deploy/proxy`, run in front of the real program with the files as they are shipped; only ports,
//! addresses, certificates and times are replaced.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::common::process::Serving;
use super::common::{ADMIN_TOKEN, ON_PUSH, PUSH, Site, github_signature, skip, tls};

const NGINX: &str = include_str!("../../deploy/proxy/nginx.conf");
const HAPROXY: &str = include_str!("../../deploy/proxy/haproxy.cfg");
/// What GitHub may send, and the gateway takes.
const LARGEST: usize = 25 * 1024 * 1024;

/// A proxy that is ended, by its id, when nobody needs it any more.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        // SIGTERM, so that a master ends its workers.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

struct Setting {
    site: Site,
    serving: Serving,
    client: reqwest::Client,
    url: String,
    _proxy: Proxy,
}

fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the file has no {from}");
        text.replace(from, to)
    })
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn is_there(program: &str) -> bool {
    let found =
        Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok()
}

impl Setting {
    /// `start` writes the proxy's files into the directory and starts it: in front of this address, on this port.
    async fn new(start: impl FnOnce(&Path, &str, u16) -> Child) -> Self {
        let server = "  trusted_proxies: [127.0.0.1/32]\n  idle_timeout: 3s";
        Self::on(Site::with("http://127.0.0.1:9", ON_PUSH, server, ""), start).await
    }

    /// The same over a Unix socket that the group of the proxy may use. No proxy is named as trusted.
    async fn over_a_socket(start: impl FnOnce(&Path, &str, u16) -> Child) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let server = "  idle_timeout: 3s\n  listen_socket: { group: www-data }";
        let site = Site::with("http://127.0.0.1:9", ON_PUSH, server, "");
        let text = std::fs::read_to_string(site.config()).expect("read");
        let listen = "listen: 127.0.0.1:0";
        assert!(text.contains(listen));
        site.write_config(&text.replacen(listen, "listen: unix:hooks.sock", 1));
        let open = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(site.directory.path(), open).expect("set");
        Self::on(site, start).await
    }

    /// On a site that was prepared.
    async fn on(site: Site, start: impl FnOnce(&Path, &str, u16) -> Child) -> Self {
        let shown = tls::valid(&["127.0.0.1"]);
        std::fs::write(site.path("hooks.pem"), &shown.certificate).expect("written");
        std::fs::write(site.path("hooks.key"), &shown.key).expect("written");
        std::fs::write(site.path("both.pem"), format!("{}{}", shown.certificate, shown.key))
            .expect("written");
        let serving = Serving::on(&site);
        let port = free_port();
        let proxy = Proxy(start(site.directory.path(), &serving.hooks, port));
        let root = reqwest::Certificate::from_pem(&shown.root).expect("a certificate");
        let client = reqwest::Client::builder()
            .no_proxy()
            .add_root_certificate(root)
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client");
        let url = format!("https://127.0.0.1:{port}");
        let up = async {
            while client
                .get(format!("{url}/healthz"))
                .send()
                .await
                .map_or(0, |answer| answer.status().as_u16())
                != 200
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up)
            .await
            .expect("the proxy and the gateway answer");
        Self { site, serving, client, url, _proxy: proxy }
    }

    async fn push(&self, id: &str, body: Vec<u8>) -> (u16, String) {
        let request = self
            .client
            .post(format!("{}/hooks/github", self.url))
            .header("x-github-event", "push")
            .header("x-github-delivery", id)
            .header("x-hub-signature-256", github_signature(&body))
            .header("content-type", "application/json")
            .header("x-forwarded-for", "203.0.113.9")
            .body(body);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    /// What every proxy must do.
    async fn serves(&self) {
        let (status, answer) = self.push("small", PUSH.as_bytes().to_vec()).await;
        assert_eq!(status, 202, "{answer}");
        let (start, end) = PUSH.split_at(1);
        let filler = "x".repeat(LARGEST - PUSH.len() - 16);
        let large = format!("{start}\"filler\":\"{filler}\",{end}").into_bytes();
        assert!(large.len() > LARGEST - 16 && large.len() <= LARGEST, "{}", large.len());
        let (status, answer) = self.push("large", large.clone()).await;
        assert_eq!(status, 202, "{answer}");
        let (status, answer) =
            self.push("too large", [&large[..], b"                "].concat()).await;
        assert_eq!(status, 413, "{answer}");
        assert!(
            answer.contains("this source's limit"),
            "the gateway says it, not the proxy: {answer}"
        );
        // Shorter and longer than the proxy keeps its connections, which is less than the gateway does.
        for (number, pause) in [1.9, 2.1, 2.9, 3.1].into_iter().enumerate() {
            tokio::time::sleep(Duration::from_secs_f64(pause)).await;
            let (status, answer) =
                self.push(&format!("after-{number}"), PUSH.as_bytes().to_vec()).await;
            assert_eq!(status, 202, "after {pause} s: {answer}");
        }
        let listed = self
            .client
            .get(format!("http://{}/api/deliveries", self.serving.admin))
            .bearer_auth(ADMIN_TOKEN)
            .send()
            .await
            .expect("an answer");
        let listed: serde_json::Value = listed.json().await.expect("JSON");
        let listed = listed["deliveries"].as_array().expect("a list");
        assert_eq!(listed.len(), 6, "{listed:?}");
        for delivery in listed {
            assert_eq!(delivery["remote"], "127.0.0.1", "not what the client wrote: {delivery}");
        }
        assert!(self.site.path("gateway.db").exists());
    }
}

/// Starts nginx with the shipped file in front of this address.
fn nginx(directory: &Path, gateway: &str, port: u16) -> Child {
    let at = |name: &str| directory.join(name).display().to_string();
    let listen = format!("listen 127.0.0.1:{port} ssl");
    let own = replaced(
        NGINX,
        &[
            ("127.0.0.1:8080", gateway),
            ("listen 8443 ssl", &listen),
            ("/etc/nginx/hooks.pem", &at("hooks.pem")),
            ("/etc/nginx/hooks.key", &at("hooks.key")),
            ("keepalive_timeout 60s", "keepalive_timeout 2s"),
        ],
    );
    let whole = format!(
        "user www-data; worker_processes 1; daemon off; pid {};\nevents {{}}\nhttp {{ access_log off; \
         client_body_temp_path {}; proxy_temp_path {}; fastcgi_temp_path {}; uwsgi_temp_path {}; \
         scgi_temp_path {};\n{own}\n}}\n",
        at("nginx.pid"),
        at("bodies"),
        at("proxied"),
        at("fastcgi"),
        at("uwsgi"),
        at("scgi"),
    );
    std::fs::write(directory.join("nginx.conf"), whole).expect("written");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(directory).args(["-e", "stderr", "-c", "nginx.conf"]);
    command.stderr(Stdio::null()).spawn().expect("nginx starts")
}

/// Starts HAProxy with the shipped file in front of this address.
fn haproxy(directory: &Path, gateway: &str, port: u16) -> Child {
    let bind = format!("bind 127.0.0.1:{port} ssl");
    let own = replaced(
        HAPROXY,
        &[
            ("127.0.0.1:8080", &gateway.replace("unix:", "unix@")),
            ("bind :8443 ssl", &bind),
            ("/etc/haproxy/hooks.pem", &directory.join("both.pem").display().to_string()),
            ("pool-purge-delay 10s", "pool-purge-delay 500ms"),
        ],
    );
    let file = directory.join("haproxy.cfg");
    std::fs::write(&file, own).expect("written");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("HAProxy starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_with_the_shipped_file_loses_no_delivery() {
    if !is_there("nginx") {
        return skip::skip("nginx");
    }
    let setting = Setting::new(nginx);
    setting.await.serves().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_with_the_shipped_file_loses_no_delivery() {
    if !is_there("haproxy") {
        return skip::skip("haproxy");
    }
    let setting = Setting::new(haproxy);
    setting.await.serves().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_over_a_unix_socket_loses_no_delivery_and_tells_the_clients_address() {
    if !is_there("nginx") {
        return skip::skip("nginx");
    }
    Setting::over_a_socket(nginx).await.serves().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn haproxy_over_a_unix_socket_loses_no_delivery_and_tells_the_clients_address() {
    if !is_there("haproxy") {
        return skip::skip("haproxy");
    }
    Setting::over_a_socket(haproxy).await.serves().await;
}
