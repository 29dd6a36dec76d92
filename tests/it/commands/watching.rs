//! Commands that look at a running gateway, and act on it.

use super::stage::{ROUTES, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_sent_listed_and_shown() {
    let stage = Stage::new(ROUTES);
    insta::assert_snapshot!("nothing_yet", stage.run(&["deliveries", "list"]).with(0));
    let (delivery, run) = stage.push("72d3162e-cc78-11e3-81ab-4c9367dc0958", "started").await;
    let repeat = stage.send(&["--id", "72d3162e-cc78-11e3-81ab-4c9367dc0958"]).with(0);
    insta::assert_snapshot!("sent_again", repeat);
    insta::assert_snapshot!("deliveries_list", stage.run(&["deliveries", "list"]).with(0));
    insta::assert_snapshot!(
        "deliveries_show",
        stage.run(&["deliveries", "show", &delivery]).with(0)
    );
    let body = stage.run(&["deliveries", "show", &delivery, "--body"]).with(0);
    assert_eq!(body.stdout, super::common::PUSH, "byte for byte");
    insta::assert_snapshot!("runs_show", stage.run(&["runs", "show", &run]).with(0));
    let list = stage.run(&["deliveries", "list", "--source", "gitlab"]).with(0);
    assert_eq!(list.stdout, "no deliveries\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_erased_only_after_a_word_that_it_is_meant() {
    let stage = Stage::new(ROUTES);
    let (delivery, _) = stage.push("gone", "held").await;
    insta::assert_snapshot!("would_erase", stage.run(&["deliveries", "erase", &delivery]).with(2));
    let body = stage.run(&["deliveries", "show", &delivery, "--body"]).with(0);
    assert_eq!(body.stdout, super::common::PUSH, "nothing was erased");
    let erase = ["deliveries", "erase", &delivery, "--yes", "--note", "asked for"];
    insta::assert_snapshot!("erased", stage.run(&erase).with(0));
    insta::assert_snapshot!("erased_show", stage.run(&["deliveries", "show", &delivery]).with(0));
    stage.run(&["deliveries", "show", &delivery, "--body"]).with(5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_is_told_to_the_admin_and_not_to_the_sender() {
    let stage = Stage::new(ROUTES);
    insta::assert_snapshot!("refused_sender", stage.send(&["--id", "x", "--wrong-secret"]).with(1));
    insta::assert_snapshot!(
        "refused_admin",
        stage.run(&["deliveries", "refused", "github"]).with(0)
    );
    let none = stage.run(&["deliveries", "refused", "gitlab"]).with(0);
    assert_eq!(none.stdout, "nothing was refused since the gateway started\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_run_is_found_looked_at_and_released() {
    let stage = Stage::new(ROUTES);
    let (_, held) = stage.push("held", "held").await;
    insta::assert_snapshot!("held_list", stage.run(&["runs", "list", "--state", "held"]).with(0));
    insta::assert_snapshot!("held_show", stage.run(&["runs", "show", &held]).with(0));
    let note = ["--note", "seen in the job's history"];
    let started = ["release", &held, "--started", "cwg6wclmg0x482u0"];
    insta::assert_snapshot!("released", stage.run(&[&started[..], &note].concat()).with(0));
    insta::assert_snapshot!("released_twice", stage.run(&["release", &held, "--retry"]).with(6));

    let (_, second) = stage.push("second", "held").await;
    stage.run(&["release", &second, "--retry"]).with(0);
    stage.reaches(&second, "started").await;
    let (_, third) = stage.push("third", "held").await;
    let failed = stage.run(&["release", &third, "--fail", "--json"]).with(0).json();
    assert_eq!(
        (&failed["state"], &failed["reason"]),
        (&"failed".into(), &"given up by ops".into())
    );
    let none = stage.run(&["runs", "list", "--state", "held"]).with(0);
    assert_eq!(none.stdout, "no runs\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_run_is_replayed_after_a_look_at_what_would_happen() {
    let stage = Stage::new(ROUTES);
    let (delivery, run) = stage.push("failed", "failed").await;
    insta::assert_snapshot!("failed_show", stage.run(&["runs", "show", &run]).with(0));
    insta::assert_snapshot!("replay_dry", stage.run(&["replay", &delivery, "--dry-run"]).with(0));
    insta::assert_snapshot!("replay", stage.run(&["replay", &delivery]).with(0));
    stage.reaches(&run, "started").await;
    insta::assert_snapshot!("replay_again_not", stage.run(&["replay", &delivery]).with(0));
    let again = stage.run(&["replay", &delivery, "--again", "--json"]).with(0).json();
    assert_eq!(again["runs"][0]["what"], "new");
    stage.reaches(again["runs"][0]["id"].as_str().expect("an id"), "started").await;
    insta::assert_snapshot!(
        "replay_not_matched",
        stage.run(&["replay", &delivery, "--route", "report-on-develop"]).with(6)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_what_is_in_order_and_what_is_not() {
    let mut stage = Stage::new(ROUTES);
    insta::assert_snapshot!("doctor_good", stage.run(&["doctor", "--look-up-jobs"]).with(0));
    drop(stage.workbench.take());
    std::fs::remove_file(stage.site.path("secrets/api-key")).expect("removed");
    insta::assert_snapshot!("doctor_bad", stage.run(&["doctor"]).with(1));
    let findings = stage.run(&["doctor", "--json"]).with(1).json();
    let bad = findings["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|found| found["good"] == false);
    assert_eq!(bad.count(), 2, "{findings}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_scripts_ask_for_is_json_and_nothing_else() {
    let stage = Stage::new(ROUTES);
    let (delivery, run) = stage.push("one", "started").await;
    stage.push("two", "held").await;
    let to = format!("http://{}", stage.gateway.hooks);
    let push = stage.site.path("push.json");
    let push = push.to_str().expect("text");
    let other = stage.site.path("other.json");
    std::fs::write(&other, "{\"repository\": {\"full_name\": \"acme/risk\"}}").expect("written");
    let other = other.to_str().expect("text");
    for arguments in [
        &["check"] as &[&str],
        &["schema"],
        &["explain", "github", push],
        &["explain", "github", other, "--event", "fork"],
        &["send", "github", "--to", &to],
        &["send", "github", "--to", &to, "--wrong-secret"],
        &["deliveries", "list"],
        &["deliveries", "list", "--source", "gitlab"],
        &["deliveries", "show", &delivery],
        &["deliveries", "refused", "github"],
        &["runs", "list"],
        &["runs", "list", "--job", "nothing"],
        &["runs", "show", &run],
        &["replay", &delivery, "--dry-run"],
        &["replay", &delivery],
        &["doctor"],
    ] {
        let ended = stage.run(&[arguments, &["--json"]].concat());
        assert!(ended.status <= 1, "{ended}");
        assert!(!ended.json().is_null(), "{ended}");
        assert!(ended.stderr.is_empty(), "{ended}");
    }
}

#[tokio::test]
async fn secrets_shows_how_often_each_was_used_and_where_it_is_kept() {
    let stage = Stage::new(ROUTES);
    let before = stage.run(&["secrets"]).with(0);
    assert!(before.stdout.contains("never"), "{before}");
    stage.send(&[]).with(0);
    let used = stage.run(&["secrets", "--json"]).with(0).json();
    let of = |source: &str| {
        let secrets = used["secrets"].as_array().expect("a list");
        secrets.iter().find(|secret| secret["source"] == source).expect("listed").clone()
    };
    assert_eq!((&of("github")["deliveries"], &of("gitlab")["deliveries"]), (&1.into(), &0.into()));
    let reference = of("github")["reference"].as_str().expect("text").to_owned();
    assert!(reference.ends_with("secrets/webhook"), "{reference}");
    assert!(!used.to_string().contains("canary"), "{used}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paused_is_said_so_and_the_word_from_before_still_works() {
    let stage = Stage::new(ROUTES);
    let paused = stage.run(&["jobs", "pause", "retrain", "--note", "month-end close"]).with(0);
    assert_eq!(paused.stdout, "job retrain is paused; deliveries are still kept\n");
    let list = stage.run(&["jobs", "paused"]).with(0);
    assert!(list.stdout.contains("job retrain") && list.stdout.contains("month-end"), "{list}");
    let resumed = stage.run(&["jobs", "resume", "retrain"]).with(0);
    assert_eq!(resumed.stdout, "job retrain is resumed\n");
    let resumed = stage.run(&["jobs", "resume", "retrain"]).with(0);
    assert_eq!(resumed.stdout, "job retrain was not paused\n");
    for word in ["pause", "stop"] {
        let paused = stage.run(&["starts", word]).with(0);
        assert_eq!(paused.stdout, "every start is paused; deliveries are still kept\n");
        stage.run(&["starts", "resume"]).with(0);
    }
    assert_eq!(stage.run(&["starts", "paused"]).with(0).stdout, "nothing is paused\n");
}
