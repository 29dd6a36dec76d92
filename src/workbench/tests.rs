//! Tests of what is the same for every job API.

use super::*;

/// Clients can be made only once the process has chosen its cryptography provider.
pub(super) fn choose_cryptography() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

fn plan(url: &str) -> Arc<WorkbenchPlan> {
    Arc::new(WorkbenchPlan {
        name: "main".into(),
        url: url.parse().expect("an address"),
        api_prefix: "/api/v1".to_owned(),
        ca_file: None,
        proxy: None,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        breaker: crate::model::BreakerPolicy {
            window: Duration::from_secs(60),
            least: 5,
            percent: 50,
            open_for: Duration::from_secs(30),
            longest_open: Duration::from_secs(300),
        },
        api_keys: std::collections::BTreeMap::new(),
    })
}

#[tokio::test]
async fn a_job_of_another_api_is_refused_and_nothing_is_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    choose_cryptography();
    let workbench = Workbench::new(plan(&format!("http://{address}/"))).expect("a client");
    let target = Target::V2 { project_id: "abcd-1234".to_owned(), job_id: "wxyz-5678".to_owned() };
    let start = Start {
        target: &target,
        environment: &Environment::default(),
        run: RunId::from_bytes([1; 16]),
        delivery: DeliveryId::from_bytes([2; 16]),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let key = Secret::new("canary-key");
    let words = "nothing was sent: project abcd-1234 job wxyz-5678 is a job of the API v2, and \
                 workbench main speaks the API v1";
    let refused = workbench.start(&start, &key).await.expect_err("refused");
    assert_eq!(refused, NotSent::OtherApi(words.to_owned()));
    assert_eq!(workbench.find(&start, &key).await, Err(words.to_owned()));
    assert_eq!(workbench.look_up(&target, &key).await, Err(words.to_owned()));
    // A connection would be waiting by now: each call ended before this.
    let none = listener.accept().expect_err("no connection");
    assert_eq!(none.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn every_start_carries_the_names_of_its_run_and_delivery() {
    let mut environment = Environment::default();
    environment.insert("GIT_SHA", "0a1b".to_owned());
    let target = Target::V1 { owner: "alice".into(), project: "risk".into(), number: 208 };
    let start = Start {
        target: &target,
        environment: &environment,
        run: RunId::from_bytes([1; 16]),
        delivery: DeliveryId::from_bytes([2; 16]),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let variables = serde_json::to_value(start.variables()).expect("JSON");
    assert_eq!(variables["GIT_SHA"], "0a1b");
    assert_eq!(variables["GATEWAY_RUN_ID"], start.run.to_string());
    assert_eq!(variables["GATEWAY_DELIVERY_ID"], start.delivery.to_string());
}
