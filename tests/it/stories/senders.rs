//! Senders of data tools and registries, over the wire: which of their deliveries start what.

use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::model::Secret;
use cdsw_gateway::providers::{self, Outgoing};
use serde_json::{Value, json};

use super::common::{Site, World, simulator};
use super::edit;

const SECRET: &str = "canary-secret-of-a-sender";

/// A world with one source of this provider, and a route that takes whatever comes and one that asks for
/// this, if anything.
async fn world(provider: &str, settings: &str, on: &str) -> World {
    let simulator = simulator().await;
    let mut routes = "  all: { on: { source: sender }, job: retrain }\n".to_owned();
    if !on.is_empty() {
        routes.push_str(&format!("  some: {{ on: {{ source: sender, {on} }}, job: retrain }}\n"));
    }
    let site = Site::new(&simulator.api_url(), &routes);
    site.private("sender", SECRET);
    let source = format!(
        "  sender: {{ provider: {provider}, secrets: [{{ file: secrets/sender }}]{settings} }}\n"
    );
    edit(&site, "  open-ci:\n", &format!("{source}  open-ci:\n"));
    World::on(site, simulator).await
}

/// The request that the source's sender would make.
fn signed(world: &World, id: &str, body: &str) -> reqwest::RequestBuilder {
    let plan = world.live.plan();
    let source = &plan.sources["sender"];
    let outgoing = Outgoing {
        method: &http::Method::POST,
        path: "/hooks/sender",
        event: "event",
        body: body.as_bytes(),
        access_token: None,
    };
    let secret = Secret::new(SECRET);
    let signed = source.provider.sign(&outgoing, &secret, &source.options, id, world.clock.now());
    let signed = signed.expect("it signs");
    let url = match &*signed.query {
        "" => world.hook("sender"),
        query => format!("{}?{query}", world.hook("sender")),
    };
    let body = signed.body.unwrap_or_else(|| body.as_bytes().to_vec());
    world.client.post(url).headers(signed.headers.into_iter().collect()).body(body)
}

/// Sends a body as the sender would, and gives the status and the routes that started something.
async fn send(world: &World, id: &str, body: &str) -> (u16, Vec<String>) {
    let (status, answer) = world.send(signed(world, id, body)).await;
    let runs = answer["runs"].as_array().cloned().unwrap_or_default();
    let routes = runs.iter().filter_map(|run| run["route"].as_str().map(str::to_owned));
    (status, routes.collect())
}

