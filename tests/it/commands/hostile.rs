//! What the store holds may have been written by anyone who reached the database. No command prints a
//! character of it that a terminal would obey, or that hides or reverses text.

use cdsw_gateway::model::is_hidden;
use rusqlite::Connection;

use super::Ended;
use super::stage::{ROUTES, Stage};

/// A title for the terminal, a cleared screen, a control of eight bits, a line of one's own, overrides of
/// direction, letters without width, tags.
const HOSTILE: &str = "x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\nforged\u{202e}drow\u{2066}\u{200b}\u{200f}\
                       \u{feff}\u{2028}\u{ad}\u{7f}\u{e0041}\u{fdd0}\u{fde2}y";

/// Columns of which the text is written anew; all others are numbers, states or keys.
const COLUMNS: [(&str, &str); 22] = [
    ("deliveries", "source"),
    ("deliveries", "provider"),
    ("deliveries", "kind"),
    ("deliveries", "name"),
    ("deliveries", "delivery_key"),
    ("deliveries", "remote"),
    ("deliveries", "query"),
    ("runs", "route"),
    ("runs", "job"),
    ("runs", "reason"),
    ("runs", "engine_id"),
    ("attempts", "reason"),
    ("attempts", "reply"),
    ("acts", "who"),
    ("acts", "note"),
    ("pauses", "who"),
    ("pauses", "note"),
    ("pauses", "name"),
    ("audit", "who"),
    ("audit", "origin"),
    ("audit", "name"),
    ("audit", "note"),
];

fn write_hostile_text(store: &Connection) {
    for (table, column) in COLUMNS {
        let only = match (table, column) {
            ("runs", "engine_id") => " WHERE engine_id IS NOT NULL",
            ("pauses", "name") => " WHERE kind <> 'all'",
            _ => "",
        };
        let rows = match table {
            // Rows of the audit log cannot be changed, but whoever reached the database can add some.
            "audit" => store.execute(
                "INSERT INTO audit (at, who, origin, act, kind, name, note)
                 VALUES (1790000000000, ?1, ?1, ?1, ?1, ?1, ?1)",
                [HOSTILE],
            ),
            _ => store.execute(&format!("UPDATE {table} SET {column} = ?1{only}"), [HOSTILE]),
        };
        assert!(rows.expect(column) > 0, "{table}.{column} has a row");
    }
    let environment = serde_json::json!({ "GIT_SHA": HOSTILE }).to_string();
    store.execute("UPDATE runs SET environment = ?1", [environment]).expect("written");
}

#[track_caller]
fn shows_nothing_hidden(ended: &Ended) {
    for text in [&ended.stdout, &ended.stderr] {
        let hidden = text.chars().find(|letter| is_hidden(*letter) && *letter != '\n');
        assert_eq!(hidden, None, "{ended}");
        assert!(!text.contains("\nforged"), "a value begins a line of its own: {ended}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_in_the_store_controls_the_terminal() {
    let mut stage = Stage::new(ROUTES);
    let (delivery, started) = stage.push("one", "started").await;
    let (_, failed) = stage.push("two", "failed").await;
    let (_, held) = stage.push("three", "held").await;
    stage.run(&["release", &held, "--fail", "--note", "a note"]).with(0);
    stage.run(&["jobs", "pause", "retrain", "--note", "a note"]).with(0);
    let stopped = stage.gateway.running.terminate();
    assert!(stopped.success());
    write_hostile_text(&Connection::open(stage.site.path("gateway.db")).expect("opened"));
    stage.gateway = super::common::process::Serving::on(&stage.site);

    let mut shown = 0;
    for arguments in [
        &["deliveries", "list"] as &[&str],
        &["deliveries", "list", "--source", HOSTILE],
        &["deliveries", "show", &delivery],
        &["deliveries", "refused", HOSTILE],
        &["runs", "list"],
        &["runs", "list", "--job", HOSTILE],
        &["runs", "show", &started],
        &["runs", "show", &failed],
        &["runs", "show", &held],
        &["runs", "cancel", &started],
        &["release", &held, "--retry"],
        &["replay", &delivery, "--dry-run"],
        &["replay", &delivery],
        &["jobs", "paused"],
        &["audit"],
        &["secrets"],
        &["doctor"],
    ] {
        for json in [&[] as &[&str], &["--json"]] {
            let ended = stage.run(&[arguments, json].concat());
            shows_nothing_hidden(&ended);
            shown += usize::from(ended.stdout.contains("202e"));
            if !json.is_empty() && ended.status == 0 {
                let _ = ended.json();
            }
        }
    }
    assert!(shown >= 14, "only {shown} commands printed the text");
    let read = stage.run(&["runs", "show", &started, "--json"]).with(0).json();
    assert_eq!(read["route"], HOSTILE, "JSON reads back as the text that is stored");
}
