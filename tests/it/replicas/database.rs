//! The database stops and comes back, or another one takes its place.

use std::process::Command;
use std::time::{Duration, Instant};

use cdsw_gateway::store::postgres::{LeaseClock, Options, PostgresStore};

use super::cluster::{Cluster, Load};
use super::proof::{prove, settled};
use super::rights::with_users;
use crate::common::postgres::{self, Own};
use crate::common::skip::skip;
use crate::common::tls::{self, Shown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_stops_and_starts_again_under_load() {
    if postgres::programs_are_missing() {
        return;
    }
    let server = Own::start("");
    let database = server.with_tables("gateway").await;
    let cluster = Cluster::on(&database).await;
    let replicas = [cluster.start("all"), cluster.start("all")];
    let hooks: Vec<String> = replicas.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 6);
    load.more(100).await;
    for _ in 0..3 {
        server.control(&["-m", "immediate", "stop"]);
        refused(&load).await;
        server.control(&["-w", "start"]);
        let back = Instant::now();
        load.more(1).await;
        let took = back.elapsed();
        println!("accepted again {} ms after the database was back", took.as_millis());
        assert!(took < Duration::from_secs(5), "{took:?}");
        load.more(50).await;
    }
    let told = load.stop().await;
    settled(&database).await;
    prove("database stopped and started", &cluster, &told).await;
}

/// Ends when senders have been told that it cannot be kept now.
async fn refused(load: &Load) {
    let count = || load.told.others.lock().expect("ok").get("503").copied().unwrap_or(0);
    let before = count();
    let waiting = async {
        while count() < before + 5 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("503 in between");
}

/// The standby has every commit before it is answered (`synchronous_standby_names`), so that it can
/// take the primary's place at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streaming_standby_takes_over_under_load() {
    if postgres::programs_are_missing() {
        return;
    }
    let primary = Own::start("max_wal_senders = 4");
    let database = primary.with_tables("gateway").await;
    let standby = primary.standby();
    postgres::execute(&primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    postgres::execute(&primary.url, "SELECT pg_reload_conf()").await;
    let both = format!(
        "postgres://tests@127.0.0.1:{},127.0.0.1:{}/gateway?target_session_attrs=read-write",
        primary.port(),
        standby.port()
    );
    let mut cluster = Cluster::on(&database).await;
    cluster.configure("gateway.yaml", &both, |text| text);
    let replicas = [cluster.start("all"), cluster.start("all")];
    let hooks: Vec<String> = replicas.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 6);
    load.more(100).await;
    primary.control(&["-m", "immediate", "stop"]);
    refused(&load).await;
    standby.control(&["-w", "promote"]);
    let back = Instant::now();
    load.more(1).await;
    let took = back.elapsed();
    println!("accepted again {} ms after the standby was promoted", took.as_millis());
    assert!(took < Duration::from_secs(5), "{took:?}");
    load.more(50).await;
    let told = load.stop().await;
    cluster.database = database.replace(&primary.port().to_string(), &standby.port().to_string());
    settled(&cluster.database).await;
    prove("failed over to a standby", &cluster, &told).await;
}

/// Whoever runs the database changes the password there and in the file that the processes were given,
/// and nobody restarts anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_is_read_again_by_processes_that_run() {
    if postgres::programs_are_missing() {
        return;
    }
    let server = Own::start("");
    let database = server.with_tables("gateway").await;
    let change = async |password: &str| {
        let sql = format!("ALTER ROLE gateway LOGIN SUPERUSER PASSWORD '{password}'");
        postgres::execute(&server.url, &sql).await;
    };
    postgres::execute(&server.url, "CREATE ROLE gateway").await;
    change("the-first-password").await;
    let asked = "host all gateway 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n";
    server.private("pg_hba.conf", asked);
    postgres::execute(&server.url, "SELECT pg_reload_conf()").await;
    let cluster = Cluster::on(&database).await;
    let file = cluster.site.path("password");
    std::fs::write(&file, "the-first-password\n").expect("written");
    let url = database.replace("tests@", "gateway@");
    // From a file, and from a program, which is run again when the database refuses what it printed.
    let replicas = [
        format!("{{ file: {} }}", file.display()),
        format!("{{ command: [cat, {}] }}", file.display()),
    ];
    let replicas = replicas.map(|password| {
        let password = format!("password: {password}, connections: 8");
        let edit = |text: String| text.replace("connections: 8", &password);
        cluster.start_with("all", cluster.configure("gateway.yaml", &url, edit))
    });
    let hooks: Vec<String> = replicas.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 4);
    load.more(50).await;
    change("the-second-password").await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway'";
    postgres::execute(&server.url, cut).await;
    refused(&load).await;
    std::fs::write(&file, "the-second-password\n").expect("written");
    // Each of them: it was refused a moment ago, and asks again ten seconds later at the latest.
    for hooks in replicas.iter().filter_map(|replica| replica.hooks.clone()) {
        let back = Instant::now();
        let one = Load::start(&[hooks], 1);
        one.more(20).await;
        one.stop().await;
        assert!(back.elapsed() < Duration::from_secs(15), "{:?}", back.elapsed());
    }
    let told = load.stop().await;
    settled(&database).await;
    prove("password changed", &cluster, &told).await;
}

