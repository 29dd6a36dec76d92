//! A PostgreSQL for tests: the one that `TEST_POSTGRES` names, or one of this process's own, which
//! ends with it. Each test has a database of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use cdsw_gateway::store::postgres::{self, LeaseClock, Options, PostgresStore};
use cdsw_gateway::store::{Store, StoreFault};
use tokio_postgres::{Config, NoTls};

use super::skip::skip;

static SERVER: OnceLock<Server> = OnceLock::new();
static MISSING: OnceLock<bool> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

struct Server {
    url: String,
    /// Held for its standard input: when this process ends, so does the server.
    _process: Option<Child>,
}

/// Whether there is no server to be had. Then the calling test is skipped, and returns.
#[track_caller]
pub fn is_missing() -> bool {
    std::env::var_os("TEST_POSTGRES").is_none() && programs_are_missing()
}

/// Whether no server of one's own can be started here. Then the calling test is skipped, and returns.
#[track_caller]
pub fn programs_are_missing() -> bool {
    let asked =
        || Command::new(script()).arg("--install").output().expect("tests/postgres.sh runs");
    let missing = *MISSING.get_or_init(|| !asked().status.success());
    if missing {
        skip("PostgreSQL");
    }
    missing
}

/// Where the server is, as its superuser.
pub fn server() -> &'static str {
    &SERVER.get_or_init(start).url
}

fn start() -> Server {
    if let Ok(url) = std::env::var("TEST_POSTGRES") {
        return Server { url, _process: None };
    }
    let Own { url, process, .. } = Own::start("");
    Server { url, _process: Some(process) }
}

/// A server of one test's own, to be stopped and started.
pub struct Own {
    pub url: String,
    /// Where its programs are.
    programs: PathBuf,
    /// Where its data is.
    place: PathBuf,
    /// Held for its standard input.
    process: Child,
}

impl Own {
    /// Starts one with more settings, a line each.
    pub fn start(settings: &str) -> Self {
        let mut process = Command::new(script())
            .env("POSTGRES_SETTINGS", settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/postgres.sh runs");
        let mut line = String::new();
        let out = process.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("it says where it is");
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["ready", url, programs, place] = words[..] else {
            panic!("not ready; what it wrote to standard error says why: {line}");
        };
        Self { url: url.to_owned(), programs: programs.into(), place: place.into(), process }
    }

    pub fn port(&self) -> u16 {
        self.url.parse::<Config>().expect("an address").get_ports()[0]
    }

    /// Calls `pg_ctl` on it.
    pub fn control(&self, arguments: &[&str]) {
        control(&self.programs, &self.place.join("data"), &self.place, arguments);
    }

    /// Writes a file beside its data, readable by the server alone.
    pub fn private(&self, name: &str, text: &str) {
        let path = self.place.join("data").join(name);
        let script = "umask 077 && cat >\"$0\"";
        let mut writing = as_postgres(Path::new("sh"))
            .args(["-c", script])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh runs");
        let mut input = writing.stdin.take().expect("its input");
        std::io::Write::write_all(&mut input, text.as_bytes()).expect("written");
        drop(input);
        assert!(writing.wait().expect("it ends").success());
    }

    /// A database there, with tables.
    pub async fn with_tables(&self, name: &str) -> String {
        execute(&self.url, &format!("CREATE DATABASE {name}")).await;
        let (before, _) = self.url.rsplit_once('/').expect("a path");
        let url = format!("{before}/{name}");
        postgres::migrate(&options(&url)).await.expect("migrated");
        url
    }

    /// A standby that follows it, and has all that it has.
    pub fn standby(&self) -> Standby {
        let data = self.place.join("standby");
        let backup = self.programs.join("pg_basebackup");
        let done = as_postgres(&backup)
            .args(["-D"])
            .arg(&data)
            .args(["-R", "-X", "stream", "-c", "fast", "-d", &self.url])
            .status();
        assert!(done.expect("pg_basebackup runs").success());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let standby =
            Standby { programs: self.programs.clone(), place: self.place.clone(), data, port };
        // What was copied names the other one's port.
        standby.control(&["-w", "-o", &format!("-p {port}"), "start"]);
        standby
    }
}

/// A server that follows another, in the same place, and goes with it.
pub struct Standby {
    programs: PathBuf,
    place: PathBuf,
    data: PathBuf,
    port: u16,
}

impl Standby {
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Calls `pg_ctl` on it.
    pub fn control(&self, arguments: &[&str]) {
        control(&self.programs, &self.data, &self.place, arguments);
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.control(&["-m", "immediate", "stop"]);
    }
}

fn control(programs: &Path, data: &Path, place: &Path, arguments: &[&str]) {
    let done = as_postgres(&programs.join("pg_ctl"))
        .arg("-D")
        .arg(data)
        .arg("-l")
        .arg(place.join(format!("{}.log", data.file_name().expect("a name").display())))
        .args(arguments)
        .stdout(Stdio::null())
        .status();
    assert!(done.expect("pg_ctl runs").success(), "pg_ctl {arguments:?}");
}

/// A program of the server's, as the user that the server runs as.
fn as_postgres(program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().expect("id runs").stdout == b"0\n";
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}

/// A PgBouncer in transaction mode before a database.
pub struct Pooler {
    pub url: String,
    process: Child,
    _directory: tempfile::TempDir,
}

impl Pooler {
    pub fn start(database: &str) -> Self {
        Self::start_for(database, &["tests"])
    }

    /// For these users; its address names the first.
    pub fn start_for(database: &str, users: &[&str]) -> Self {
        let config: Config = database.parse().expect("an address");
        let name = config.get_dbname().expect("a name");
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let known: String = users.iter().map(|user| format!("\"{user}\" \"\"\n")).collect();
        std::fs::write(path("users"), known).expect("written");
        let text = format!(
            "[databases]\n{name} = host=127.0.0.1 port={} dbname={name}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = trust\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = 6\nmax_client_conn = 200\n\
             unix_socket_dir =\n",
            config.get_ports()[0],
            path("users").display(),
        );
        std::fs::write(path("pgbouncer.ini"), text).expect("written");
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).expect("set");
        let process = as_postgres(Path::new("pgbouncer"))
            .arg(path("pgbouncer.ini"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer runs");
        let address = ("127.0.0.1", port);
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::yield_now();
        }
        Self {
            url: format!("postgres://{}@127.0.0.1:{port}/{name}", users[0]),
            process,
            _directory: directory,
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // `runuser` hands the signal on, which SIGKILL cannot be.
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.process.wait();
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres.sh")
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
