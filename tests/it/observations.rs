//! What happens is told in one place: no module logs or counts beside `src/observe`.

use std::fs;
use std::path::{Path, PathBuf};

/// The one place that writes lines and counts.
const OBSERVE: &str = "src/observe";

/// Files that may say one of the words below, and why.
const ALLOWED: [(&str, &str, &str); 1] = [(
    "src/failpoint.rs",
    "println!",
    "tells a test where the program stops; no program for use has it",
)];

/// What no other file may say.
const FORBIDDEN: [&str; 15] = [
    "tracing::",
    "info!(",
    "warn!(",
    "error!(",
    "debug!(",
    "trace!(",
    "event!(",
    "eprintln!",
    "println!",
    "observe::log",
    "prometheus_client",
    ".inc()",
    ".inc_by(",
    ".dec()",
    ".observe(",
];

#[test]
fn no_module_logs_or_counts_beside_the_observer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut files = 0;
    for file in sources(root.join("src")) {
        let name = file.strip_prefix(root).expect("below the root").display().to_string();
        if name.starts_with(OBSERVE) {
            continue;
        }
        files += 1;
        let text = fs::read_to_string(&file).expect("a source file");
        // Tests at a file's end may use what they like.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let allowed =
                |word: &str| ALLOWED.iter().any(|(file, of, _)| *file == name && *of == word);
            for word in FORBIDDEN.iter().filter(|word| code.contains(**word) && !allowed(word)) {
                found.push(format!("{name}:{}: {word}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(files > 100, "only {files} files were looked at");
    assert!(found.is_empty(), "tell the observer of it instead:\n{}", found.join("\n"));
}

#[test]
fn what_is_allowed_elsewhere_is_still_needed() {
    for (file, word, why) in ALLOWED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(word), "{file} needs no leave to say {word} ({why})");
    }
}

fn sources(root: PathBuf) -> Vec<PathBuf> {
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
