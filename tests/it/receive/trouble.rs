//! A store that cannot keep it, and a gateway that is told to stop: never a 2xx for what is lost,
//! and always one for what was kept.

use super::common::{PUSH, World, github_signature};
use super::{Wire, kept, until, world};

/// Somebody's tool, at work on the same file.
pub(super) fn tool(world: &World, sql: &str) {
    let database = rusqlite::Connection::open(world.site.path("gateway.db")).expect("opens");
    database.busy_timeout(std::time::Duration::from_secs(10)).expect("set");
    database.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_whose_runs_cannot_be_kept_is_not_kept_either() {
    let world = world("").await;
    // What is wrong with the store shows only after the delivery itself was written.
    tool(
        &world,
        "CREATE TRIGGER full BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'full'); END",
    );
    let answer = world.github("push", "one", PUSH).send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "5");
    assert_eq!(
        answer.text().await.expect("text"),
        r#"{"error":"the delivery cannot be kept now; try again later"}"#,
        "a stranger is not told what the store said"
    );
    let (status, unmatched) = world.send(world.github("star", "two", PUSH)).await;
    assert_eq!(status, 200, "what has no runs is not concerned: {unmatched}");
    assert_eq!(kept(&world).await.len(), 1);
    tool(&world, "DROP TRIGGER full");
    let (status, answer) = world.send(world.github("push", "one", PUSH)).await;
    assert_eq!((status, answer.get("duplicate")), (202, None), "it is new: {answer}");
    assert_eq!((kept(&world).await.len(), world.runs().await), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_that_cannot_be_kept_are_all_told_so() {
    let world = world("").await;
    tool(&world, "ALTER TABLE claims RENAME TO gone");
    let requests: Vec<_> = (0..32)
        .map(|number| tokio::spawn(world.github("push", &format!("id {number}"), PUSH).send()))
        .collect();
    for request in requests {
        assert_eq!(request.await.expect("ran").expect("an answer").status(), 503);
    }
    assert!(kept(&world).await.is_empty());
    let faults = world.gateway.metrics().deliveries_of("github", "not_kept");
    assert_eq!(faults, 32);
    tool(&world, "ALTER TABLE gone RENAME TO claims");
    for number in 0..32 {
        let request = world.github("push", &format!("id {number}"), PUSH);
        assert_eq!(world.send(request).await.0, 202, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_turns_new_senders_away_and_answers_those_that_have_begun() {
    let world = world("").await;
    let signature = format!("x-hub-signature-256: {}", github_signature(PUSH.as_bytes()));
    let length = format!("content-length: {}", PUSH.len());
    let mut wires: Vec<Wire> = (0..8)
        .map(|number| {
            let mut wire = Wire::to(&world);
            let id = format!("x-github-delivery: half {number}");
            wire.head("github", &["x-github-event: push", &id, &signature, &length]);
            wire.write(&PUSH.as_bytes()[..number]);
            wire
        })
        .collect();
    until(&world, "requests_in_flight", 8).await;
    let idle = Wire::to(&world);
    let address = world.hooks();
    let World { gateway, site, .. } = world;
    let stopping = tokio::spawn(gateway.stop(std::time::Duration::from_secs(20)));
    while std::net::TcpStream::connect(address).is_ok() {
        tokio::task::yield_now().await;
    }
    let mut told = Vec::new();
    for (number, wire) in wires.iter_mut().enumerate() {
        wire.write(&PUSH.as_bytes()[number..]);
        let (status, _, answer) = wire.answer();
        assert_eq!(status, 202, "{number}: {answer}");
        told.extend(answer["runs"].as_array().expect("a list").iter().map(|run| {
            let id: cdsw_gateway::model::RunId =
                run["id"].as_str().expect("text").parse().expect("an id");
            id.as_bytes().to_vec()
        }));
    }
    assert_eq!(idle.rest(), "", "nobody waits for a connection that asks nothing");
    stopping.await.expect("stopped");
    let database = rusqlite::Connection::open(site.path("gateway.db")).expect("opens");
    let mut ids = database.prepare("SELECT id FROM runs").expect("SQL");
    let on_disk: Vec<Vec<u8>> =
        ids.query_map([], |row| row.get(0)).expect("read").map(|id| id.expect("bytes")).collect();
    assert_eq!(on_disk.len(), 16);
    assert!(told.iter().all(|id| on_disk.contains(id)), "each run that was told is there");
}
