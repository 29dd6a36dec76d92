//! A disk that is full, refuses to write, can only be read, or has damaged the file: a real process,
//! real file systems and limits of the kernel. Never a 2xx for what is not kept, and work goes on by
//! itself when the disk does.

use std::collections::BTreeSet;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use cdsw_gateway::model::{Outcome, RunId, RunState};
use cdsw_gateway::simulator::{Fault, FaultRule, Simulator};
use cdsw_gateway::store::sqlite::SqliteStore;
use cdsw_gateway::store::{DeliveryFilter, Store, StoreFault};
use serde_json::Value;

use crate::common::process::{Serving, program};
use crate::common::skip::skip;
use crate::common::{self, ADMIN_TOKEN, ON_PUSH, PUSH, Site, World, github_signature};

/// A small file system in memory, which is gone at the end.
struct Disk {
    place: tempfile::TempDir,
}

impl Disk {
    /// None where this machine does not let us mount one.
    fn mount(size: &str) -> Option<Self> {
        let disk = Self { place: tempfile::tempdir().expect("a directory") };
        let options = format!("size={size},mode=0700");
        let mounted = run("mount", &["-t", "tmpfs", "-o", &options, "none"], disk.place.path());
        mounted.status.success().then_some(disk)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Leaves so many bytes free.
    fn fill(&self, free: u64) {
        let mut ballast = std::fs::File::create(self.file("ballast")).expect("created");
        let piece = vec![0_u8; 4096];
        while ballast.write_all(&piece).is_ok() {}
        let length = ballast.metadata().expect("its size").len();
        ballast.set_len(length.saturating_sub(free)).expect("cut");
    }

    fn make_room(&self) {
        std::fs::remove_file(self.file("ballast")).expect("removed");
    }

    fn read_only(&self) {
        let done = run("mount", &["-o", "remount,ro"], self.place.path());
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &["--lazy"], self.place.path());
    }
}

fn run(program: &str, arguments: &[&str], place: &Path) -> Output {
    Command::new(program).args(arguments).arg(place).output().expect("it runs")
}

/// A site whose store is elsewhere.
fn site(simulator: &Simulator, store: &Path) -> Site {
    site_with(simulator, store, ON_PUSH)
}

fn site_with(simulator: &Simulator, store: &Path, routes: &str) -> Site {
    let site = Site::new(&simulator.api_url(), routes);
    let text = std::fs::read_to_string(site.config()).expect("read");
    let elsewhere = format!("store: sqlite:{}", store.display());
    site.write_config(&text.replace("store: sqlite:gateway.db", &elsewhere));
    site
}

async fn simulator() -> Simulator {
    Simulator::start(common::simulator_options()).await.expect("starts")
}

/// What a push with this id is answered.
async fn push(serving: &Serving, id: &str) -> (u16, Option<String>, Value) {
    let answer = common::client()
        .post(format!("http://{}/hooks/github", serving.hooks))
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", github_signature(PUSH.as_bytes()))
        .body(PUSH)
        .send()
        .await
        .expect("an answer");
    let rest =
        answer.headers().get("retry-after").map(|rest| rest.to_str().expect("text").to_owned());
    (answer.status().as_u16(), rest, answer.json().await.unwrap_or_default())
}

