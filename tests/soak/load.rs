//! The load: `wrk`, and what it was told.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::common::{Site, github_signature, no_push};

pub struct Load {
    directory: PathBuf,
    seed: u64,
}

/// A wrk that runs.
pub struct Round(Child);

/// Everything that the load was told.
#[derive(Default)]
pub struct Told {
    /// The answers 2xx.
    pub accepted: Vec<Value>,
    /// All others, by status.
    pub refused: std::collections::BTreeMap<String, u64>,
}

impl Load {
    pub fn new(site: &Site, seed: u64) -> Self {
        let directory = site.path("load");
        std::fs::create_dir(&directory).expect("a directory");
        std::fs::write(directory.join("body"), no_push()).expect("written");
        Self { directory, seed }
    }

    /// Begins to send; ends by itself after a while if it is not stopped.
    pub fn start(&self, hooks: &str, round: u64) -> Round {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/soak/load.lua");
        let child = Command::new("wrk")
            .args([
                "--threads",
                "2",
                "--connections",
                "16",
                "--duration",
                "30s",
                "--script",
                script,
            ])
            .arg(format!("http://{hooks}/hooks/github"))
            .arg("--")
            .arg(&self.directory)
            .arg(round.to_string())
            .arg(github_signature(no_push().as_bytes()))
            .arg(self.directory.join("body"))
            .arg((self.seed % 1_000_000 + round).to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("wrk starts");
        Round(child)
    }

    /// What all rounds were told.
    ///
    /// # Panics
    /// Where an answer 2xx is not what it should be.
    pub fn told(&self) -> Told {
        let mut told = Told::default();
        for entry in std::fs::read_dir(&self.directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("told-") {
                told.read(&std::fs::read_to_string(path).expect("text"));
            }
        }
        told
    }
}

impl Told {
    /// What one thread was told, a line each. A last line that a kill cut off was read by nobody.
    fn read(&mut self, text: &str) {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            match line.strip_prefix("! ") {
                Some(status) => *self.refused.entry(status.to_owned()).or_default() += 1,
                None => self.accepted.push(
                    serde_json::from_str(line)
                        .unwrap_or_else(|error| panic!("a 2xx that is not JSON: {error}: {line}")),
                ),
            }
        }
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_left_out_and_no_other() {
        let mut told = Told::default();
        told.read("{\"delivery\":\"a\"}\n! 503\n{\"deliv");
        assert_eq!((told.accepted.len(), told.refused["503"]), (1, 1));
    }

    #[test]
    #[should_panic(expected = "a 2xx that is not JSON")]
    fn an_answer_that_is_not_json_is_a_fault() {
        Told::default().read("\n{\"delivery\":\"a\"}\n");
    }
}
