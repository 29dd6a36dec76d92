//! Rows that claim more than they hold, as a hostile process that accepts may write them: whoever shows them
//! takes no more memory than for others, and says what is wrong with each.

use super::cluster::{Cluster, Replica};
use crate::common::postgres;
use crate::common::{self, ADMIN_TOKEN};

/// SQL for an LZ4 block of four megabytes that unpacks to a gigabyte of zeros, with its size in front.
const BOMB: &str = "'\\x0dccff3f1f000100'::bytea || decode(repeat('ff', 4210700), 'hex') \
                    || '\\x00500000000000'::bytea";

/// Most that a process may grow for such rows.
const MOST: u64 = 96 << 20;

/// The most memory that a process ever had, in bytes.
fn peak(replica: &Replica) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", replica.id())).expect("read");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes << 10
}

async fn get(replica: &Replica, path: &str) -> (u16, usize) {
    let request = common::client().get(format!("http://{}{path}", replica.admin));
    let answer = request.bearer_auth(ADMIN_TOKEN).send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.bytes().await.expect("bytes").len())
}

fn id(number: u32) -> String {
    format!("0195513e-0c00-7000-8000-{number:012}")
}

/// A delivery with these values in place of usual ones.
fn row(number: u32, set: &[(&str, &str)]) -> String {
    let usual = [
        ("source", "'github'"),
        ("provider", "'github'"),
        ("kind", "'push'"),
        ("name", "'push'"),
        ("delivery_key", "'key'"),
        ("remote", "'192.0.2.7'"),
        ("query", "''"),
        ("size", "5"),
        ("headers", "''"),
        ("explanation", "''"),
        ("body", "''"),
        ("claims", "NULL"),
    ];
    let value = |column: &str, usual: &str| {
        let own = set.iter().find(|(name, _)| *name == column);
        own.map_or(usual.to_owned(), |(_, value)| (*value).to_owned())
    };
    let (columns, values): (Vec<_>, Vec<_>) =
        usual.iter().map(|(column, usual)| (*column, value(column, usual))).unzip();
    format!(
        "INSERT INTO deliveries (id, handshake, received_at, stored, {}) \
         VALUES ('{}', false, 1772366400000, 0, {});",
        columns.join(", "),
        id(number),
        values.join(", ")
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_claims_a_gigabyte_takes_no_memory_and_spoils_no_other() {
    if postgres::is_missing() {
        return;
    }
    let cluster = Cluster::new().await;
    let replica = cluster.start("dispatch");
    let long = "repeat('x', 4000000)";
    let gigabyte = "1073728525";
    let rows = [
        row(1, &[]),
        row(2, &[("body", BOMB)]),
        row(3, &[("body", BOMB), ("size", gigabyte)]),
        row(4, &[("headers", BOMB)]),
        row(5, &[("explanation", BOMB)]),
        row(6, &[("body", "decode(repeat('ff', 100000000), 'hex')"), ("size", gigabyte)]),
        row(
            7,
            &["source", "provider", "kind", "name", "remote", "delivery_key"]
                .map(|column| (column, long)),
        ),
        row(8, &[("query", "repeat('x', 100000000)"), ("claims", "repeat('x', 100000000)")]),
    ];
    postgres::execute(&cluster.database, &rows.concat()).await;
    // A row from before the tables had bounds of their own.
    let unbound = "ALTER TABLE runs DROP CONSTRAINT IF EXISTS runs_are_bounded";
    postgres::execute(&cluster.database, unbound).await;
    let run = format!(
        "INSERT INTO runs (id, delivery, route, job, part, state, environment, accepted_at, changed_at, \
           due_at, deadline_at) SELECT gen_random_uuid(), '{}', 'r', 'j', 0, 'held', \
           '{{\"X\":\"' || repeat('x', 100000000) || '\"}}', 1, 1, 1, 1",
        id(1)
    );
    assert_eq!(get(&replica, &format!("/api/deliveries/{}", id(1))).await.0, 200);
    postgres::execute(&cluster.database, &run).await;
    let before = peak(&replica);
    for (number, tail, expected) in [
        (1, "", 503),
        (2, "", 200),
        (2, "/body", 503),
        (3, "", 200),
        (3, "/body", 503),
        (3, "/explain", 503),
        (4, "", 503),
        (5, "", 503),
        (6, "/body", 503),
        (7, "", 200),
        (8, "", 503),
    ] {
        let path = format!("/api/deliveries/{}{tail}", id(number));
        let (one, two, three) =
            tokio::join!(get(&replica, &path), get(&replica, &path), get(&replica, &path));
        for (status, length) in [one, two, three] {
            assert_eq!(status, expected, "{number}{tail}");
            assert!(length < 100_000, "{number}{tail}: {length}");
        }
    }
    let (status, length) = get(&replica, "/api/deliveries?limit=100").await;
    assert_eq!(status, 200, "a list shows them all");
    assert!(length < 100_000, "{length}");
    let grown = peak(&replica) - before;
    println!("rows that claim a gigabyte: {} MiB more", grown >> 20);
    assert!(grown < MOST, "{} MiB more", grown >> 20);
}
