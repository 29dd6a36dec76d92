//! Plants texts that could be secrets in every place of real configuration files, each together with a
//! fault somewhere, and looks for them in everything that is reported.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::config::Live;

/// Texts that could be secrets, in several shapes. None is a lawful name.
const CANARIES: [&str; 9] = [
    "q83v+EjRVnmJmrze8BI0VniavN7wEjRWeJq83vAS",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "APIKEY-4F2A9C7731D8B0E5",
    "hunter2-Xy",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlMTIz",
    "Tr0ub4dor&3",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
];

/// Texts that could be secrets and have the characters and the length of names, as tokens of services do: a word in
/// front, and a random rest; or groups of one length.
const NAMED: [&str; 10] = [
    "APIKEY-8f3a9c77b1d0",
    "apikey-8f3a9c77b1d0",
    "sk-live-4ec39hqlyjwdarjt1zdp7dc2",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "glpat-x7Kq2vRt9bWm4sLpYc3e",
    "8f3a9c77b1d04e5f8f3a9c77b1d04e5f",
    "npm_k3v9x2q7w8z1m4n6b5c0d3f7g2h8j1l4",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "ABCD-EFGH-IJOL-MNOP",
    "4F2A-9C77-31D8-B0E5",
];

/// How a canary is put into a file: `C` is the canary, `W` the word that it takes the place of, or stands at.
const PLANTED: [&str; 16] = [
    "C",
    "\"C\"",
    "'C'",
    "[C]",
    "{ C: W }",
    "{ W: C }",
    "W C",
    "C W",
    "W: C",
    "C: W",
    "W # C",
    "\tC",
    "\"W == \\\"C\\\"\"",
    "|\n        C\n",
    "|\n        -----BEGIN PRIVATE KEY-----\n        C\n        -----END PRIVATE KEY-----\n",
    "!C &C *C",
];

/// Faults that are added elsewhere in the file, at the end of one of its lines.
const FAULTS: [&str; 9] =
    ["", " ]", " }", " \"", "\n\tx: 1", "\n  unknown: 1", "\nrotues: {}", ": :", " boddy"];

/// Every configuration of the project, and every block of YAML in its documents.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    for directory in ["config", "config/examples", "config/routes.d", "tests/config", "docs", "."] {
        for entry in std::fs::read_dir(project(directory)).expect("a directory") {
            let path = entry.expect("an entry").path();
            let kind = path.extension().and_then(|ext| ext.to_str()).unwrap_or_default();
            if !matches!(kind, "yaml" | "md") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("text");
            match kind {
                "yaml" => found.push(text),
                _ => found.extend(text.split("```yaml\n").skip(1).filter_map(|rest| {
                    rest.split("\n```").next().map(|block| format!("{block}\n"))
                })),
            }
        }
    }
    found
}

/// The words of a file: where a canary may be planted.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let part = c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
        match (part, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// Everything that is said of a configuration: as text, for scripts, in the log, and by `Debug`.
fn said(site: &Site) -> String {
    let (report, _) = site.check();
    let json = serde_json::to_string(&report).expect("serializes");
    let mut said = format!("{}\n{json}\n{report:?}\n", report.render(true));
    for fault in report.faults.iter().chain(&report.warnings) {
        said.push_str(&format!("{fault}\n"));
    }
    match Live::start(&site.path()) {
        Ok(live) => {
            said.push_str(&live.last_report().render(false));
            // What a secret that cannot be read is called in the log.
            for source in live.plan().sources.values() {
                for reference in &source.secrets {
                    said.push_str(&format!("{reference}\n"));
                }
            }
            for bench in live.plan().workbenches.values() {
                said.push_str(&format!("{:?}\n", bench.api_keys.values().collect::<Vec<_>>()));
            }
        }
        Err(report) => said.push_str(&report.render(false)),
    }
    said
}

/// The canary may be cut into pieces by the syntax of a language, but no long piece of it may be left.
fn shows(said: &str, canary: &str) -> bool {
    let pieces = canary.as_bytes().windows(canary.len().min(9));
    let mut pieces = pieces.filter_map(|piece| std::str::from_utf8(piece).ok());
    pieces.any(|piece| said.contains(piece))
}

fn planted(file: &str, at: usize, form: &str, canary: &str, fault: (usize, &str)) -> String {
    let words = words(file);
    let place = words[at % words.len()].clone();
    let word = &file[place.clone()];
    let mut text = file.to_owned();
    text.replace_range(place, &form.replace('W', word).replace('C', canary));
    let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end).collect();
    if !ends.is_empty() {
        text.insert_str(ends[fault.0 % ends.len()], fault.1);
    }
    text
}

fn look(site: &Site, canary: &str) {
    let said = said(site);
    assert!(!shows(&said, canary), "{canary} is shown:\n{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]
    #[test]
    fn no_secret_that_stands_anywhere_in_a_configuration_is_reported(
        file in any::<prop::sample::Index>(),
        at in any::<usize>(),
        form in prop::sample::select(&PLANTED[..]),
        canary in prop::sample::select([&CANARIES[..], &NAMED[..]].concat()),
        line in any::<usize>(),
        fault in prop::sample::select(&FAULTS[..]),
        of_routes in any::<bool>(),
    ) {
        let files = files();
        let text = planted(&files[file.index(files.len())], at, form, canary, (line, fault));
        let site = if of_routes { Site::new(GOOD) } else { Site::new(&text) };
        if of_routes {
            site.write("routes.d/team.yaml", &text);
        }
        look(&site, canary);
    }
}

#[test]
fn every_word_of_the_small_configuration_may_be_a_secret() {
    let seen = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        // One canary of each class: of a service, of a person, with punctuation of base64, and shaped like a name.
        for canary in [CANARIES[0], CANARIES[2], CANARIES[3], NAMED[1], NAMED[2], NAMED[9]] {
            let seen = &seen;
            scope.spawn(move || {
                for at in 0..words(GOOD).len() {
                    for form in PLANTED {
                        look(&Site::new(&planted(GOOD, at, form, canary, (0, ""))), canary);
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(seen.into_inner() > 1000);
}

#[test]
fn a_file_that_is_not_a_configuration_is_never_quoted() {
    for canary in CANARIES.into_iter().chain(["swordfish", "correct horse battery"]) {
        for whole in [
            "C",
            "C\n",
            "\tC",
            "# C",
            "- C",
            "[C]",
            "{ C",
            "C: C",
            "alice: C",
            "alice: [C",
            "root:*:20228:0:99999:7:::\nC:*:20228:0:99999:7:::\n",
            "-----BEGIN PRIVATE KEY-----\nC\n-----END PRIVATE KEY-----\n",
            "export TOKEN=C\n",
            "\"C",
            "? C",
            "!!C x",
            "*C",
            "---\nC\n---\nC",
        ] {
            let text = whole.replace('C', canary);
            let main = Site::new(&text);
            look(&main, canary);
            let routes = Site::new(GOOD);
            routes.write("routes.d/link.yaml", &text);
            look(&routes, canary);
            let (report, _) = routes.check();
            assert!(report.faults.iter().all(|fault| fault.excerpt.is_none()), "{report}");
        }
    }
}