/// PgBouncer hands each transaction to another connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_behind_a_pooler_in_transaction_mode() {
    if postgres::is_missing() {
        return;
    }
    if Command::new("pgbouncer").arg("--version").output().is_err() {
        return skip("pgbouncer");
    }
    let database = postgres::with_tables().await;
    let pooler = postgres::Pooler::start(&database);
    let cluster = Cluster::on(&database).await;
    let direct = format!("pooler: transaction, direct: \"{database}\", connections: 8");
    cluster.configure("gateway.yaml", &pooler.url, |text| text.replace("connections: 8", &direct));
    let replicas = [cluster.start("ingest"), cluster.start("dispatch"), cluster.start("all")];
    let hooks: Vec<String> = replicas.iter().filter_map(|replica| replica.hooks.clone()).collect();
    let load = Load::start(&hooks, 8);
    load.more(300).await;
    let told = load.stop().await;
    settled(&database).await;
    prove("behind a pooler", &cluster, &told).await;
}

/// The triggers that hold an ingest process are asked by the pooler's server connections too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_has_its_own_rights_behind_a_pooler_too() {
    if postgres::is_missing() {
        return;
    }
    if Command::new("pgbouncer").arg("--version").output().is_err() {
        return skip("pgbouncer");
    }
    let (cluster, edge, inside) = with_users().await;
    let user = |url: &str| {
        let (_, rest) = url.split_once("//").expect("an address");
        rest.split_once('@').expect("a user").0.to_owned()
    };
    let users = [user(&edge), user(&inside)];
    let pooler = postgres::Pooler::start_for(&cluster.database, &[&users[0], &users[1]]);
    let [edge, inside] = [(&edge, &users[0]), (&inside, &users[1])].map(|(direct, user)| {
        let url = pooler.url.replacen(&users[0], user, 1);
        let more = format!("pooler: transaction, direct: \"{direct}\", connections: 8");
        let edit = |text: String| text.replace("connections: 8", &more);
        (cluster.configure(&format!("{user}.yaml"), &url, edit), url)
    });
    let receives = cluster.start_with("ingest", edge.0);
    let dispatches = cluster.start_with("dispatch", inside.0);
    let load = Load::start(&[receives.hooks.clone().expect("it receives")], 6);
    load.more(200).await;
    let told = load.stop().await;
    settled(&cluster.database).await;
    prove("roles behind a pooler", &cluster, &told).await;
    for admin in [&receives.admin, &dispatches.admin] {
        let ready = crate::common::client().get(format!("http://{admin}/readyz")).send().await;
        assert_eq!(ready.expect("an answer").status(), 200);
    }
    for (sql, words) in [
        ("UPDATE deliveries SET repeats = 0", "counts one repeat at a time"),
        (
            "UPDATE runs SET state = 'queued' WHERE state = 'started'",
            "a matter of the dispatch side",
        ),
        ("UPDATE claims SET expires_at = 0", "and ends none"),
        ("DELETE FROM pauses", "permission denied"),
    ] {
        let why = postgres::try_execute(&edge.1, sql).await.expect_err(sql);
        assert!(why.contains(words), "{sql}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_is_encrypted_and_the_servers_certificate_checked() {
    if postgres::programs_are_missing() {
        return;
    }
    let server = Own::start("");
    let database = server.with_tables("gateway").await;
    let site = tempfile::tempdir().expect("a directory");
    let shown = |name: &str, shown: Shown| {
        let file = site.path().join(name);
        std::fs::write(&file, &shown.root).expect("written");
        (file, shown)
    };
    let open = |ca_file: Option<&std::path::PathBuf>| {
        let options = Options {
            allow_plain: false,
            ca_file: ca_file.cloned(),
            ..postgres::options(&database)
        };
        async move { PostgresStore::open(&options, None, LeaseClock::Database, 1).await }
    };
    let (good_ca, good) = shown("good.pem", tls::valid(&["127.0.0.1"]));
    let plain = open(Some(&good_ca)).await.err().expect("refused").to_string();
    assert!(plain.contains("TLS"), "a server that speaks in clear alone: {plain}");
    let serve = async |certificate: &Shown| {
        server.private("server.crt", &certificate.certificate);
        server.private("server.key", &certificate.key);
        postgres::execute(&server.url, "ALTER SYSTEM SET ssl = on").await;
        server.control(&["-w", "restart"]);
    };
    serve(&good).await;
    let store = open(Some(&good_ca)).await.expect("opens");
    let encrypted = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
         WHERE application_name = 'cdsw-gateway' AND ssl) THEN RAISE EXCEPTION 'in clear'; END IF; END $$";
    postgres::execute(&database, encrypted).await;
    drop(store);
    let unknown = open(None).await.err().expect("refused").to_string();
    assert!(unknown.contains("certificate"), "an authority that nobody trusts: {unknown}");
    let (ca, elsewhere) = shown("elsewhere.pem", tls::valid(&["db.example.com"]));
    serve(&elsewhere).await;
    let refused = open(Some(&ca)).await.err().expect("refused").to_string();
    assert!(refused.contains("certificate"), "a certificate for another host: {refused}");
    let (ca, expired) = shown("expired.pem", tls::expired(&["127.0.0.1"]));
    serve(&expired).await;
    let refused = open(Some(&ca)).await.err().expect("refused").to_string();
    assert!(refused.contains("certificate"), "an expired certificate: {refused}");
}
