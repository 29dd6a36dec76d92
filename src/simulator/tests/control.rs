//! The control API does what the methods do.

use serde_json::json;

use super::*;

async fn post(simulator: &Simulator, path: &str, body: &Value) -> (u16, String) {
    let url = format!("{}{path}", simulator.control_url());
    let answer = client().post(url).json(body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

async fn get<Content: serde::de::DeserializeOwned>(simulator: &Simulator, path: &str) -> Content {
    let url = format!("{}{path}", simulator.control_url());
    client().get(url).send().await.expect("an answer").json().await.expect("JSON")
}

async fn done(simulator: &Simulator, path: &str, body: &Value) {
    assert_eq!(post(simulator, path, body).await, (204, String::new()), "{path}");
}

#[tokio::test]
async fn it_seeds_breaks_and_tells() {
    let simulator = simulator().await;
    let seed = json!({
        "site": { "SITE": "here" },
        "users": [{ "name": "bob", "key": "bobs-key", "password": "bobs-password" }],
        "projects": [{ "name": "bob/churn", "environment": { "MODE": "daily" } }],
        "jobs": [{ "project": "bob/churn", "id": 7 }],
    });
    done(&simulator, "/seed", &seed).await;
    let rule = json!({ "fault": { "reply": { "status": 429 } }, "times": 1 });
    done(&simulator, "/faults", &rule).await;
    let rules = json!([{ "fault": "reset_after_read", "times": 1, "job": JOB }, rule]);
    done(&simulator, "/faults", &rules).await;
    let kept: Vec<FaultRule> = get(&simulator, "/faults").await;
    assert_eq!(kept.len(), 3);
    for wanted in [429, 429, 200] {
        assert_eq!(status(&simulator, "bobs-key", "bob/churn/jobs/7", "").await, wanted);
    }
    let log: Vec<LogEntry> = get(&simulator, "/requests?after=1").await;
    assert_eq!(log, simulator.requests_after(1));
    assert_eq!((log.len(), log[1].number), (2, 3));
    let runs: Vec<RunRecord> = get(&simulator, "/runs").await;
    assert_eq!(runs, simulator.runs());
    assert_eq!(runs[0].job, "bob/churn/7");
    assert_eq!(Vec::from_iter(runs[0].environment.values()), ["daily", "here"]);
    let url = format!("{}/faults", simulator.control_url());
    assert_eq!(client().delete(url).send().await.expect("an answer").status(), 204);
    assert_eq!(simulator.faults(), []);
}

#[tokio::test]
async fn a_rule_that_could_never_do_what_it_says_is_refused_with_its_list() {
    let simulator = simulator().await;
    for rule in [
        json!({ "fault": "explode" }),
        json!({ "fault": "truncated", "time": 1 }),
        json!({ "fault": "truncated", "probability": 1.5 }),
        json!({ "fault": "truncated", "job": "208" }),
        json!({ "fault": "truncated", "job": "alice/risk-analysis/first" }),
        json!({ "fault": "refuse_connection", "job": JOB }),
    ] {
        let (status, text) =
            post(&simulator, "/faults", &json!([{ "fault": "truncated" }, rule])).await;
        assert_eq!(status, 400, "{rule}");
        let reply: Value = serde_json::from_str(&text).expect("JSON");
        assert!(reply["message"].is_string(), "{reply}");
    }
    assert_eq!(simulator.faults(), []);
}

#[tokio::test]
async fn a_seed_takes_the_place_of_what_has_its_name() {
    let simulator = simulator().await;
    for value in ["old", "new"] {
        let job = SimulatedJob {
            target: super::job(208),
            environment: [("MODE".to_owned(), value.to_owned())].into(),
            status: None,
        };
        let users = vec![SimulatedUser::new("alice", value)];
        simulator.seed(Seed { users, jobs: vec![job], ..Seed::default() });
    }
    assert_eq!(status(&simulator, KEY, PATH, "").await, 401);
    assert_eq!(status(&simulator, "old", PATH, "").await, 401);
    assert_eq!(status(&simulator, "new", PATH, "").await, 200);
    assert_eq!(simulator.runs()[0].environment["MODE"], "new");
}

#[tokio::test]
async fn a_faulty_seed_changes_nothing_and_repeats_no_key() {
    let simulator = simulator().await;
    let job = json!({ "project": "bob/churn", "id": 7 });
    for seed in [
        json!({ "users": [{ "name": "bob", "key": "" }], "jobs": [job] }),
        json!({ "users": [{ "name": "bob", "key": "k", "password": "" }] }),
        json!({ "users": [{ "name": 1, "key": "canary-key" }] }),
        json!({ "people": [] }),
        json!({ "jobs": [{ "project": "churn", "id": 7 }] }),
    ] {
        let (status, text) = post(&simulator, "/seed", &seed).await;
        assert_eq!(status, 400, "{seed}");
        assert!(!text.contains("canary-key"), "{text}");
    }
    assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn it_lets_held_answers_go_and_closes_and_opens_the_port() {
    let simulator = with(Fault::HoldAnswer).await;
    let (answer, ()) = tokio::join!(start(&simulator), async {
        simulator.wait_for_requests(1).await;
        done(&simulator, "/release", &Value::Null).await;
    });
    assert_eq!(answer.expect("an answer").status(), 200);
    done(&simulator, "/listening", &json!({ "open": false })).await;
    assert!(start(&simulator).await.expect_err("refused").is_connect());
    done(&simulator, "/listening", &json!({ "open": true })).await;
    assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_reset_goes_back_to_the_options_and_counts_on() {
    let simulator = simulator().await;
    simulator.seed(Seed { users: vec![SimulatedUser::new("bob", "bobs-key")], ..Seed::default() });
    start(&simulator).await.expect("an answer");
    let before = simulator.runs().remove(0).engine_id;
    simulator.add_fault(FaultRule::always(Fault::busy_503()));
    done(&simulator, "/reset", &Value::Null).await;
    assert_eq!(
        (simulator.requests(), simulator.runs(), simulator.faults()),
        (vec![], vec![], vec![])
    );
    assert_eq!(status(&simulator, "bobs-key", PATH, "").await, 401);
    assert_eq!(start(&simulator).await.expect("an answer").status(), 200);
    simulator.wait_for_requests(2).await;
    assert_eq!(simulator.requests().last().expect("an entry").number, 3);
    assert_ne!(simulator.runs()[0].engine_id, before);
}
