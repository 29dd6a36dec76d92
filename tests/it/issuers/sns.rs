//! Amazon SNS, whose certificates and confirmations are at a host that the test's server plays.

use cdsw_gateway::providers::find;
use http::HeaderMap;

use super::*;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:datasets";
const CERTIFICATE: &str =
    include_str!("../../../src/providers/samples/keys/throw-away.certificate.pem");

/// A message of these fields, signed by the throw-away key, at a certificate of this name.
fn message(fields: Json, certificate: &str) -> String {
    use base64::Engine as _;
    use cdsw_gateway::authenticate::keys::{Scheme, sign};

    let mut message = json!({
        "Type": "Notification", "MessageId": "id-1", "TopicArn": TOPIC,
        "Message": "{\"dataset\": \"loans\"}", "Timestamp": "2026-03-01T12:00:00.000Z",
        "SignatureVersion": "2", "SigningCertURL": format!("https://{SNS}/{certificate}"),
    });
    for (name, value) in fields.as_object().expect("a map") {
        message[name] = value.clone();
    }
    let names = [
        "Message",
        "MessageId",
        "SubscribeURL",
        "Subject",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ];
    let signed: String = names
        .iter()
        .filter_map(|name| Some(format!("{name}\n{}\n", message.get(name)?.as_str()?)))
        .collect();
    let key = find("aws-sns").expect("a provider").sample_signer();
    let signature = sign(Scheme::RsaSha256, &key, signed.as_bytes()).expect("it signs");
    message["Signature"] = base64::prelude::BASE64_STANDARD.encode(signature).into();
    message.to_string()
}

fn confirmation(topic: &str, visit: &str) -> String {
    let fields = json!({
        "Type": "SubscriptionConfirmation", "MessageId": "id-0", "TopicArn": topic,
        "Message": "confirm", "Token": "t", "SubscribeURL": visit,
    });
    message(fields, "SimpleNotificationService-1.pem")
}

async fn post(world: &World, body: String) -> u16 {
    let request = world.client.post(world.hook("datasets")).headers(HeaderMap::new()).body(body);
    request.send().await.expect("an answer").status().as_u16()
}

