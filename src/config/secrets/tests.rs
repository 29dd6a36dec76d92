//! Tests of the resolver, with real files and programs. The test moves the clock. A program waits
//! at a named pipe until the test opens it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{MOST, Program, SecretFault, SecretRef, SecretResolver, command};
use crate::model::Secret;

/// A resolver, and the clock that it uses.
struct Stage {
    resolver: SecretResolver,
    passed: Arc<Mutex<Duration>>,
    directory: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let passed = Arc::new(Mutex::new(Duration::ZERO));
        let (began, moved) = (Instant::now(), Arc::clone(&passed));
        let resolver = SecretResolver::timed(move || began + *moved.lock().expect("whole"));
        Self { resolver, passed, directory: tempfile::tempdir().expect("a directory") }
    }

    fn advance(&self, by: Duration) {
        *self.passed.lock().expect("whole") += by;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    fn file(&self, name: &str) -> SecretRef {
        SecretRef::File(self.path(name))
    }

    /// A shell command that runs in the directory.
    fn shell(&self, script: &str) -> SecretRef {
        let script = format!("cd '{}'; {script}", self.directory.path().display());
        self.program(&["sh", "-c", &script], &[])
    }

    fn program(&self, words: &[&str], pass_env: &[&str]) -> SecretRef {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        SecretRef::Command(Program { words: owned(words), pass_env: owned(pass_env) })
    }

    /// How often the program recorded that it ran.
    fn runs(&self) -> usize {
        std::fs::read_to_string(self.path("runs")).unwrap_or_default().lines().count()
    }

    async fn text(&self, reference: &SecretRef) -> Result<String, String> {
        text(self.resolver.resolve(reference).await)
    }
}

fn text(answer: Result<Secret, SecretFault>) -> Result<String, String> {
    answer
        .map(|secret| String::from_utf8_lossy(secret.expose()).into_owned())
        .map_err(|fault| fault.to_string())
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("it runs").success());
}

#[tokio::test]
async fn a_file_is_looked_at_once_a_second_and_loses_one_line_end() {
    let stage = Stage::new();
    stage.write("key", "one\n\n");
    let key = stage.file("key");
    assert_eq!(stage.text(&key).await, Ok("one\n".to_owned()));
    stage.write("key", "second");
    assert_eq!(stage.text(&key).await, Ok("one\n".to_owned()));
    stage.advance(Duration::from_secs(1));
    assert_eq!(stage.text(&key).await, Ok("second".to_owned()));
    stage.write("key", "\n");
    stage.resolver.refresh().expect("no programs");
    let fault = stage.text(&key).await.expect_err("empty");
    assert!(fault.ends_with("key is empty"), "{fault}");
    std::fs::remove_file(stage.path("key")).expect("removed");
    stage.advance(Duration::from_secs(1));
    let fault = stage.text(&key).await.expect_err("gone");
    assert!(fault.contains("cannot be read"), "{fault}");
    stage.write("key", &"x".repeat(usize::try_from(MOST).expect("small") + 1));
    stage.advance(Duration::from_secs(1));
    let fault = stage.text(&key).await.expect_err("too long");
    assert!(fault.ends_with("is longer than 65536 bytes"), "{fault}");
}

#[tokio::test]
async fn what_is_missing_is_named_and_not_shown() {
    let stage = Stage::new();
    let fault = stage.text(&SecretRef::Env("CDSW_GATEWAY_NOT_SET".to_owned())).await;
    let words = "the secret in environment variable CDSW_GATEWAY_NOT_SET is not set";
    assert_eq!(fault, Err(words.to_owned()));
}

#[tokio::test]
async fn a_program_is_run_once_and_its_failure_is_kept_and_does_not_show_its_words() {
    let stage = Stage::new();
    let good = stage.shell("echo run >>runs; echo abc");
    for _ in 0..3 {
        assert_eq!(stage.text(&good).await, Ok("abc".to_owned()));
        stage.advance(Duration::from_secs(3600));
    }
    assert_eq!(stage.runs(), 1);
    let bad = stage.shell("echo run >>runs; echo hunter2; exit 3");
    for _ in 0..2 {
        let fault = stage.text(&bad).await.expect_err("fails");
        assert!(fault.contains("command sh") && !fault.contains("hunter2"), "{fault}");
        stage.advance(Duration::from_secs(9));
    }
    assert_eq!(stage.runs(), 2, "a failure is kept for ten seconds");
    assert!(stage.text(&bad).await.is_err());
    assert_eq!(stage.runs(), 3);
    assert!(!format!("{:?}", stage.resolver).contains("abc"));
}

