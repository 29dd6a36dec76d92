//! The gateway under systemd: what it tells, and whether unit, its comment and the example configuration agree.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use cdsw_gateway::gateway::longest_stop;

use super::common::process::{Serving, program};
use super::common::{ON_PUSH, Site};

const UNIT: &str = include_str!("../../deploy/systemd/cdsw-gateway.service");
const SOCKET: &str = include_str!("../../deploy/systemd/cdsw-gateway.socket");
const EXAMPLE: &str = include_str!("../../config/examples/systemd.yaml");

/// The value of a setting of the unit.
fn setting(name: &str) -> &'static str {
    let value = UNIT.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("the unit has no {name}"))
}

#[test]
fn the_units_credentials_are_those_that_its_comment_and_the_example_name() {
    let (id, directory) = setting("LoadCredential").split_once(':').expect("an id and a directory");
    // systemd.exec(5): a directory's files are named by the id, an underscore and their own names.
    let at = format!("/run/credentials/cdsw-gateway.service/{id}_");
    let comment: String =
        UNIT.lines().filter_map(|line| line.strip_prefix("# ")).collect::<Vec<_>>().join(" ");
    assert!(comment.contains(&format!("{at}NAME")), "{comment}");
    assert!(comment.contains(&format!("one file each under {directory}")), "{comment}");
    assert!(comment.contains("systemctl restart cdsw-gateway"), "what a rotation takes");
    let files: Vec<&str> = EXAMPLE.split("file: ").skip(1).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        assert!(file.starts_with(&at), "{file}");
    }
}

#[test]
fn the_unit_gives_the_process_what_the_example_uses() {
    let state = format!("sqlite:/var/lib/{}/", setting("StateDirectory"));
    assert!(EXAMPLE.contains(&state), "the store lies in the unit's state directory");
    assert_eq!(setting("Type"), "notify");
    let limit: usize = setting("LimitNOFILE").parse().expect("a number");
    assert!(limit >= 4 * 1024 + 256 + 64 + 256, "connections of all listeners, and a reserve");
    let stop: u64 = setting("TimeoutStopSec").parse().expect("seconds");
    let longest = longest_stop(Duration::ZERO, Duration::from_secs(30));
    assert!(
        Duration::from_secs(stop) > longest,
        "a stop with the usual settings takes {longest:?} at most"
    );
    let page = setting("Documentation").strip_prefix("file://").expect("a file");
    let installs = |line: &str| line.starts_with("#   install ") && line.ends_with(page);
    assert!(UNIT.lines().any(installs), "nothing installs {page}");
    let started = setting("ExecStart");
    assert!(
        started.starts_with(
            "/usr/local/bin/cdsw-gateway serve --config /etc/cdsw-gateway/gateway.yaml"
        )
    );
}

#[test]
fn systemd_is_told_of_the_start_of_life_of_a_reload_and_of_the_end() {
    let site = Site::new("http://127.0.0.1:9", ON_PUSH);
    let socket = UnixDatagram::bind(site.path("notify")).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    let mut prepared = program();
    prepared.env("NOTIFY_SOCKET", site.path("notify")).env("WATCHDOG_USEC", "200000");
    let serving = Serving::with(&site, prepared);
    let told = |wanted: &str| {
        let mut buffer = [0; 4096];
        loop {
            let length =
                socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{wanted}: {error}"));
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.lines().any(|line| line == wanted) {
                return text;
            }
        }
    };
    let ready = told("READY=1");
    assert!(ready.contains("STATUS=configuration "), "{ready}");
    told("WATCHDOG=1");
    told("WATCHDOG=1");
    let hangup = std::process::Command::new("kill")
        .args(["-HUP", &serving.running.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(hangup.success());
    let reloading = told("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    told("READY=1");
    assert!(serving.running.terminate().success());
    let stopping = told("STOPPING=1");
    let at_most = longest_stop(Duration::ZERO, Duration::from_secs(30)).as_micros();
    assert!(stopping.contains(&format!("EXTEND_TIMEOUT_USEC={at_most}")), "{stopping}");
}

#[test]
fn the_socket_unit_has_the_name_that_its_comment_gives_the_configuration() {
    let value = |name: &str| {
        SOCKET
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .expect("a setting")
    };
    assert!(SOCKET.contains(&format!("listen: \"systemd:{}\"", value("FileDescriptorName"))));
    assert_eq!(
        value("ListenStream"),
        "127.0.0.1:8080",
        "the address that `listen` has unless given"
    );
    assert!(!SOCKET.contains("\nAccept=yes"), "the gateway accepts by itself");
}

#[test]
fn systemd_accepts_the_units() {
    let Ok(verified) = std::process::Command::new("systemd-analyze")
        .args([
            "verify",
            "deploy/systemd/cdsw-gateway.service",
            "deploy/systemd/cdsw-gateway.socket",
        ])
        .output()
    else {
        return super::common::skip::skip("systemd-analyze");
    };
    let words = String::from_utf8_lossy(&verified.stderr);
    let about_it: Vec<&str> = words
        .lines()
        .filter(|line| line.contains("cdsw-gateway") && !line.contains("is not executable"))
        .collect();
    assert!(about_it.is_empty(), "{about_it:?}");
}
