//! Runs the program that prints a secret, with no shell, no input, a time limit and bounded output. It
//! gets a few variables of the gateway's environment and not all of them: other secrets may be in it.
//! It blocks, so only threads for blocking work may call it.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{MOST, Program};
use crate::model::length;

/// How long a program may run.
pub(super) const TIME: Duration = Duration::from_secs(10);
/// How long its output may stay open after it has ended.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Variables that every program gets: without them, many programs do not start or find no files.
pub(super) const ENVIRONMENT: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// The output of the program, or an error in words. Its standard error is discarded, because it may
/// contain anything.
pub(super) fn run(program: &Program, limit: Duration) -> Result<Zeroizing<Vec<u8>>, String> {
    let (name, arguments) = program.words.split_first().ok_or("names no program")?;
    let passed = ENVIRONMENT.into_iter().chain(program.pass_env.iter().map(String::as_str));
    // The standard library opens every file and socket so that children do not inherit it.
    let mut child = Command::new(name)
        .args(arguments)
        .env_clear()
        .envs(passed.filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot be had: the program does not start: {error}"))?;
    let stdout = child.stdout.take();
    // Output is read while waiting. Otherwise a program that prints more than a pipe holds would
    // never end.
    let reading = std::thread::spawn(move || {
        let mut printed = Zeroizing::new(Vec::new());
        if let Some(stdout) = stdout {
            stdout.take(MOST + 1).read_to_end(&mut printed)?;
        }
        Ok::<_, std::io::Error>(printed)
    });
    wait(&mut child, limit, || without(program))?;
    // A grandchild process may still hold the pipe open. It gets only this much more time.
    let until = Instant::now() + GRACE;
    while !reading.is_finished() {
        if Instant::now() > until {
            return Err("cannot be had: the program left its output open".to_owned());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let printed = reading
        .join()
        .map_err(|_| "cannot be had: the output could not be read".to_owned())?
        .map_err(|error| format!("cannot be had: the output could not be read: {error}"))?;
    if printed.len() as u64 > MOST {
        return Err(format!("is longer than {MOST} bytes"));
    }
    Ok(printed)
}

/// What a program that failed may have missed. Earlier versions passed the whole environment on.
fn without(program: &Program) -> String {
    let given = match &program.pass_env[..] {
        [] => "it got no variable but PATH, HOME, LANG, LC_ALL, TZ and TMPDIR".to_owned(),
        names => format!(
            "beside PATH, HOME, LANG, LC_ALL, TZ and TMPDIR it got {} variables",
            names.len()
        ),
    };
    format!("{given}; name what else it needs in `pass_env`")
}

fn wait(child: &mut Child, limit: Duration, hint: impl Fn() -> String) -> Result<(), String> {
    let until = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => {
                return Err(format!("cannot be had: the program ended with {status} ({})", hint()));
            }
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                // The program may have ended by itself. Then the error of `kill` means nothing.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!(
                    "cannot be had: the program took longer than {}",
                    length(limit)
                ));
            }
            Err(error) => return Err(format!("cannot be had: {error}")),
        }
    }
}