async fn amazon() -> (KeyServer, World) {
    let server = KeyServer::start(&[SNS], Mode::Publish(CERTIFICATE.to_owned())).await;
    let world = world(&server).await;
    (server, world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_starts_a_job_and_its_certificate_is_fetched_once() {
    let (server, world) = amazon().await;
    let certificate = "SimpleNotificationService-1.pem";
    assert_eq!(post(&world, message(json!({}), certificate)).await, 202);
    assert_eq!(post(&world, message(json!({ "MessageId": "id-2" }), certificate)).await, 202);
    assert_eq!(post(&world, message(json!({}), certificate)).await, 200, "a repeat");
    assert_eq!(server.paths(), [format!("/{certificate}")]);
    assert_eq!(world.runs().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_changed_is_refused() {
    let (_server, world) = amazon().await;
    let good = message(json!({}), "SimpleNotificationService-1.pem");
    let changed = good.replace("loans", "bonds");
    assert_ne!(changed, good);
    assert_eq!(post(&world, changed).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_fetched_for_another_topic_or_from_another_host() {
    let (server, world) = amazon().await;
    let other = TOPIC.replace("datasets", "others");
    let good = message(json!({}), "SimpleNotificationService-1.pem");
    for body in [
        message(json!({ "TopicArn": other }), "SimpleNotificationService-1.pem"),
        good.replace("https://sns.eu-west-1.amazonaws.com/", "https://evil.example.com/"),
        good.replace("https://sns.", "http://sns."),
        good.replace("Service-1", "Service/../1"),
        confirmation(&other, &format!("https://{SNS}/?Action=ConfirmSubscription")),
        confirmation(TOPIC, "https://evil.example.com/?Action=ConfirmSubscription"),
        "raw message".to_owned(),
    ] {
        assert_eq!(post(&world, body).await, 401);
    }
    assert_eq!(server.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_confirmed_once_it_is_kept_and_starts_nothing() {
    let (server, world) = amazon().await;
    let visit = format!("https://{SNS}/?Action=ConfirmSubscription&Token=t");
    assert_eq!(post(&world, confirmation(TOPIC, &visit)).await, 200);
    until_counted(&world, SNS, "confirmed", 1).await;
    let paths = ["/SimpleNotificationService-1.pem", "/?Action=ConfirmSubscription&Token=t"];
    assert_eq!(server.paths(), paths);
    assert_eq!(world.runs().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_confirmation_is_not_visited() {
    let (server, world) = amazon().await;
    let visit = format!("https://{SNS}/?Action=ConfirmSubscription&Token=t");
    let forged = confirmation(TOPIC, &visit).replace("Token=t", "Token=u");
    assert_eq!(post(&world, forged).await, 401);
    assert_eq!(server.paths(), ["/SimpleNotificationService-1.pem"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_make_up_certificates_cause_few_fetches() {
    let (server, world) = amazon().await;
    assert_eq!(post(&world, message(json!({}), "SimpleNotificationService-1.pem")).await, 202);
    server.is_now(Mode::Status(404));
    world.clock.advance(std::time::Duration::from_secs(5));
    for number in 0..100 {
        let body = message(json!({}), &format!("SimpleNotificationService-x{number}.pem"));
        assert!(matches!(post(&world, body).await, 401 | 503));
    }
    assert_eq!(server.asked(), 4, "what one peer may cause");
    let good = message(json!({ "MessageId": "id-3" }), "SimpleNotificationService-1.pem");
    assert_eq!(post(&world, good).await, 202, "what is known needs no fetch");
}

/// Sends from another address of this machine, which is another peer.
fn stranger() -> reqwest::Client {
    let address = std::net::IpAddr::from([127, 0, 0, 2]);
    reqwest::Client::builder().local_address(address).no_proxy().build().expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_makes_up_certificates_does_not_keep_a_fresh_gateway_deaf() {
    let server = KeyServer::start(&[SNS], Mode::Status(404)).await;
    let world = world(&server).await;
    let stranger = stranger();
    for number in 0..100 {
        let body = message(json!({}), &format!("SimpleNotificationService-x{number}.pem"));
        let answer = stranger.post(world.hook("datasets")).body(body).send().await;
        assert!(matches!(answer.expect("an answer").status().as_u16(), 401 | 503));
    }
    assert_eq!(server.asked(), 4);
    server.is_now(Mode::Publish(CERTIFICATE.to_owned()));
    assert_eq!(post(&world, message(json!({}), "SimpleNotificationService-1.pem")).await, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_signature_that_could_be_one_causes_no_fetch() {
    let (server, world) = amazon().await;
    let good: Json =
        serde_json::from_str(&message(json!({}), "SimpleNotificationService-1.pem")).expect("JSON");
    for signature in ["", "AAAA", "not base64!", &"QUJD".repeat(300)] {
        let mut bad = good.clone();
        bad["Signature"] = signature.into();
        assert_eq!(post(&world, bad.to_string()).await, 401, "{signature}");
    }
    let mut bad = good;
    bad["SignatureVersion"] = "3".into();
    assert_eq!(post(&world, bad.to_string()).await, 401);
    assert_eq!(server.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_captured_does_not_work_again_once_it_is_old() {
    let (_server, world) = amazon().await;
    let captured = message(json!({}), "SimpleNotificationService-1.pem");
    assert_eq!(post(&world, captured.clone()).await, 202);
    for hours in [1, 24, 24 * 8] {
        world.clock.advance(std::time::Duration::from_secs(hours * 3600));
        let expected = if hours == 1 { 200 } else { 401 };
        assert_eq!(post(&world, captured.clone()).await, expected, "after {hours} hours more");
    }
    assert_eq!(world.runs().await, 1);
}
