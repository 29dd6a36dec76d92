//! One `gateway.yaml` for processes of all roles: each finds its database user in its own environment, and `migrate`
//! grants the roles their rights without `psql`.

use std::process::{Command, Output};

use super::cluster::{Cluster, Load};
use super::proof::settled;
use crate::common::postgres;
use crate::common::process::program;

const USER: &str = "THE_DATABASE_USER";

/// A database without tables, three logins of this test alone, and a file that names none of them.
struct Site {
    cluster: Cluster,
    owner: String,
    edge: String,
    inside: String,
}

impl Site {
    async fn new() -> Self {
        let database = postgres::database().await;
        let (_, name) = database.rsplit_once('/').expect("a database");
        let [owner, edge, inside] =
            ["owner", "edge", "inside"].map(|kind| format!("the-{kind}_{name}"));
        for login in [&owner, &edge, &inside] {
            postgres::execute(&database, &format!("CREATE ROLE \"{login}\" LOGIN")).await;
        }
        // Whoever owns a database makes its tables. To grant roles, it must have been given them for that.
        let prepare = format!(
            "DO $$ BEGIN CREATE ROLE cdsw_gateway_ingest; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; \
             DO $$ BEGIN CREATE ROLE cdsw_gateway_dispatch; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$; \
             GRANT cdsw_gateway_ingest, cdsw_gateway_dispatch TO \"{owner}\" WITH ADMIN OPTION; \
             ALTER DATABASE {name} OWNER TO \"{owner}\"; GRANT ALL ON SCHEMA public TO \"{owner}\""
        );
        postgres::execute(&database, &prepare).await;
        let cluster = Cluster::on(&database).await;
        let nobody = database.replace("tests@", "");
        assert!(!nobody.contains('@'));
        cluster.configure("gateway.yaml", &nobody, |text| {
            text.replace("postgres: { ", &format!("postgres: {{ user: {{ env: {USER} }}, "))
        });
        Self { cluster, owner, edge, inside }
    }

    fn as_user(&self, user: &str) -> Command {
        let mut program = program();
        program.env(USER, user);
        program
    }

    fn migrate(&self, user: &str, more: &[&str]) -> Output {
        let mut program = self.as_user(user);
        program.arg("migrate").args(more).arg("--config").arg(self.cluster.site.config());
        program.output().expect("it runs")
    }
}

fn text(output: &Output) -> String {
    let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", of(&output.stdout), of(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_file_serves_all_roles_and_migrate_grants_each_its_own_rights() {
    if postgres::is_missing() {
        return;
    }
    let site = Site::new().await;
    let roles = ["--roles", "--ingest-login", &site.edge, "--dispatch-login", &site.inside]
        .map(str::to_owned);
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    // Twice: an upgrade does it again.
    for _ in 0..2 {
        let done = site.migrate(&site.owner, &roles);
        assert!(done.status.success(), "{}", text(&done));
        let wanted = format!("cdsw_gateway_ingest to {}", site.edge);
        assert!(text(&done).contains(&wanted), "{}", text(&done));
    }
    let config = site.cluster.site.config();
    let receives = Cluster::start_program(site.as_user(&site.edge), "ingest", config.clone());
    let dispatches = Cluster::start_program(site.as_user(&site.inside), "dispatch", config);
    let load = Load::start(&[receives.hooks.clone().expect("it receives")], 2);
    load.more(20).await;
    let told = load.stop().await;
    settled(&site.cluster.database).await;
    assert!(told.accepted.lock().expect("ok").len() >= 20);
    assert!(dispatches.terminate().success());
    // A process of ingest cannot read what is kept.
    let database = site.cluster.database.replace("tests@", &format!("{}@", site.edge));
    assert!(postgres::try_execute(&database, "SELECT body FROM deliveries").await.is_err());
    assert!(postgres::try_execute(&database, "SELECT id FROM deliveries").await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_a_user_or_a_login_from_being_found_is_said() {
    if postgres::is_missing() {
        return;
    }
    let site = Site::new().await;
    let none = program()
        .args(["migrate", "--config"])
        .arg(site.cluster.site.config())
        .output()
        .expect("it runs");
    let words = text(&none);
    assert!(
        words.contains(&format!("postgres.user: the variable {USER} holds no name")),
        "{words}"
    );
    let absent = site.migrate(&site.owner, &["--roles", "--ingest-login", "nobody-here"]);
    assert!(!absent.status.success());
    assert!(text(&absent).contains("CREATE ROLE \"nobody-here\" LOGIN"), "{}", text(&absent));
    // A login that may do both would be no zone.
    let granted = site.migrate(&site.owner, &["--roles", "--dispatch-login", &site.inside]);
    assert!(granted.status.success(), "{}", text(&granted));
    let both = site.migrate(&site.owner, &["--roles", "--ingest-login", &site.inside]);
    assert!(!both.status.success());
    assert!(text(&both).contains("revoke that role, or name another login"), "{}", text(&both));
}
