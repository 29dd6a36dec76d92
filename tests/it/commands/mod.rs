//! The command line as people and scripts meet it: the real program, its output and its exit
//! status.

mod authorities;
mod completing;
mod ends;
mod explained;
mod health;
mod hostile;
mod lists;
mod offline;
mod on_a_terminal;
mod operating;
mod saved;
mod sending;
mod snippets;
mod stage;
mod terminal;
mod watching;

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;

use crate::common;
use crate::common::process::program;

/// What a command printed, and how it ended.
pub(crate) struct Ended {
    arguments: String,
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Its standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|fault| panic!("{fault}: {self}"))
    }

    /// Itself, when it ended so.
    #[track_caller]
    pub(crate) fn with(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }
}

/// As a snapshot shows it: whatever differs from one time to the next is replaced by its name.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ cdsw-gateway {}", redacted(&self.arguments))?;
        write!(f, "{}", redacted(&self.stdout))?;
        if !self.stderr.is_empty() {
            write!(f, "--- standard error ---\n{}", redacted(&self.stderr))?;
        }
        writeln!(f, "--- exit status {} ---", self.status)
    }
}

/// Runs the program here, with these arguments and nothing on standard input.
pub(crate) fn run(directory: &Path, arguments: &[&str]) -> Ended {
    run_with(directory, arguments, "", |_| {})
}

/// The same with standard input, and with the command prepared.
pub(crate) fn run_with(
    directory: &Path,
    arguments: &[&str],
    input: &str,
    prepare: impl FnOnce(&mut Command),
) -> Ended {
    let mut command = program();
    command.args(arguments).current_dir(directory);
    prepare(&mut command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that reads no input may have gone before it is written.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended {
        arguments: arguments.join(" "),
        status: output.status.code().expect("it ended by itself"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The text with ids, times, addresses and paths replaced by their names.
fn redacted(text: &str) -> String {
    static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"),
            (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z", "yyyy-mm-dd hh:mm:ssZ"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
            (r"(/private)?/[^ :]*/\.tmp[A-Za-z0-9]{6}", "[site]"),
            (r", \d+ ms", ", [n] ms"),
            (r"configuration [0-9a-f]{12}", "configuration [version]"),
        ]
        .into_iter()
        .map(|(pattern, name)| (Regex::new(pattern).expect("a pattern"), name))
        .collect()
    });
    VARYING.iter().fold(text.to_owned(), |text, (pattern, name)| {
        pattern.replace_all(&text, *name).into_owned()
    })
}
