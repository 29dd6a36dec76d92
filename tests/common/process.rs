//! The real program, as a process that does not outlive the test.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use super::Site;

/// The program, to be given arguments.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdsw-gateway"));
    // Whatever of the environment would change what it does or how it looks.
    for name in ["CONFIG", "HEALTH", "URL", "TOKEN", "TOKEN_FILE", "LOG", "LOG_FORMAT"] {
        command.env_remove(format!("CDSW_GATEWAY_{name}"));
    }
    command.env_remove("COLUMNS").env_remove("WORKBENCH_KEY").env("NO_COLOR", "1");
    command
}

/// A process that is killed, by its id, when nobody needs it any more.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// The next line of its standard output.
    pub fn line(&mut self) -> String {
        self.lines.next().expect("one more line").expect("text")
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits until it has.
    pub fn terminate(self) -> ExitStatus {
        self.ask_to_stop();
        self.wait()
    }

    /// Sends SIGTERM.
    pub fn ask_to_stop(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for its end.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A gateway as a process.
pub struct Serving {
    pub running: Running,
    pub hooks: String,
    pub admin: String,
}

impl Serving {
    /// Ends when nothing is queued or on the wire any more; looks again and again.
    pub async fn settled(&self) {
        let client = super::client();
        let address = format!("http://{}/metrics", self.admin);
        loop {
            let text = client.get(&address).send().await.expect("metrics").text().await;
            let text = text.expect("text");
            let none =
                |state: &str| text.contains(&format!("cdsw_gateway_runs{{state=\"{state}\"}} 0"));
            if none("queued") && none("sending") && none("waiting") {
                return;
            }
        }
    }

    /// The address of its health listener. Asked once, where the configuration has one.
    pub fn health(&mut self) -> String {
        self.running.line().strip_prefix("health ").expect("in this order").to_owned()
    }

    /// SIGKILL, and its end.
    pub fn kill(self) {
        drop(self.running);
    }

    /// Starts it on a site; ends when it listens.
    pub fn on(site: &Site) -> Self {
        Self::with(site, program())
    }

    /// The same with a program that was prepared.
    pub fn with(site: &Site, mut program: Command) -> Self {
        let mut running = Running::start(
            program
                .args(["serve", "--print-addresses", "--log", "error", "--config"])
                .arg(site.config()),
        );
        let mut address = |word: &str| {
            let line = running.line();
            line.strip_prefix(word).expect("in this order").to_owned()
        };
        let (hooks, admin) = (address("hooks "), address("admin "));
        Self { running, hooks, admin }
    }
}