#[tokio::test]
async fn a_program_that_fails_later_leaves_what_it_printed_before() {
    let stage = Stage::new();
    stage.write("printed", "abc");
    let program = stage.shell("cat printed");
    assert_eq!(stage.text(&program).await, Ok("abc".to_owned()));
    std::fs::remove_file(stage.path("printed")).expect("removed");
    assert_eq!(stage.resolver.refresh().expect_err("cat fails").len(), 1);
    assert_eq!(stage.text(&program).await, Ok("abc".to_owned()));
    stage.write("printed", "def");
    stage.resolver.refresh().expect("it prints again");
    assert_eq!(stage.text(&program).await, Ok("def".to_owned()));
    stage.write("printed", "ghi");
    stage.resolver.forget(&program);
    assert_eq!(stage.text(&program).await, Ok("ghi".to_owned()));
}

#[tokio::test]
async fn whoever_asks_while_a_program_runs_shares_its_answer() {
    let stage = Stage::new();
    pipe(&stage.path("pipe"));
    let program = stage.shell("echo run >>runs; cat pipe");
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let pending = stage.resolver.begin(&program);
            tokio::spawn(async move { text(pending.answer().await) })
        })
        .collect();
    // Another secret is not delayed.
    stage.write("other", "at once");
    assert_eq!(stage.text(&stage.file("other")).await, Ok("at once".to_owned()));
    assert!(asking.iter().all(|asked| !asked.is_finished()));
    stage.write("pipe", "abc");
    for asked in asking {
        assert_eq!(asked.await.expect("whole"), Ok("abc".to_owned()));
    }
    assert_eq!(stage.text(&program).await, Ok("abc".to_owned()));
    assert_eq!(stage.runs(), 1);
}

#[tokio::test]
async fn what_was_begun_before_everything_is_looked_at_again_is_not_kept() {
    let stage = Stage::new();
    pipe(&stage.path("pipe"));
    stage.write("first", "");
    let program = stage.shell("if [ -e first ]; then rm first; cat pipe; else echo new; fi");
    let before = stage.resolver.begin(&program);
    // Once the pipe can be opened for writing, the program is reading from it.
    let pipe = std::fs::OpenOptions::new().write(true).open(stage.path("pipe"));
    stage.resolver.refresh().expect("no program has ended yet");
    assert_eq!(stage.text(&program).await, Ok("new".to_owned()));
    std::io::Write::write_all(&mut pipe.expect("opened"), b"old").expect("written");
    assert_eq!(text(before.answer().await), Ok("old".to_owned()));
    assert_eq!(stage.text(&program).await, Ok("new".to_owned()));
}

#[test]
fn a_program_that_takes_too_long_is_stopped() {
    let stage = Stage::new();
    pipe(&stage.path("pipe"));
    let words = vec!["cat".to_owned(), stage.path("pipe").display().to_string()];
    let program = Program { words, pass_env: Vec::new() };
    let fault = command::run(&program, Duration::from_millis(1)).expect_err("it hangs");
    assert_eq!(fault, "cannot be had: the program took longer than 1 ms");
}

#[tokio::test]
async fn a_program_gets_a_few_variables_and_those_that_are_named() {
    let stage = Stage::new();
    // Cargo sets these for the tests. They stand for the secrets of other references.
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok() && std::env::var("CARGO_PKG_NAME").is_ok());
    let names = |printed: &str| {
        let names = printed.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names
    };
    let bare = stage.text(&stage.program(&["env"], &[])).await.expect("it prints");
    let few = ["HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ"];
    assert!(names(&bare).iter().all(|name| few.contains(&name.as_str())), "{bare}");
    let named = stage.program(&["env"], &["CARGO_PKG_NAME", "CDSW_GATEWAY_NOT_SET"]);
    let more = stage.text(&named).await.expect("it prints");
    assert!(more.contains("CARGO_PKG_NAME=cdsw-gateway"), "{more}");
    assert!(!more.contains("CARGO_MANIFEST_DIR") && !more.contains("NOT_SET"), "{more}");
}

#[tokio::test]
async fn a_program_that_fails_is_said_to_get_few_variables() {
    let stage = Stage::new();
    let fault = stage.text(&stage.program(&["false"], &[])).await.expect_err("fails");
    assert!(fault.contains("name what else it needs in `pass_env`"), "{fault}");
}
