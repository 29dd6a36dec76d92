//! The same commands on a real terminal (a pseudo-terminal of a given size) and into a pipe: what fits, and where
//! there is colour.

use std::process::{Command, Output};

use super::stage::{ROUTES, Stage};
use crate::common::ADMIN_TOKEN;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/commands/on_a_terminal.py");

const LISTS: [&[&str]; 12] = [
    &["jobs", "list"],
    &["routes", "list"],
    &["sources", "list"],
    &["keys", "list"],
    &["workbenches", "list"],
    &["runs", "list"],
    &["deliveries", "list"],
    &["deliveries", "refused"],
    &["jobs", "paused"],
    &["audit"],
    &["secrets"],
    &["providers"],
];

/// Runs a command on a terminal of this many columns.
fn on_terminal(stage: &Stage, columns: &str, arguments: &[&str], env: &[(&str, &str)]) -> String {
    let mut command = Command::new("python3");
    command
        .args([SCRIPT, columns, "24", env!("CARGO_BIN_EXE_cdsw-gateway")])
        .args(arguments)
        .current_dir(stage.directory())
        .env_remove("COLUMNS")
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .env("CDSW_GATEWAY_URL", format!("http://{}", stage.gateway.admin))
        .env("CDSW_GATEWAY_TOKEN", ADMIN_TOKEN)
        .envs(env.iter().copied());
    let Output { status, stdout, stderr } = command.output().expect("python3 runs");
    let text = String::from_utf8(stdout).expect("UTF-8");
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{arguments:?}: {status}\n{text}\n{said}");
    text.replace("\r\n", "\n")
}

/// The text without the codes of colours.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, code)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = code.split_once('m').expect("a code of a colour").1;
    }
    plain + rest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_list_is_wider_than_the_terminal_and_colour_is_for_terminals_alone() {
    let stage = Stage::new(ROUTES);
    stage.push("held", "held").await;
    stage.push("started", "started").await;
    let note = "the cluster is being upgraded this week, and nobody knows when it comes back";
    stage.run(&["jobs", "pause", "retrain", "--note", note]).with(0);
    stage.send(&["--id", "waits"]).with(0);
    stage.send(&["--id", "x", "--wrong-secret"]).with(1);
    let routes = plain(&on_terminal(&stage, "80", &["routes", "list"], &[]));
    assert!(routes.contains(" gateway.yaml:"), "the file and line are whole: {routes}");
    for arguments in LISTS {
        for columns in [80, 120] {
            let shown = on_terminal(&stage, &columns.to_string(), arguments, &[]);
            assert!(shown.contains("\u{1b}["), "{arguments:?} has a colour:\n{shown}");
            for line in plain(&shown).lines() {
                let width = line.chars().count();
                assert!(width <= columns, "{arguments:?}: {width} of {columns} columns: {line}");
            }
        }
        for quiet in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let shown = on_terminal(&stage, "80", arguments, &[quiet]);
            assert!(!shown.contains('\u{1b}'), "{arguments:?} with {quiet:?}:\n{shown}");
        }
        let piped = stage.run(arguments).with(0);
        assert!(!piped.stdout.contains('\u{1b}') && !piped.stdout.contains('…'), "{piped}");
    }
}

/// What is told of one thing, in words that may be long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_of_one_thing_go_on_below_and_no_word_is_lost() {
    let stage = Stage::new(ROUTES);
    let (delivery, _) = stage.push("started", "started").await;
    let payload = concat!(env!("CARGO_MANIFEST_DIR"), "/src/providers/samples/github-push.json");
    let shown: [&[&str]; 3] =
        [&["deliveries", "show", &delivery], &["explain", "github", payload], &["doctor"]];
    for arguments in shown {
        let piped = stage.run(arguments).with(0).stdout;
        for columns in [80, 120] {
            let text = plain(&on_terminal(&stage, &columns.to_string(), arguments, &[]));
            fits(&text, columns, arguments);
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            for line in piped.lines().filter(|line| line.contains("branch: wanted")) {
                assert!(words(&text).contains(&words(line)), "{line}\n{text}");
            }
        }
        let dumb = on_terminal(&stage, "80", arguments, &[("TERM", "dumb")]);
        assert!(!dumb.contains('\u{1b}'), "{arguments:?}:\n{dumb}");
    }
}

/// Only ids, addresses and paths, which cannot be divided, may be longer than a line.
fn fits(text: &str, columns: usize, arguments: &[&str]) {
    for line in text.lines() {
        let width = line.chars().count();
        let longest = line.split(' ').map(|word| word.chars().count()).max().unwrap_or_default();
        assert!(width <= columns || longest > 40, "{arguments:?}: {width} of {columns}: {line}");
    }
}

/// A faulty file ends `check` with 3, which the terminal's script passes on; what it says fits all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_a_file_fit_the_terminal_and_are_underlined_where_they_stand() {
    let stage = Stage::new(ROUTES);
    let faulty = stage.directory().join("faulty.yaml");
    std::fs::write(&faulty, include_str!("faulty.yaml")).expect("written");
    for columns in ["80", "120"] {
        let mut command = Command::new("python3");
        command.args([SCRIPT, columns, "24", env!("CARGO_BIN_EXE_cdsw-gateway")]);
        command.args(["check", "--config", "faulty.yaml"]).current_dir(stage.directory());
        command.env_remove("COLUMNS").env_remove("NO_COLOR").env("TERM", "xterm-256color");
        let output = command.output().expect("python3 runs");
        assert_eq!(output.status.code(), Some(3));
        let text = plain(&String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n"));
        fits(&text, columns.parse().expect("a number"), &["check"]);
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| line.contains("brunch:")).expect("the fault");
        let [above, below] = [lines[at], lines[at + 1]];
        let start = below.find('^').expect("underlined");
        let marked: String = above.chars().skip(start).take(below.matches('^').count()).collect();
        assert_eq!(marked, "brunch", "{text}");
    }
}
