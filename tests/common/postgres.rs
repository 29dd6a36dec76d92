//! A PostgreSQL for tests: the one that `TEST_POSTGRES` names, or one of this process's own, which
//! ends with it. Each test has a database of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use cdsw_gateway::store::postgres::{self, LeaseClock, Options, PostgresStore};
use cdsw_gateway::store::{Store, StoreFault};
use tokio_postgres::{Config, NoTls};

static SERVER: OnceLock<Server> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

struct Server {
    url: String,
    /// Held for its standard input: when this process ends, so does the server.
    _process: Option<Child>,
}

/// Where the server is, as its superuser.
pub fn server() -> &'static str {
    &SERVER.get_or_init(start).url
}

fn start() -> Server {
    if let Ok(url) = std::env::var("TEST_POSTGRES") {
        return Server { url, _process: None };
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres.sh");
    let mut process = Command::new(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/postgres.sh runs");
    let mut line = String::new();
    let out = process.stdout.take().expect("its output");
    BufReader::new(out).read_line(&mut line).expect("it says where it is");
    let url = line.strip_prefix("ready ").and_then(|rest| rest.split_whitespace().next());
    let url = url.expect("it is ready; what it wrote to standard error says why not").to_owned();
    Server { url, _process: Some(process) }
}

/// A database of one's own, without tables.
pub async fn database() -> String {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("t{}_{number}", std::process::id());
    execute(server(), &format!("CREATE DATABASE {name}")).await;
    let (before, _) = server().rsplit_once('/').expect("a path");
    format!("{before}/{name}")
}

/// Runs SQL, apart from the store.
pub async fn execute(url: &str, sql: &str) {
    try_execute(url, sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Runs SQL, apart from the store; gives the server's own message where it refuses.
pub async fn try_execute(url: &str, sql: &str) -> Result<(), String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connects");
    let driving = tokio::spawn(connection);
    let done = client.batch_execute(sql).await;
    drop(client);
    let _ = driving.await;
    done.map_err(|error| {
        error.as_db_error().map_or_else(|| error.to_string(), |told| told.message().to_owned())
    })
}

/// How tests reach a database.
pub fn options(url: &str) -> Options {
    Options {
        config: url.parse::<Config>().expect("an address"),
        password: None,
        ca_file: None,
        allow_plain: true,
        connections: 8,
        pooled: false,
    }
}

/// A database of one's own, with tables.
pub async fn with_tables() -> String {
    let url = database().await;
    postgres::migrate(&options(&url)).await.expect("migrated");
    url
}

/// A store there, whose time is the test's.
pub async fn open(url: &str, replica: u128) -> Arc<dyn Store> {
    Arc::new(try_open(url, replica).await.expect("opens"))
}

/// A store there, or why not.
pub async fn try_open(url: &str, replica: u128) -> Result<PostgresStore, StoreFault> {
    PostgresStore::open(&options(url), None, LeaseClock::Caller, replica).await
}
