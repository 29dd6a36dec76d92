//! The soak: load, faults of every kind, kills, a clock that is stepped; and then a checker that
//! holds what the load was told against the store and the workbench's log. `tests/soak.sh` runs it.
//!
//! A program of its own, so that nothing else runs beside it: it takes all the machine for as long as
//! it is told.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    reason = "a test binary has no readers from environs, and says what it saw"
)]

#[path = "../common/mod.rs"]
mod common;

mod check;
mod faults;
mod load;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use cdsw_gateway::random::{Random, SeededRandom};
use cdsw_gateway::simulator::Simulator;
use common::process::{Serving, program};
use common::{ADMIN_TOKEN, HOLD_AND_RETRY as ROUTES, Site};
use load::Load;

/// Steps of the clock, in seconds.
const STEPS: [i64; 7] = [-5400, -90, -2, 0, 3, 120, 7200];
/// Longest life of one process, in milliseconds.
const LIFE: u128 = 4000;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[ignore = "on request: tests/soak.sh says how long, and runs it"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled_while_everything_goes_wrong() {
    let (seconds, seed) = (number("SOAK_SECONDS", 10), number("SOAK_SEED", 1));
    println!("{seconds} s with seed {seed}");
    let random = SeededRandom::new(seed);
    let mut options = common::simulator_options();
    (options.remembered, options.seed) = (10_000_000, seed);
    let simulator = Simulator::start(options).await.expect("starts");
    for rule in faults::everything() {
        simulator.add_fault(rule);
    }
    let site = site(&simulator);
    let load = Load::new(&site, seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut kills, mut steps) = (0, 0);
    while Instant::now() < end {
        let offset = STEPS[pick(&random, STEPS.len())];
        step(&site, offset);
        let serving = Serving::with(&site, stepped(&site));
        let round = load.start(&serving.hooks, kills);
        let life = Duration::from_millis(u64::try_from(300 + random.bits() % LIFE).expect("small"));
        // The clock is stepped in the middle of a life, too.
        tokio::time::sleep(life / 2).await;
        step(&site, STEPS[pick(&random, STEPS.len())]);
        steps += 2;
        go_on(&serving).await;
        tokio::time::sleep(life / 2).await;
        serving.kill();
        drop(round);
        kills += 1;
        if kills.is_multiple_of(20) {
            println!("{kills} kills, {} started", simulator.runs().len());
        }
    }
    // In peace: what waits is started, and the program ends as it should. Nothing is due later than
    // the latest time that there was.
    simulator.clear_faults();
    step(&site, STEPS[STEPS.len() - 1] + 60);
    let serving = Serving::with(&site, stepped(&site));
    go_on(&serving).await;
    serving.settled().await;
    let status = serving.running.terminate();
    assert!(status.success(), "{status}");
    println!("seed {seed}: {kills} kills, {steps} steps of the clock");
    println!("{}", check::check(&load.told(), &site.path("gateway.db"), &simulator));
}

fn site(simulator: &Simulator) -> Site {
    let bench = "    connect_timeout: 1s\n    timeout: 1s\n    circuit_breaker: { open_for: 1s, open_for_at_most: 2s }";
    let site = Site::with(&simulator.api_url(), ROUTES, "", bench);
    let text = std::fs::read_to_string(site.config()).expect("read");
    let brisk = "    retry: { first: 100ms, max: 1s }\n    starts_at_once: 64\n    resume_per_minute: 100000";
    let text = text.replace("    retry: { first: 1s, max: 60s }", brisk);
    site.write_config(&text);
    site
}

fn pick(random: &SeededRandom, of: usize) -> usize {
    usize::try_from(random.bits() % of as u128).expect("smaller than `of`")
}

/// What the gateway's clock shows from now on: the real time and so many seconds.
fn step(site: &Site, seconds: i64) {
    // Replaced whole, so that nobody reads half of it.
    let next = site.path("clock.next");
    std::fs::write(&next, format!("{seconds:+}\n")).expect("written");
    std::fs::rename(next, site.path("clock")).expect("replaced");
}

/// The program with a clock that can be stepped from here: libfaketime in front of the C library.
fn stepped(site: &Site) -> Command {
    let library =
        std::env::var_os("LIBFAKETIME").map(PathBuf::from).expect("tests/soak.sh sets it");
    let mut program = program();
    program
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", site.path("clock"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    program
}

/// A person lets go on what rests after a 401.
async fn go_on(serving: &Serving) {
    let address = format!("http://{}/api/resume", serving.admin);
    let ask = serde_json::json!({ "kind": "key", "name": "main/alice" });
    let request = common::client().post(address).bearer_auth(ADMIN_TOKEN).json(&ask);
    let answer = request.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
}