fn sample(provider: &str, kind: &str) -> &'static str {
    providers::find(provider).expect("known").sample(kind).expect("a sample")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lakefs_is_asked_for_repository_and_branch_as_a_forge_is() {
    let world = world("lakefs", "", "repository: claims, branch: main").await;
    let merge = sample("lakefs", "post-merge");
    assert_eq!(send(&world, "1", merge).await, (202, vec!["all".into(), "some".into()]));
    let tag = sample("lakefs", "post-create-tag");
    assert_eq!(send(&world, "2", tag).await, (202, vec!["all".into()]));
    let other = merge.replace("\"claims\"", "\"other\"");
    assert_eq!(send(&world, "3", &other).await, (202, vec!["all".into()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lakefs_deletes_starts_nothing_that_does_not_ask_for_it() {
    let world = world("lakefs", "", "branch: main, deleted: true").await;
    let gone = sample("lakefs", "post-merge").replace("post-merge", "post-delete-branch");
    let (status, routes) = send(&world, "1", &gone).await;
    assert_eq!(status, 202);
    assert!(routes.contains(&"some".to_owned()), "{routes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_record_of_a_bucket_is_an_event_and_its_name_is_understood_with_and_without_s3() {
    for on in ["event: \"ObjectCreated:*\"", "event: \"s3:ObjectCreated:*\""] {
        let world = world("minio", "", on).await;
        let mut body: Value =
            serde_json::from_str(sample("minio", "ObjectCreated:Put")).expect("JSON");
        let mut removed = body["Records"][0].clone();
        removed["eventName"] = "s3:ObjectRemoved:Delete".into();
        body["Records"].as_array_mut().expect("a list").push(removed);
        let (status, mut routes) = send(&world, "1", &body.to_string()).await;
        routes.sort();
        assert_eq!((status, routes.join(" ")), (202, "all all some".to_owned()), "{on}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_a_bucket_may_be_in_the_address() {
    let world = world("minio", "", "").await;
    let url = |token: &str| format!("{}?token={token}", world.hook("sender"));
    let body = sample("minio", "ObjectCreated:Put");
    let ask = |token: &str| world.client.post(url(token)).body(body);
    assert_eq!(world.send(ask("wrong")).await.0, 401);
    assert_eq!(world.send(ask(SECRET)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_route_serves_every_registry() {
    let on = "repository: \"*/risk\", tag: \"v*\"";
    for (provider, kind) in [("docker-hub", "push"), ("quay", "push"), ("harbor", "PUSH_ARTIFACT")]
    {
        let world = world(provider, "", on).await;
        let body = sample(provider, kind);
        let (status, routes) = send(&world, "1", body).await;
        assert_eq!((status, routes.len()), (202, 2), "{provider}");
        let other = body.replace("\"v7\"", "\"latest\"");
        let (status, routes) = send(&world, "2", &other).await;
        assert_eq!((status, routes), (202, vec!["all".into()]), "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_databricks_comes_with_user_and_password_where_the_source_has_a_user() {
    let world = world("databricks", ", user: databricks", "event: jobs.on_success").await;
    let body = sample("databricks", "jobs.on_success");
    let ask = |user: &str, password: &str| {
        world.client.post(world.hook("sender")).basic_auth(user, Some(password)).body(body)
    };
    assert_eq!(world.send(ask("databricks", "wrong")).await.0, 401);
    assert_eq!(world.send(ask("other", SECRET)).await.0, 401);
    let (status, answer) = world.send(ask("databricks", SECRET)).await;
    assert_eq!((status, answer["runs"].as_array().map(Vec::len)), (202, Some(2)), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openmetadata_gets_200_and_what_it_sends_again_starts_nothing() {
    let world = world("openmetadata", "", "").await;
    let body = sample("openmetadata", "entityUpdated");
    for _ in 0..2 {
        assert_eq!(send(&world, "1", body).await.0, 200);
        assert_eq!(world.runs().await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_names_its_deliveries_in_a_header() {
    let world = world("huggingface", "", "").await;
    let body = sample("huggingface", "repo.content");
    let ask = |id: &str| {
        let request = world.client.post(world.hook("sender")).header("X-Webhook-Secret", SECRET);
        request.header("Webhook-Id", id).body(body)
    };
    let (_, first) = world.send(ask("a")).await;
    assert_eq!(first["runs"].as_array().map(Vec::len), Some(1), "{first}");
    let (_, again) = world.send(ask("a")).await;
    assert_eq!((&again["duplicate"], &again["delivery"]), (&json!(true), &first["delivery"]));
    // The same content under another id is another event of the Hub.
    let (status, other) = world.send(ask("b")).await;
    assert_eq!((status, other["runs"].as_array().map(Vec::len)), (202, Some(1)), "{other}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_in_graph_starts_something_and_its_secret_is_not_kept() {
    let world = world("microsoft-graph", "", "event: deleted").await;
    let mut body: Value = serde_json::from_str(sample("microsoft-graph", "updated")).expect("JSON");
    let mut deleted = body["value"][0].clone();
    deleted["changeType"] = "deleted".into();
    body["value"].as_array_mut().expect("a list").push(deleted);
    let (status, mut routes) = send(&world, "1", &body.to_string()).await;
    routes.sort();
    assert_eq!((status, routes.join(" ")), (202, "all all some".to_owned()));
    for file in ["gateway.db", "gateway.db-wal"] {
        let bytes = std::fs::read(world.site.path(file)).unwrap_or_default();
        let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!found, "the secret is in {file}");
    }
    // One notification without the secret spoils the delivery.
    let mut forged = body.clone();
    forged["value"][1]["clientState"] = "guess".into();
    forged["value"][0]["clientState"] = SECRET.into();
    let forged = world.client.post(world.hook("sender")).body(forged.to_string());
    assert_eq!(world.send(forged).await.0, 401);
}

/// The routes that a body starts, joined.
async fn started(world: &World, id: &str, body: &Value) -> String {
    let (status, mut routes) = send(world, id, &body.to_string()).await;
    assert!(status < 300, "{status}");
    routes.sort();
    routes.join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_any_sender_is_events_with_a_kind_and_an_action_of_their_own() {
    let settings = ", header: X-Token, each: { field: data.items }, event: { field: kind }, \
                    action: { field: done.word }";
    let world = world("token", settings, "event: model, action: [trained, retrained]").await;
    let item = |kind: &str, word: &str| json!({ "kind": kind, "done": { "word": word } });
    let body = json!({ "data": { "items": [
        item("model", "trained"), item("model", "deleted"), item("data", "trained"),
        item("model", "retrained"),
    ] } });
    assert_eq!(started(&world, "1", &body).await, "all all all all some some");
    // What the element lacks, the whole body may say.
    let body =
        json!({ "kind": "model", "data": { "items": [{ "done": { "word": "trained" } }, {}] } });
    assert_eq!(started(&world, "2", &body).await, "all all some");
    // Without the list, or with an empty one, the body is one event.
    for (id, body) in [
        ("3", json!({ "kind": "model", "done": { "word": "trained" } })),
        ("4", json!({ "kind": "model", "done": { "word": "trained" }, "data": { "items": [] } })),
    ] {
        assert_eq!(started(&world, id, &body).await, "all some");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_a_list_is_events_where_the_source_says_so() {
    let settings = ", header: X-Token, each: { field: . }, event: { field: type }";
    let world = world("token", settings, "event: b").await;
    let body = json!([{ "type": "a" }, { "type": "b" }, 7]);
    assert_eq!(started(&world, "1", &body).await, "all all all some");
    let (status, answer) = world.send(signed(&world, "2", &json!(vec![1; 1001]).to_string())).await;
    assert_eq!(status, 400, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_producers_that_count_alike_are_told_apart_by_an_id_of_several_fields() {
    let settings = ", header: X-Token, delivery_id: { fields: [source, id] }";
    let world = world("token", settings, "").await;
    let body =
        |source: &str, id: u64, more: u64| json!({ "source": source, "id": id, "more": more });
    assert_eq!(started(&world, "", &body("a", 1, 0)).await, "all");
    assert_eq!(started(&world, "", &body("b", 1, 0)).await, "all");
    assert_eq!(world.runs().await, 2);
    let (status, again) = world.send(signed(&world, "", &body("a", 1, 0).to_string())).await;
    assert_eq!((status, &again["duplicate"]), (200, &json!(true)), "{again}");
    assert_eq!(world.runs().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_within_the_list_identify_the_delivery_where_the_body_has_none() {
    let settings = ", header: X-Token, each: { field: Records }, delivery_id: { field: id }, event: { field: k }";
    let world = world("token", settings, "").await;
    let ids = |ids: &[u64]| {
        let records: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({ "Records": records, "sent": 1 })
    };
    for body in [ids(&[1, 2]), ids(&[1]), ids(&[2, 1])] {
        let (status, answer) = world.send(signed(&world, "", &body.to_string())).await;
        assert_eq!((status, answer["duplicate"] == true), (202, false), "{answer}");
    }
    let key = |answer: &Value| answer["delivery"].clone();
    let (_, answer) = world.send(signed(&world, "", &ids(&[1, 2]).to_string())).await;
    assert_eq!(answer["duplicate"], true, "{answer}");
    let (_, view) = world
        .api(reqwest::Method::GET, &format!("/api/deliveries/{}", text(&key(&answer))), None)
        .await;
    assert!(view.to_string().contains("\"1 2\""), "{view}");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

const GUIDES: &str = include_str!("../../../docs/guides.md");

/// The lines below this key of the guide's configuration.
fn guide(key: &str) -> String {
    let yaml = GUIDES.split("```yaml").nth(1).and_then(|rest| rest.split("```").next());
    let from = yaml.expect("a configuration").split_once(&format!("\n{key}:\n")).expect("a key").1;
    from.lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        .fold(String::new(), |all, line| all + line + "\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_starts_one_training_for_every_five_hundred_annotations() {
    let simulator = simulator().await;
    let site = Site::new(&simulator.api_url(), &guide("routes"));
    site.private("label-studio", SECRET);
    edit(&site, "  open-ci:\n", &format!("{}  open-ci:\n", guide("sources")));
    let world = World::on(site, simulator).await;
    let mut body: Value =
        serde_json::from_str(sample("label-studio", "ANNOTATION_CREATED")).expect("JSON");
    for (annotation, finished) in [(1, 498), (2, 499), (3, 500), (4, 500), (5, 501)] {
        body["annotation"]["id"] = annotation.into();
        body["project"]["finished_task_number"] = finished.into();
        let request =
            world.signed("label-studio", "ANNOTATION_CREATED", "", body.to_string(), SECRET);
        let (status, answer) = world.send(request).await;
        let runs = answer["runs"].as_array().map(Vec::len);
        let expected = if finished == 500 { (202, Some(1)) } else { (200, Some(0)) };
        assert_eq!((status, runs), expected, "{finished}: {answer}");
    }
    world.clock.advance(std::time::Duration::from_secs(61));
    world.simulator.wait_for_requests(1).await;
    let seen = world.simulator.requests().remove(0).environment;
    assert_eq!(seen.get("FINISHED").map(ToString::to_string).as_deref(), Some("500"));
    let (_, list) = world.api(reqwest::Method::GET, "/api/runs", None).await;
    let states = list["runs"].as_array().expect("runs").iter().map(|run| text(&run["state"]));
    assert_eq!(states.filter(|state| *state == "superseded").count(), 1, "{list}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_eventbridge_is_asked_for_by_its_detail_type() {
    let world = world("aws-eventbridge", "", "event: Object Created").await;
    let body = sample("aws-eventbridge", "Object Created");
    let ask = |token: &str| world.client.post(world.hook("sender")).bearer_auth(token).body(body);
    assert_eq!(world.send(ask("wrong")).await.0, 401);
    let (status, answer) = world.send(ask(SECRET)).await;
    assert_eq!((status, answer["runs"].as_array().map(Vec::len)), (202, Some(2)), "{answer}");
    let (_, again) = world.send(ask(SECRET)).await;
    assert_eq!(again["duplicate"], true, "{again}");
    let other = body.replace("Object Created", "Object Deleted");
    assert_eq!(started(&world, "", &serde_json::from_str(&other).expect("JSON")).await, "all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_an_api_destination_may_be_in_a_header_of_its_own() {
    let world = world("aws-eventbridge", ", header: X-Api-Key", "").await;
    let body = sample("aws-eventbridge", "Object Created");
    let ask =
        |key: &str| world.client.post(world.hook("sender")).header("X-Api-Key", key).body(body);
    assert_eq!(world.send(ask("wrong")).await.0, 401);
    assert_eq!(world.send(ask(SECRET)).await.0, 202);
}
