//! The commands of an operator: several ids at once, `doctor`, `backup`, certificates of a company's authority.

use std::os::unix::fs::PermissionsExt as _;

use super::common::process::Serving;
use super::common::{ADMIN_TOKEN, Site, client, tls};
use super::run;
use super::stage::{ROUTES, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_failed_runs_are_queued_again_by_one_command() {
    let stage = Stage::new(ROUTES);
    let (first_delivery, first) = stage.push("one", "failed").await;
    let (_, second) = stage.push("two", "failed").await;
    let (_, started) = stage.push("three", "started").await;
    let ended = stage.run(&["release", &first, &started, &second, "--retry"]).with(6);
    assert!(ended.stderr.contains("it is started, and only a held run"), "{ended}");
    assert!(ended.stderr.contains("1 of 3 could not be done"), "{ended}");
    for run in [&first, &second] {
        assert!(ended.stdout.contains(&format!("run {run}: queued")), "{ended}");
        stage.reaches(run, "started").await;
    }
    let (fourth_delivery, fourth) = stage.push("four", "failed").await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let ended = stage.run(&["replay", &first_delivery, nobody, &fourth_delivery, "--json"]).with(5);
    let words = ended.stdout.clone();
    assert!(words.contains(&fourth_delivery) && words.contains("left as it is"), "{ended}");
    stage.reaches(&fourth, "started").await;
    let ended = stage.run(&["release", &first, &second, "--started", "engine"]).with(2);
    assert!(ended.stderr.contains("an engine runs one run"), "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_first_that_no_gateway_answers() {
    let site = Site::new("http://127.0.0.1:9", ROUTES);
    let ended = run(site.directory.path(), &["doctor"]).with(1);
    let first = ended.stdout.lines().next().expect("a line");
    assert!(first.starts_with("FAULT  gateway: none answers at http://127.0.0.1:"), "{ended}");
    assert!(
        ended.stdout.contains("FAULT  workbench main: 127.0.0.1:9: could not connect"),
        "{ended}"
    );
    assert!(ended.stdout.contains("gateway.db is not there yet; `serve` makes it"), "{ended}");
    let offline = run(site.directory.path(), &["doctor", "--offline"]).with(1);
    assert!(!offline.stdout.contains("gateway: none"), "{offline}");
    let mut left: Vec<String> = std::fs::read_dir(site.directory.path())
        .expect("read")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    left.sort_unstable();
    assert_eq!(left, ["gateway.yaml", "secrets"], "a check makes no file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_leaves_the_store_of_a_stopped_gateway_as_it_was() {
    let stage = Stage::new(ROUTES);
    stage.push("one", "started").await;
    let Stage { site, gateway, workbench, .. } = stage;
    gateway.running.terminate();
    drop(workbench);
    let file = site.path("gateway.db");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
    let before = std::fs::read(&file).expect("read");
    let ended = run(site.directory.path(), &["doctor", "--offline"]).with(1);
    assert!(ended.stdout.contains("gateway.db can be used"), "{ended}");
    assert!(ended.stdout.contains("FAULT  store files: "), "{ended}");
    assert!(before == std::fs::read(&file).expect("read"), "the file is the same");
    let mode = std::fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(!site.path("gateway.db-wal").exists() && !site.path("gateway.db-shm").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_checks_what_is_in_force_where_the_files_on_disk_are_faulty() {
    let stage = Stage::new(ROUTES);
    let good = std::fs::read_to_string(stage.site.config()).expect("read");
    stage.site.write_config(&good.replace("jobs:", "jbos:"));
    let ended = stage.run(&["doctor"]).with(3);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("ok     gateway: http://127.0.0.1:"), "{ended}");
    for wanted in [
        "FAULT  configuration: gateway.yaml has ",
        "ok     in force: source github secret 0: ",
        "ok     in force: workbench main: http://127.0.0.1:",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(wanted)), "{wanted}: {ended}");
    }
    assert!(ended.stderr.contains("jbos"), "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_gateway_is_whole_and_another_gateway_starts_with_it() {
    let stage = Stage::new(ROUTES);
    let (delivery, run_id) = stage.push("one", "started").await;
    let ended = stage.run(&["backup", "copy.db"]).with(0);
    assert!(ended.stdout.starts_with("ok copy.db: "), "{ended}");
    let (later, _) = stage.push("two", "started").await;
    let copy = stage.site.path("copy.db");
    let mode = std::fs::metadata(&copy).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for beside in ["copy.db.part", "copy.db-wal", "copy.db-shm", "copy.db-journal"] {
        assert!(!stage.site.path(beside).exists(), "{beside}");
    }
    let again = stage.run(&["backup", "copy.db"]).with(1);
    assert!(again.stderr.contains("copy.db exists already"), "{again}");

    let other = Site::new("http://127.0.0.1:9", ROUTES);
    std::fs::copy(&copy, other.path("gateway.db")).expect("copied");
    let restored = Serving::on(&other);
    let shown = async |id: &str| {
        let url = format!("http://{}/api/deliveries/{id}", restored.admin);
        client().get(url).bearer_auth(ADMIN_TOKEN).send().await.expect("an answer")
    };
    let kept = shown(&delivery).await;
    assert_eq!(kept.status(), 200);
    assert!(kept.text().await.expect("text").contains(&run_id));
    assert_eq!(shown(&later).await.status(), 404, "it came after the copy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_stopped_gateway_leaves_no_file_beside_the_store() {
    let stage = Stage::new(ROUTES);
    stage.push("one", "started").await;
    let Stage { site, gateway, .. } = stage;
    gateway.running.terminate();
    run(site.directory.path(), &["backup", "copy.db"]).with(0);
    assert!(!site.path("gateway.db-wal").exists() && !site.path("gateway.db-shm").exists());
    std::fs::write(site.path("gateway.db"), "no database").expect("written");
    let ended = run(site.directory.path(), &["backup", "other.db"]).with(1);
    assert!(ended.stderr.contains("gateway.db"), "{ended}");
    assert!(!site.path("other.db").exists() && !site.path("other.db.part").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_a_companys_authority_is_named_as_the_cause_and_trusted_where_it_is_given()
{
    let stage = Stage::new(ROUTES);
    let shown = tls::valid(&["127.0.0.1"]);
    std::fs::write(stage.site.path("ca.pem"), &shown.root).expect("written");
    let hooks =
        tls::front(shown.config.clone(), stage.gateway.hooks.parse().expect("an address")).await;
    let admin = tls::front(shown.config, stage.gateway.admin.parse().expect("an address")).await;
    let (to, url) = (format!("https://{hooks}"), format!("https://{admin}"));
    let send = ["send", "github", "--payload", "push.json", "--to", &to];
    let list = ["runs", "list", "--url", &url];
    let doctor = ["doctor", "--url", &url];
    for arguments in [&send[..], &list[..]] {
        let ended = stage.run(arguments).with(4);
        assert!(ended.stderr.contains("its certificate is not trusted here"), "{ended}");
        assert!(ended.stderr.contains("--ca-file FILE"), "{ended}");
        assert!(!ended.stderr.contains("is it running"), "{ended}");
        stage.run(&[arguments, &["--ca-file", "ca.pem"]].concat()).with(0);
    }
    let ended = stage.run(&doctor).with(1);
    assert!(ended.stdout.contains("invalid peer certificate"), "{ended}");
    stage.run(&[&doctor[..], &["--ca-file", "ca.pem"]].concat()).with(0);
    let ended = stage.run(&[&list[..], &["--ca-file", "push.json"]].concat()).with(2);
    assert!(ended.stderr.contains("it holds no certificate in PEM form"), "{ended}");
}
