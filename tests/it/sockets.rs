//! Listeners that have no address: Unix sockets, and sockets that systemd opens.

use std::fs;
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::common::process::{Running, Serving, program};
use super::common::{ADMIN_TOKEN, ON_PUSH, PUSH, Site, github_signature};
use super::stories::edit;

const LISTEN: &str = "  listen: 127.0.0.1:0\n";
const ADMIN: &str = "  admin: 127.0.0.1:0\n";

/// A site whose listeners are Unix sockets beside its configuration.
fn on_sockets() -> Site {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    edit(&site, LISTEN, "  listen: unix:hooks.sock\n");
    edit(&site, ADMIN, "  admin: unix:admin.sock\n  health: unix:health.sock\n");
    site
}

/// A client that connects to this socket, whatever the address says.
fn over(socket: &Path) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().unix_socket(socket.to_owned());
    builder.timeout(Duration::from_secs(60)).build().expect("a client")
}

fn push(
    client: &reqwest::Client,
    to: &str,
    id: &str,
    client_address: Option<&str>,
) -> reqwest::RequestBuilder {
    let request = client
        .post(format!("{to}/hooks/github"))
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
        .header("content-type", "application/json")
        .body(PUSH);
    client_address
        .into_iter()
        .fold(request, |request, address| request.header("x-forwarded-for", address))
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.expect("an answer").status().as_u16()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Starts it, and gives how it ended; it does.
fn refused(site: &Site) -> String {
    let mut command = program();
    command.args(["serve", "--config"]).arg(site.config());
    said(&command.output().expect("it runs"))
}

fn said(output: &Output) -> String {
    assert!(!output.status.success(), "it must not start");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_arrive_over_a_unix_socket_from_the_client_that_the_proxy_names() {
    let site = on_sockets();
    edit(
        &site,
        "github: { provider: github,",
        "github: { provider: github, allow_from: [203.0.113.0/24],",
    );
    let serving = Serving::on(&site);
    let (hooks, admin) = (site.path("hooks.sock"), site.path("admin.sock"));
    assert_eq!(serving.hooks, format!("unix:{}", hooks.display()));
    assert_eq!((mode(&hooks), mode(&admin)), (0o660, 0o600));
    let client = over(&hooks);
    let to = "http://hooks.example.com";
    assert_eq!(status(push(&client, to, "one", Some("203.0.113.9"))).await, 202);
    // What the client wrote itself stands to the left.
    assert_eq!(status(push(&client, to, "two", Some("198.51.100.1, 203.0.113.10"))).await, 202);
    assert_eq!(status(push(&client, to, "three", Some("203.0.113.9, 198.51.100.1"))).await, 403);
    assert_eq!(status(push(&client, to, "four", None)).await, 403, "nobody knows its address");
    let list = over(&admin).get("http://localhost/api/deliveries").bearer_auth(ADMIN_TOKEN);
    let list: Value = list.send().await.expect("an answer").json().await.expect("JSON");
    let remotes: Vec<_> =
        list["deliveries"].as_array().expect("a list").iter().map(|one| &one["remote"]).collect();
    assert_eq!(remotes, ["203.0.113.10", "203.0.113.9"], "{list}");
    assert!(serving.running.terminate().success());
    for socket in ["hooks.sock", "admin.sock", "health.sock"] {
        assert!(!site.path(socket).exists(), "{socket} is removed at the end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_reach_the_admin_api_and_health_over_their_sockets() {
    let site = on_sockets();
    let serving = Serving::on(&site);
    let run = |arguments: &[&str]| {
        let mut command = program();
        command
            .args(arguments)
            .current_dir(site.directory.path())
            .env("CDSW_GATEWAY_TOKEN", ADMIN_TOKEN);
        command.output().expect("it runs")
    };
    let succeeds = |arguments: &[&str]| {
        let ended = run(arguments);
        let words = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert!(ended.status.success(), "{arguments:?}: {words}");
        words
    };
    let absolute = format!("unix:{}", site.path("admin.sock").display());
    succeeds(&["send", "github", "--id", "over-the-socket"]);
    succeeds(&["send", "github", "--id", "by-name", "--to", "unix:hooks.sock"]);
    for url in ["unix:admin.sock", &absolute] {
        let list = succeeds(&["deliveries", "list", "--url", url]);
        assert!(list.contains("2"), "{list}");
        let runs = succeeds(&["runs", "list", "--json", "--url", url]);
        assert_eq!(
            runs.matches("\"job\": \"retrain\"")
                .count()
                .max(runs.matches("\"job\":\"retrain\"").count()),
            2,
            "{runs}"
        );
    }
    let health = succeeds(&["health"]);
    assert!(
        health.contains(&format!("unix:{}:/readyz is ready", site.path("health.sock").display())),
        "{health}"
    );
    let doctor = run(&["doctor"]);
    let words = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(words.contains(&format!("{absolute} answers (version")), "{words}");
    assert!(serving.running.terminate().success());
    let gone = run(&["runs", "list", "--url", &absolute]);
    assert_eq!(gone.status.code(), Some(4));
    let gone = run(&["health"]);
    assert_eq!(gone.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_of_a_killed_process_is_replaced_and_one_of_a_living_process_never() {
    let site = on_sockets();
    let hooks = site.path("hooks.sock");
    Serving::on(&site).kill();
    assert!(hooks.exists(), "nobody removed it");
    let serving = Serving::on(&site);
    assert_eq!(status(push(&over(&hooks), "http://x", "one", None)).await, 202);
    let other = on_sockets();
    edit(&other, "  listen: unix:hooks.sock\n", &format!("  listen: unix:{}\n", hooks.display()));
    let words = refused(&other);
    assert!(words.contains("another process listens on this socket"), "{words}");
    assert_eq!(status(push(&over(&hooks), "http://x", "two", None)).await, 202, "it still serves");
    // A file that is no socket is somebody's.
    assert!(serving.running.terminate().success());
    fs::write(&hooks, "somebody's").expect("written");
    let words = refused(&site);
    assert!(words.contains("there is a file, and it is no socket"), "{words}");
    assert_eq!(fs::read_to_string(&hooks).expect("it is there"), "somebody's");
    // A link to a socket elsewhere is not followed.
    fs::remove_file(&hooks).expect("removed");
    let elsewhere = UnixListener::bind(site.path("elsewhere.sock")).expect("bound");
    drop(elsewhere);
    std::os::unix::fs::symlink(site.path("elsewhere.sock"), &hooks).expect("linked");
    let words = refused(&site);
    assert!(words.contains("it is no socket"), "{words}");
    assert!(site.path("elsewhere.sock").exists());
}

#[test]
fn of_two_processes_that_find_a_dead_socket_one_serves_and_the_other_says_why_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("hooks.sock");
    for _ in 0..3 {
        drop(UnixListener::bind(&socket).expect("a dead one"));
        let sites = [on_sockets(), on_sockets()];
        let mut starting: Vec<_> = sites
            .iter()
            .map(|site| {
                edit(site, "unix:hooks.sock", &format!("unix:{}", socket.display()));
                let mut command = program();
                command.args(["serve", "--print-addresses", "--config"]).arg(site.config());
                command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts")
            })
            .collect();
        // One of them ends; the other one has printed where it listens.
        let loser = loop {
            if let Some(at) = (0..2).find(|at| starting[*at].try_wait().expect("asked").is_some()) {
                break at;
            }
        };
        assert!(!starting[loser].wait().expect("it ended").success());
        let mut winner = starting.swap_remove(1 - loser);
        let mut line = String::new();
        let out = winner.stdout.take().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("a line");
        assert!(line.starts_with("hooks unix:"), "{line}");
        std::os::unix::net::UnixStream::connect(&socket).expect("the winner listens there");
        winner.kill().expect("killed");
        winner.wait().expect("it ended");
        fs::remove_file(&socket).expect("it was there");
    }
}

#[test]
fn a_socket_that_cannot_be_made_is_said_with_what_to_do() {
    for (listen, says) in [
        ("unix:no/such/directory/hooks.sock", "make the directory"),
        (
            "unix:hooks.sock\n  listen_socket: { group: no-such-group-here }",
            "there is no group `no-such-group-here`",
        ),
        ("systemd:hooks", "start it by its .socket unit"),
    ] {
        let site = Site::new("http://127.0.0.1:9", ON_PUSH);
        edit(&site, LISTEN, &format!("  listen: {listen}\n"));
        let words = refused(&site);
        assert!(words.contains(says), "{listen}: {words}");
        assert!(!site.path("hooks.sock").exists(), "nothing is left of it");
    }
}

/// The program as systemd starts it, with these listening sockets under these names, from 3 on.
fn activated(site: &Site, sockets: &[(&str, i32)]) -> Command {
    let names: Vec<&str> = sockets.iter().map(|(name, _)| *name).collect();
    let moved: Vec<String> =
        sockets.iter().zip(3..).map(|((_, from), to)| format!("{to}<&{from}")).collect();
    let script = format!(
        "LISTEN_PID=$$ LISTEN_FDS={} LISTEN_FDNAMES={} exec \"$0\" serve --print-addresses --log error --config \"$1\" {}",
        sockets.len(),
        names.join(":"),
        moved.join(" ")
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).arg(program().get_program()).arg(site.config());
    for name in ["CONFIG", "HEALTH", "URL", "TOKEN", "TOKEN_FILE", "LOG", "LOG_FORMAT"] {
        command.env_remove(format!("CDSW_GATEWAY_{name}"));
    }
    command
}

/// Lets a child have the socket, as systemd does. It has a number that no other descriptor of the child gets.
fn inherited(socket: &impl std::os::fd::AsFd) -> std::os::fd::OwnedFd {
    let copy = rustix::io::fcntl_dupfd_cloexec(socket, 200).expect("a copy");
    rustix::io::fcntl_setfd(&copy, rustix::io::FdFlags::empty()).expect("set");
    copy
}

fn start(command: &mut Command) -> (Running, String) {
    let mut running = Running::start(command);
    let hooks = running.line().strip_prefix("hooks ").expect("first").to_owned();
    (running, hooks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_of_systemd_keeps_connections_while_the_gateway_is_restarted() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    edit(&site, LISTEN, "  listen: systemd:hooks\n");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("an address").to_string();
    let passed = inherited(&listener);
    let sockets = [("hooks", passed.as_raw_fd())];
    let to = format!("http://{address}");
    let client = super::common::client();
    let (running, hooks) = start(&mut activated(&site, &sockets));
    assert_eq!(hooks, address);
    assert_eq!(status(push(&client, &to, "before", None)).await, 202);
    assert!(running.terminate().success());
    // Nobody accepts now, and systemd still has the socket.
    let waiting = tokio::spawn(status(push(&super::common::client(), &to, "meanwhile", None)));
    std::net::TcpStream::connect(&address).expect("it connects");
    assert!(!waiting.is_finished());
    let (again, _) = start(&mut activated(&site, &sockets));
    assert_eq!(waiting.await.expect("it ended"), 202, "it was not refused");
    assert!(again.terminate().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_of_systemd_are_found_by_name_and_by_number_and_of_either_kind() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    edit(&site, LISTEN, "  listen: fd:4\n");
    edit(&site, ADMIN, "  admin: systemd:inside\n");
    let (inside, hooks) = (site.path("inside.sock"), site.path("given.sock"));
    let (one, two) =
        (UnixListener::bind(&inside).expect("bound"), UnixListener::bind(&hooks).expect("bound"));
    let (one, two) = (inherited(&one), inherited(&two));
    let sockets = [("inside", one.as_raw_fd()), ("whatever", two.as_raw_fd())];
    let (running, shown) = start(&mut activated(&site, &sockets));
    assert_eq!(shown, format!("unix:{}", hooks.display()));
    assert_eq!(status(push(&over(&hooks), "http://x", "one", None)).await, 202);
    assert_eq!(status(over(&inside).get("http://localhost/livez")).await, 200);
    assert!(running.terminate().success());
    assert!(inside.exists() && hooks.exists(), "the files are systemd's");
}

#[test]
fn a_socket_of_systemd_that_nobody_takes_or_that_is_not_there_is_said_at_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let other = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let (listener, other) = (inherited(&listener), inherited(&other));
    let (tcp, udp) = (listener.as_raw_fd(), other.as_raw_fd());
    for (listen, sockets, says) in [
        ("systemd:hooks", vec![("other", tcp)], "systemd passed no such socket, but other (fd:3)"),
        (
            "127.0.0.1:0",
            vec![("hooks", tcp)],
            "systemd opened sockets that no listener of this role takes: hooks (fd:3)",
        ),
        (
            "systemd:hooks",
            vec![("hooks", tcp), ("hooks", tcp)],
            "no listener of this role takes: hooks (fd:4)",
        ),
        (
            "systemd:hooks",
            vec![("hooks", udp)],
            "neither a TCP socket nor a Unix socket for streams",
        ),
    ] {
        let site = Site::new("http://127.0.0.1:9", ON_PUSH);
        edit(&site, LISTEN, &format!("  listen: {listen}\n"));
        let words = said(&activated(&site, &sockets).output().expect("it runs"));
        assert!(words.contains(says), "{listen}: {words}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_is_started_by_the_first_connection_under_systemds_own_tool() {
    if Command::new("systemd-socket-activate")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        return super::common::skip::skip("systemd-socket-activate");
    }
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    edit(&site, LISTEN, "  listen: systemd:hooks\n");
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut command = Command::new("systemd-socket-activate");
    command.arg(format!("--listen={free}")).arg("--fdname=hooks").arg(program().get_program());
    command.args(["serve", "--print-addresses", "--log", "error", "--config"]).arg(site.config());
    let mut running = Running::start(&mut command);
    let client = super::common::client();
    let to = format!("http://{free}");
    let answered = async {
        // Until the tool listens, connections are refused.
        loop {
            if let Ok(answer) = push(&client, &to, "first", None).send().await {
                break answer.status().as_u16();
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(60), answered).await.expect("an answer");
    assert_eq!(found, 202);
    assert_eq!(running.line(), format!("hooks {free}"));
    assert!(running.terminate().success());
}
