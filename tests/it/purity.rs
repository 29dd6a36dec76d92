//! The pure modules stay pure: their sources name nothing that reads or changes the world.

use std::fs;
use std::path::{Path, PathBuf};

const PURE: [&str; 8] = [
    "src/model",
    "src/authenticate",
    "src/providers",
    "src/event",
    "src/expression",
    "src/matching",
    "src/mapping",
    "src/judge.rs",
];

/// What a pure module may not say, and why.
const FORBIDDEN: [(&str, &str); 25] = [
    ("async ", "async"),
    (".await", "async"),
    ("tokio", "async and I/O"),
    ("std::fs", "files"),
    ("std::io", "I/O"),
    ("std::net", "network"),
    ("std::env", "environment"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("Timestamp::now", "the clock"),
    ("SystemTime", "the clock"),
    ("Instant::now", "the clock"),
    ("getrandom", "random"),
    ("rand::", "random"),
    ("reqwest", "network"),
    ("rusqlite", "the store"),
    ("axum", "network"),
    ("tracing", "logs"),
    ("println!", "output"),
    ("clap", "the command line"),
    ("crate::store", "a later step"),
    ("crate::receive", "a later step"),
    ("crate::dispatch", "a later step"),
    ("crate::admin", "a later step"),
    ("crate::cli", "a later step"),
];

#[test]
fn pure_modules_name_nothing_that_reads_or_changes_the_world() {
    let mut found = Vec::new();
    let mut files = 0;
    for root in PURE {
        for file in sources(Path::new(env!("CARGO_MANIFEST_DIR")).join(root)) {
            files += 1;
            let text = fs::read_to_string(&file).expect("a source file");
            // Tests at a file's end may use what they like.
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for (number, line) in code.lines().enumerate() {
                let line = line.split("//").next().unwrap_or_default();
                for (word, why) in FORBIDDEN {
                    if line.contains(word) {
                        found.push(format!(
                            "{}:{}: {why}: {}",
                            file.display(),
                            number + 1,
                            line.trim()
                        ));
                    }
                }
            }
        }
    }
    assert!(files > 30, "only {files} files were looked at");
    assert!(found.is_empty(), "pure modules must stay pure:\n{}", found.join("\n"));
}

/// Words that only name a type: an address or an error is read, and nothing is asked of the world.
const TYPES: [&str; 7] = [
    "reqwest::Url",
    "reqwest::Error",
    "std::net::{IpAddr, SocketAddr}",
    "std::net::{IpAddr, Ipv6Addr}",
    "std::net::{Ipv4Addr, Ipv6Addr}",
    "use std::io;",
    "io::Error",
];

/// How a file's head says that it is pure.
const CLAIMS: [&str; 3] = ["Pure.", "Pure:", "pure state machine"];

/// What a file says of itself holds: one whose head says `Pure` names nothing of the world either, wherever
/// it stands. It may know its own step.
#[test]
fn every_file_that_claims_to_be_pure_is() {
    let mut found = Vec::new();
    let mut claims = 0;
    for file in sources(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).expect("a source file");
        let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let is_claimed = CLAIMS.iter().any(|claim| head.contains(claim));
        let of_rules = file.to_string_lossy().contains("src/store/rules/");
        if !is_claimed && !of_rules {
            continue;
        }
        claims += 1;
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let mut line = line.split("//").next().unwrap_or_default().to_owned();
            for name in TYPES {
                line = line.replace(name, "");
            }
            for (word, why) in FORBIDDEN.iter().filter(|(_, why)| *why != "a later step") {
                if line.contains(word) {
                    found.push(format!(
                        "{}:{}: {why}: {}",
                        file.display(),
                        number + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(claims > 10, "only {claims} files claim to be pure");
    assert!(found.is_empty(), "what claims to be pure must be:\n{}", found.join("\n"));
}

#[test]
fn pure_steps_know_nothing_of_the_configuration() {
    let mut found = Vec::new();
    for root in PURE.iter().filter(|root| **root != "src/judge.rs") {
        for file in sources(Path::new(env!("CARGO_MANIFEST_DIR")).join(root)) {
            let text = fs::read_to_string(&file).expect("a source file");
            if text.contains("crate::config") {
                found.push(file.display().to_string());
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

/// The API has types of its own, so that a change of what is kept changes nothing that tools read.
#[test]
fn records_of_the_store_are_no_json_and_the_command_line_reads_none() {
    let read = |file: &PathBuf| fs::read_to_string(file).expect("a source file");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["src/store/records.rs", "src/store/requests.rs", "src/store/acts.rs"] {
        let text = read(&root.join(file));
        let derived = text.lines().find(|line| line.contains("derive(") && line.contains("ialize"));
        assert_eq!(derived, None, "{file}");
    }
    for file in sources(root.join("src/cli")) {
        let text = read(&file);
        let named =
            text.lines().find(|line| line.contains("crate::store") || line.contains("store::"));
        assert_eq!(named, None, "{}", file.display());
    }
}

fn sources(root: PathBuf) -> Vec<PathBuf> {
    if root.is_file() {
        return vec![root];
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display())) {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "tests" {
            files.extend(sources(path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(path);
        }
    }
    files
}
