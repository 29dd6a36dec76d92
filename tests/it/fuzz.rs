//! The fuzz targets without the fuzzer: every input that they start from, everything that the fuzzer
//! once found, and a few thousand changes of them, the same each time. `fuzz/run.sh` searches on.

#[allow(unreachable_pub, reason = "the fuzzer's own package makes them public")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use targets::seeds;

/// Changed inputs that each target is given.
const CHANGES: usize = 2_000;

/// Pieces that mean something to one parser or another.
const PIECES: [&[u8]; 24] = [
    b"\n",
    b"\0",
    b"\xff",
    b"\xc3\xa4",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"=",
    b"&",
    b"%",
    b"${{",
    b"}}",
    b"9223372036854775808",
    b"-1",
    b"1e400",
    b"sha256=",
    b"v1,",
    b"Bearer ",
    b"- ",
    b": ",
];

/// Random that is the same each time: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most.max(1) as u64).expect("below a usize")
    }

    fn span(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        let most = (bytes.len() - start).min(40);
        start..start + self.below(most + 1)
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let span = self.span(bytes);
        match self.below(6) {
            0 if !bytes.is_empty() => {
                let at = self.below(bytes.len());
                bytes[at] ^= 1 << self.below(8);
            }
            1 => drop(bytes.drain(span)),
            2 => {
                let copy = bytes[span.clone()].to_vec();
                bytes.splice(span.start..span.start, copy);
            }
            3 => {
                let piece = self.span(other);
                bytes.splice(span, other[piece].iter().copied());
            }
            4 => bytes.truncate(span.end),
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                bytes.splice(span.start..span.start, piece.iter().copied());
            }
        }
    }
}

fn try_out(target: &str, body: targets::Body, input: &[u8]) {
    let ended = catch_unwind(AssertUnwindSafe(|| body(input)));
    assert!(ended.is_ok(), "{target} fails on: {}", input.escape_ascii());
}

#[test]
fn every_target_holds_on_its_corpus_and_on_changes_of_it() {
    std::thread::scope(|scope| {
        for (target, body) in targets::TARGETS {
            scope.spawn(move || {
                let seeds = seeds::of(target);
                assert!(seeds.len() >= 3, "{target} starts from something");
                seeds.iter().for_each(|seed| try_out(target, *body, seed));
                let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
                for _ in 0..CHANGES {
                    let mut input = seeds[dice.below(seeds.len())].clone();
                    let other = &seeds[dice.below(seeds.len())];
                    for _ in 0..=dice.below(4) {
                        dice.change(&mut input, other);
                    }
                    try_out(target, *body, &input);
                }
            });
        }
    });
}

#[test]
#[ignore = "on request: fuzz/run.sh asks for the corpus"]
fn the_corpus_is_written() {
    let corpus = std::env::var_os("FUZZ_CORPUS").expect("FUZZ_CORPUS names a directory");
    for (target, _) in targets::TARGETS {
        let directory = Path::new(&corpus).join(target);
        std::fs::create_dir_all(&directory).expect("a directory");
        for (number, seed) in seeds::of(target).iter().enumerate() {
            std::fs::write(directory.join(format!("seed-{number:03}")), seed).expect("written");
        }
    }
}

#[test]
fn the_fuzzer_has_every_target_and_no_other() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names: BTreeSet<String> = targets::TARGETS.iter().map(|(name, _)| (*name).into()).collect();
    let listed: Vec<_> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    assert!(listed.is_sorted(), "{listed:?}");
    let files = std::fs::read_dir(fuzz.join("fuzz_targets")).expect("a directory");
    let stem = |entry: std::fs::DirEntry| {
        entry.path().file_stem().expect("a name").to_string_lossy().into_owned()
    };
    let files: BTreeSet<String> = files.map(|entry| stem(entry.expect("an entry"))).collect();
    assert_eq!(files, names, "fuzz/fuzz_targets has a file for each");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("a file");
    for name in names {
        let path = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&path), "fuzz/Cargo.toml lacks {name}");
    }
}