async fn readiness(serving: &Serving) -> (u16, String) {
    let request = common::client().get(format!("http://{}/readyz", serving.admin));
    let answer = request.bearer_auth(ADMIN_TOKEN).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

/// Pushes until one is refused; gives the deliveries that were accepted.
async fn push_until_refused(serving: &Serving, accepted: &mut BTreeSet<String>) {
    for number in 0..20_000 {
        let (status, rest, answer) = push(serving, &format!("{}-{number}", accepted.len())).await;
        match status {
            202 => accepted.insert(answer["delivery"].as_str().expect("an id").to_owned()),
            503 => {
                assert_eq!(rest.as_deref(), Some("5"));
                return;
            }
            other => panic!("{other}: {answer}"),
        };
    }
    panic!("the disk is never full");
}

/// Pushes until one is accepted, which a fault alone makes take long.
async fn push_until_accepted(serving: &Serving, accepted: &mut BTreeSet<String>) {
    let trying = async {
        loop {
            let (status, _, answer) = push(serving, &format!("go-on-{}", accepted.len())).await;
            if status == 202 {
                return answer["delivery"].as_str().expect("an id").to_owned();
            }
        }
    };
    let id = tokio::time::timeout(Duration::from_secs(60), trying).await.expect("it goes on");
    accepted.insert(id);
}

/// Every 2xx is kept, and nothing else is.
async fn check(store: &Path, accepted: &BTreeSet<String>) {
    let store = SqliteStore::open(store).expect("opens");
    let mut kept = BTreeSet::new();
    let mut before = None;
    loop {
        let filter = DeliveryFilter { before, limit: 200, ..DeliveryFilter::default() };
        let page = store.deliveries(filter).await.expect("read");
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        kept.extend(page.iter().map(|delivery| delivery.id.to_string()));
    }
    let lost: Vec<_> = accepted.difference(&kept).collect();
    assert!(lost.is_empty(), "answered 2xx and not kept: {lost:?}");
    assert_eq!(kept.len(), accepted.len(), "kept, and not answered 2xx");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_work_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount("8m") else {
        return skip("the right to mount a file system (root)");
    };
    let (store, simulator) = (disk.file("gateway.db"), simulator().await);
    let site = site(&simulator, &store);
    let serving = Serving::on(&site);
    let mut accepted = BTreeSet::new();
    push_until_accepted(&serving, &mut accepted).await;
    disk.fill(256 * 1024);
    // What is smaller than the delivery that was refused may still find room.
    let text = loop {
        push_until_refused(&serving, &mut accepted).await;
        let (status, text) = readiness(&serving).await;
        if status == 503 {
            break text;
        }
    };
    assert!(text.contains(&*store.to_string_lossy()), "it names the file: {text}");
    assert!(text.contains("full") && text.contains("make room"), "{text}");
    disk.make_room();
    push_until_accepted(&serving, &mut accepted).await;
    assert_eq!(readiness(&serving).await.0, 200);
    serving.settled().await;
    assert!(serving.running.terminate().success());
    check(&store, &accepted).await;
    // What could not be recorded for a while was not started again meanwhile.
    let runs: Vec<_> = simulator.runs().into_iter().map(|run| run.environment).collect();
    let once: BTreeSet<_> = runs.iter().map(|variables| &variables["GATEWAY_RUN_ID"]).collect();
    assert_eq!(once.len(), runs.len(), "a run was started twice");
}

/// A push to a job that is tried again where nobody knows.
const ON_PUSH_RETRY: &str = r"
  on-push:
    on: { source: github, event: push }
    job: report
";

/// A start whose answer comes when the disk has just become full.
async fn answered_on_a_full_disk(disk: &Disk) -> (World, RunId) {
    let simulator = simulator().await;
    simulator.add_fault(FaultRule::once(Fault::HoldAnswer));
    let site = site_with(&simulator, &disk.file("gateway.db"), ON_PUSH_RETRY);
    let world = World::on(site, simulator).await;
    let id = world.push("known").await;
    world.simulator.wait_for_requests(1).await;
    disk.fill(0);
    world.simulator.release_held();
    (world, id)
}

/// Opens a file that this process has had open: a child that another test starts just now has its
/// lock for as long as it takes to become itself.
async fn open_soon(store: &Path) -> SqliteStore {
    let opened = async {
        loop {
            match SqliteStore::open(store) {
                Ok(opened) => return opened,
                Err(StoreFault::Unusable(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), opened).await.expect("nobody has it open")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_disk_that_stays_full() {
    let Some(disk) = Disk::mount("4m") else {
        return skip("the right to mount a file system (root)");
    };
    let (world, id) = answered_on_a_full_disk(&disk).await;
    refused_once_more(&world, Duration::from_millis(500)).await;
    world.gateway.stop(Duration::from_millis(100)).await;
    disk.make_room();
    let store = open_soon(&disk.file("gateway.db")).await;
    let run = store.run(id).await.expect("read").expect("kept");
    assert_eq!(run.brief.state, RunState::Sending, "the next start settles it: {run:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_is_known_is_recorded_however_long_the_disk_is_full() {
    let Some(disk) = Disk::mount("4m") else {
        return skip("the right to mount a file system (root)");
    };
    let (world, id) = answered_on_a_full_disk(&disk).await;
    // Longer than ten seconds in steps, each of them once something was refused again; and then past
    // the end of the attempt's lease.
    for _ in 0..60 {
        refused_once_more(&world, Duration::from_millis(500)).await;
    }
    refused_once_more(&world, Duration::from_secs(60)).await;
    disk.make_room();
    let moved = async {
        while world.run(id).await.brief.state != RunState::Started {
            world.clock.advance(Duration::from_millis(500));
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), moved).await.expect("it is recorded");
    let run = world.run(id).await;
    assert_eq!(run.tries.len(), 1, "{run:#?}");
    assert_eq!(run.tries[0].outcome, Some(Outcome::Started), "{run:#?}");
    assert_eq!(world.simulator.runs().len(), 1, "it was started again");
}

/// Moves the clock on; ends when the store has refused something after that.
async fn refused_once_more(world: &World, by: Duration) {
    let faults = || world.gateway.metrics().store_faults();
    let before = faults();
    world.clock.advance(by);
    let refused = async {
        while faults() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refused).await.expect("something is refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_refuses_to_write_is_told_and_work_goes_on_when_it_writes_again() {
    let place = tempfile::tempdir().expect("a directory");
    let (store, simulator) = (place.path().join("gateway.db"), simulator().await);
    let site = site(&simulator, &store);
    // The kernel refuses writes over a limit, which is moved from here; the signal that goes with
    // it is ignored.
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("trap '' XFSZ; exec \"$0\" \"$@\"").arg(program().get_program());
    let serving = Serving::with(&site, shell);
    let limit = |bytes: &str| {
        let id = serving.running.id().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        let done = Command::new("prlimit").args(["--pid", &id, &limit]).status().expect("prlimit");
        assert!(done.success());
    };
    let mut accepted = BTreeSet::new();
    push_until_accepted(&serving, &mut accepted).await;
    limit("0");
    push_until_refused(&serving, &mut accepted).await;
    let (status, text) = readiness(&serving).await;
    assert_eq!(status, 503, "{text}");
    assert!(text.contains(&*store.to_string_lossy()), "it names the file: {text}");
    limit("unlimited");
    push_until_accepted(&serving, &mut accepted).await;
    serving.settled().await;
    assert!(serving.running.terminate().success());
    check(&store, &accepted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_can_only_be_read_is_named_at_the_start() {
    let Some(disk) = Disk::mount("8m") else {
        return skip("the right to mount a file system (root)");
    };
    let (store, simulator) = (disk.file("gateway.db"), simulator().await);
    let site = site(&simulator, &store);
    disk.read_only();
    let mut command = program();
    command.args(["serve", "--log", "error", "--config"]).arg(site.config());
    let ended = command.output().expect("it ends");
    let words = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{words}");
    assert!(words.contains(&*store.to_string_lossy()), "it names the file: {words}");
    assert!(words.contains("Read-only") && words.contains("writable"), "{words}");
}

/// A push is refused, and `/readyz` says why; gives the words.
async fn refused(serving: &Serving, id: &str) -> String {
    let (status, rest, answer) = push(serving, id).await;
    assert_eq!((status, rest.as_deref()), (503, Some("5")), "{answer}");
    let (status, text) = readiness(serving).await;
    assert_eq!(status, 503, "{text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_accepted_while_the_file_is_not_where_it_was() {
    let place = tempfile::tempdir().expect("a directory");
    let (store, simulator) = (place.path().join("gateway.db"), simulator().await);
    let log = place.path().join("gateway.db-wal");
    let site = site(&simulator, &store);
    let serving = Serving::on(&site);
    let mut accepted = BTreeSet::new();
    push_until_accepted(&serving, &mut accepted).await;
    serving.settled().await;
    let aside = place.path().join("aside");
    for moved in [&store, &log] {
        std::fs::rename(moved, &aside).expect("moved");
        let text = refused(&serving, "removed").await;
        assert!(text.contains(&*moved.to_string_lossy()), "it names the file: {text}");
        assert!(text.contains("removed") && text.contains("put the file back"), "{text}");
        std::fs::copy(&aside, moved).expect("copied");
        assert!(refused(&serving, "replaced").await.contains("replaced"));
        std::fs::rename(&aside, moved).expect("moved back");
        push_until_accepted(&serving, &mut accepted).await;
    }
    serving.settled().await;
    assert!(serving.running.terminate().success());
    check(&store, &accepted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_accepted_once_the_file_was_removed() {
    let place = tempfile::tempdir().expect("a directory");
    let (store, simulator) = (place.path().join("gateway.db"), simulator().await);
    let site = site(&simulator, &store);
    let serving = Serving::on(&site);
    let mut accepted = BTreeSet::new();
    push_until_accepted(&serving, &mut accepted).await;
    serving.settled().await;
    for name in ["gateway.db", "gateway.db-wal", "gateway.db-shm"] {
        std::fs::remove_file(place.path().join(name)).expect("removed");
    }
    let text = refused(&serving, "lost").await;
    assert!(text.contains("restore a copy and start it again"), "{text}");
    assert!(serving.running.terminate().success());
    // A new file, in which work begins anew.
    let serving = Serving::on(&site);
    let mut accepted = BTreeSet::new();
    push_until_accepted(&serving, &mut accepted).await;
    assert!(serving.running.terminate().success());
    check(&store, &accepted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_never_taken_for_a_good_one() {
    let place = tempfile::tempdir().expect("a directory");
    let (store, simulator) = (place.path().join("gateway.db"), simulator().await);
    let site = site(&simulator, &store);
    let serving = Serving::on(&site);
    for number in 0..40 {
        assert_eq!(push(&serving, &format!("before-{number}")).await.0, 202);
    }
    serving.settled().await;
    assert!(serving.running.terminate().success());
    let whole = std::fs::read(&store).expect("read");
    let pages = whole.len() / 8192;
    let mut noticed = 0;
    for page in 0..pages {
        let mut file = std::fs::File::options().write(true).open(&store).expect("opens");
        file.write_all(&whole).expect("as it was");
        // Half a page of rubbish.
        let offset = u64::try_from(page * 8192).expect("small");
        file.seek(SeekFrom::Start(offset)).expect("there");
        file.write_all(&[0xa5; 4096]).expect("written");
        drop(file);
        for name in ["gateway.db-wal", "gateway.db-shm"] {
            let _ = std::fs::remove_file(place.path().join(name));
        }
        noticed += usize::from(damage_is_noticed(&site, &store).await);
    }
    println!("{noticed} of {pages} damaged pages were noticed when they were used");
    assert!(noticed > pages / 4, "{noticed} of {pages}");
}

/// Whether it was noticed. Once it is, nothing more is accepted.
async fn damage_is_noticed(site: &Site, store: &Path) -> bool {
    match SqliteStore::open(store) {
        Err(fault @ (StoreFault::Unusable(_) | StoreFault::Unavailable(_))) => {
            let words = fault.to_string();
            assert!(words.contains(&*store.to_string_lossy()), "it names the file: {words}");
            return true;
        }
        Err(other) => panic!("{other}"),
        Ok(opened) => drop(opened),
    }
    let serving = Serving::on(site);
    let mut noticed = false;
    for number in 0..4 {
        let (status, _, answer) = push(&serving, &format!("after-{number}")).await;
        match status {
            202 if !noticed => {
                let id = answer["delivery"].as_str().expect("an id");
                let url = format!("http://{}/api/deliveries/{id}", serving.admin);
                let asked = common::client().get(url).bearer_auth(common::ADMIN_TOKEN).send().await;
                match asked.expect("an answer").status().as_u16() {
                    200 => {}
                    503 => noticed = true,
                    other => panic!("{other} for what was answered 2xx"),
                }
            }
            503 => noticed = true,
            other => panic!("{other}: {answer}"),
        }
    }
    if noticed {
        let (status, text) = readiness(&serving).await;
        assert_eq!(status, 503, "{text}");
        assert!(text.contains("malformed") && text.contains(".recover"), "{text}");
        assert!(text.contains(&*store.to_string_lossy()), "it names the file: {text}");
    }
    noticed
}
