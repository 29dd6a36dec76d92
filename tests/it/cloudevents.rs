//! CloudEvents over HTTP: what the specification's own examples are read as, and every mode with every scheme over the
//! wire.

use std::sync::Arc;

use bytes::Bytes;
use cdsw_gateway::authenticate::{Unverified, kept};
use cdsw_gateway::clock::Clock as _;
use cdsw_gateway::event::{DecodeFault, Understood, understand};
use cdsw_gateway::model::{Secret, Value};
use cdsw_gateway::providers::{self, Options, Outgoing, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value as Json, json};

use super::common::{Site, World, simulator};
use super::stories::edit;

const SECRET: &str = "canary-secret-of-forty-bytes-for-hmac-256";
const STRUCTURED: &str = "application/cloudevents+json; charset=UTF-8";
const BATCH: &str = "application/cloudevents-batch+json";

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        let name: HeaderName = name.parse().expect("a name");
        (name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"))
    };
    pairs.iter().map(pair).collect()
}

fn read_as(
    scheme: Option<Scheme>,
    given: &[(&str, &str)],
    body: &[u8],
) -> Result<Understood, DecodeFault> {
    let provider = providers::find("cloudevents").expect("known");
    let (method, headers) = (&Method::POST, &headers(given));
    let body = Bytes::copy_from_slice(body);
    let request =
        Unverified { method, path: "/hooks/events", rest: "", query: "", headers, body: &body };
    let options = Options { scheme, ..Options::default() };
    understand(&request.verified(kept::kept(Value::Null)), provider, &options, &Arc::from("events"))
}

fn read(given: &[(&str, &str)], body: &[u8]) -> Result<Understood, DecodeFault> {
    read_as(None, given, body)
}

/// The headers of an event in binary mode, with these further ones.
fn binary<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("ce-specversion", "1.0"),
        ("ce-type", "com.example.someevent"),
        ("ce-time", "2018-04-05T03:56:24Z"),
        ("ce-id", "1234-1234-1234"),
        ("ce-source", "/mycontext/subcontext"),
    ];
    let others = usual.into_iter().filter(|(name, _)| more.iter().all(|(given, _)| given != name));
    others.chain(more.iter().copied()).collect()
}

fn body_of(understood: &Understood) -> Json {
    let mut text = String::new();
    understood.events[0].body.write_json(&mut text).expect("a string takes it");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_event_and_batch_of_the_conformance_suite_is_read_or_refused_as_it_says() {
    let vectors: Vec<Json> =
        serde_json::from_str(include_str!("../vectors/cloudevents.json")).expect("JSON");
    assert_eq!(vectors.len(), 43);
    let wrong: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            let mode = if vector["mode"] == "batch" { BATCH } else { STRUCTURED };
            let body = vector["body"].to_string();
            let verdict = read(&[("content-type", mode)], body.as_bytes());
            let expected = vector["expect"] == "accept";
            let fault = verdict.as_ref().err().map(ToString::to_string);
            (verdict.is_ok() != expected).then(|| format!("{}: {fault:?}", vector["id"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_three_modes_of_one_event_look_alike() {
    let event = json!({
        "specversion": "1.0", "type": "com.example.someevent", "time": "2018-04-05T03:56:24Z",
        "id": "1234-1234-1234", "source": "/mycontext/subcontext",
        "datacontenttype": "application/json; charset=utf-8", "data": { "message": "Hello World!" },
    });
    let structured = read(&[("content-type", STRUCTURED)], event.to_string().as_bytes());
    let structured = structured.expect("structured");
    let kind = "application/json; charset=utf-8";
    let data = br#"{ "message": "Hello World!" }"#;
    let in_headers = read(&binary(&[("content-type", kind)]), data).expect("binary");
    let batch = read(&[("content-type", BATCH)], json!([event]).to_string().as_bytes());
    let batch = batch.expect("a batch");
    assert_eq!(body_of(&structured), event);
    assert_eq!(body_of(&in_headers), event);
    assert_eq!(body_of(&batch), json!([event]));
    for understood in [&structured, &in_headers, &batch] {
        assert_eq!(&*understood.kind, "com.example.someevent");
        assert_eq!(&*understood.identity.key(), "/mycontext/subcontext 1234-1234-1234");
    }
}

#[test]
fn attributes_in_headers_are_taken_out_of_quotes_and_percent_encoding_once() {
    for (value, expected) in [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", Some("Euro € 😀")),
        ("%41b%2fc", Some("Ab/c")),
        ("%2520", Some("%20")),
        ("100%", Some("100%")),
        (r#""a b""#, Some("a b")),
        (r#""a \"b\" \\ c""#, Some(r#"a "b" \ c"#)),
        (r#""a%20b""#, Some("a b")),
        (r#"x"y z""#, Some("xy z")),
        (r#""a"#, None),
        (r#""a\"#, None),
        ("%C0%A0", None),
        ("%ff", None),
        ("", None),
    ] {
        let told = read(&binary(&[("ce-subject", value)]), b"").ok();
        let subject = told.map(|told| body_of(&told)["subject"].as_str().map(str::to_owned));
        assert_eq!(subject.flatten().as_deref(), expected, "{value}");
    }
}

#[test]
fn data_in_binary_mode_is_json_text_or_bytes() {
    let told = |kind: Option<&str>, body: &[u8]| {
        let more: Vec<_> = kind.map(|kind| ("content-type", kind)).into_iter().collect();
        read(&binary(&more), body).map(|told| body_of(&told)).map_err(|fault| fault.to_string())
    };
    assert_eq!(told(Some("application/vnd.acme+json"), b"[1]").expect("read")["data"], json!([1]));
    assert_eq!(told(Some("text/csv"), b"a,b").expect("read")["data"], "a,b");
    assert_eq!(told(Some("text/plain"), b"[1]").expect("read")["data"], "[1]");
    assert_eq!(told(None, b"{\"a\": 1}").expect("read")["data"], json!({ "a": 1 }));
    assert_eq!(told(None, b"plain").expect("read")["data"], "plain");
    let image = told(Some("image/png"), b"\x89PNG\xff").expect("read");
    assert_eq!((&image["data"], &image["data_base64"]), (&Json::Null, &json!("iVBOR/8=")));
    let empty = told(Some("application/json"), b"").expect("read");
    assert_eq!(empty.get("data"), None);
    assert!(told(Some("application/json"), b"{").expect_err("refused").contains("not JSON"));
}

#[test]
fn data_in_base64_is_decoded_beside_its_text() {
    let told = |kind: Json, text: &str| {
        let event = json!({
            "specversion": "1.0", "type": "t", "id": "1", "source": "s", "datacontenttype": kind,
            "data_base64": text,
        });
        let told = read(&[("content-type", STRUCTURED)], event.to_string().as_bytes());
        told.map(|told| body_of(&told)).ok()
    };
    let json_data = told("application/json".into(), "eyAieHl6IjogMTIzIH0=").expect("read");
    assert_eq!(json_data["data"], json!({ "xyz": 123 }));
    assert_eq!(json_data["data_base64"], "eyAieHl6IjogMTIzIH0=");
    assert_eq!(told(Json::Null, "eyAieHl6IjogMTIzIH0=").expect("read")["data"]["xyz"], 123);
    let text = told("text/plain".into(), "eyAieHl6IjogMTIzIH0=").expect("read");
    assert_eq!(text["data"], "{ \"xyz\": 123 }");
    assert_eq!(told("image/png".into(), "iVBOR/8=").expect("read").get("data"), None);
    assert!(told("image/png".into(), "not base64!").is_none());
}

#[test]
fn what_lacks_an_attribute_or_has_one_twice_is_named() {
    for name in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
        let given: Vec<_> = binary(&[]).into_iter().filter(|(given, _)| *given != name).collect();
        let fault = read(&given, b"").expect_err("refused").to_string();
        assert!(fault.contains(name), "{fault}");
        let twice = [binary(&[]), vec![(name, "1.0")]].concat();
        let fault = read(&twice, b"").expect_err("refused").to_string();
        assert!(fault.contains(name), "{fault}");
    }
    let older = read(&binary(&[("ce-specversion", "0.3")]), b"").expect_err("refused");
    assert!(older.to_string().contains("specversion"), "{older}");
}

#[test]
fn other_formats_are_not_read_and_said_so() {
    for kind in ["application/cloudevents+avro", "application/cloudevents-batch+protobuf"] {
        let fault = read(&binary(&[("content-type", kind)]), b"").expect_err("refused");
        assert!(matches!(&fault, DecodeFault::Format(name) if name == kind), "{fault}");
    }
}

#[test]
fn an_empty_batch_starts_nothing_and_an_event_that_is_there_twice_counts_once() {
    let told = |list: Json| read(&[("content-type", BATCH)], list.to_string().as_bytes());
    let empty = told(json!([])).expect("read");
    assert!(empty.handshake.is_some() && empty.events.is_empty());
    let event = |id: &str, data: u64| json!({ "specversion": "1.0", "type": "t", "source": "s", "id": id, "data": data });
    let twice = told(json!([event("1", 1), event("1", 1), event("2", 1)])).expect("read");
    assert_eq!(twice.events.len(), 2);
    // The same id with other content is told twice, rather than lost.
    assert_eq!(told(json!([event("1", 1), event("1", 2)])).expect("read").events.len(), 2);
    let many: Vec<Json> = (0..1001).map(|id| event(&id.to_string(), 1)).collect();
    assert!(told(json!(many)).is_err());
}

#[test]
fn source_and_id_together_identify_an_event() {
    let key = |source: &str, id: &str| {
        let told = read(&binary(&[("ce-source", source), ("ce-id", id)]), b"").expect("read");
        told.identity.key().to_string()
    };
    assert_eq!(key("/a", "1"), key("/a", "1"));
    assert_ne!(key("/a", "1"), key("/b", "1"));
    assert_ne!(key("/a", "1"), key("/a", "2"));
    assert_ne!(key("/a%20b", "c"), key("/a", "b%20c"));
}

/// Nothing but the body is signed there, so that the content type must not give the body another meaning.
#[test]
fn a_signed_event_is_not_read_as_the_data_of_another() {
    let event = json!({ "specversion": "1.0", "type": "t", "source": "s", "id": "1" });
    for body in [event.clone(), json!([event])] {
        let given = binary(&[("content-type", "application/json")]);
        let body = body.to_string();
        let verdict = read_as(Some(Scheme::Hmac), &given, body.as_bytes());
        assert!(matches!(verdict, Err(DecodeFault::NotCloudEvent(_))), "{body}");
        assert!(read_as(Some(Scheme::Token), &given, body.as_bytes()).is_ok());
    }
    let data = br#"{"specversion": "1.0", "a": 1}"#;
    let given = binary(&[("content-type", "application/json")]);
    assert!(read_as(Some(Scheme::Hmac), &given, data).is_ok());
}

/// The lines of a source with each scheme.
const SCHEMES: [(&str, &str); 5] = [
    ("token", ""),
    ("header", ", header: X-Token"),
    ("basic", ", scheme: basic, user: events"),
    (
        "hmac",
        ", scheme: hmac, header: X-Signature, timestamp_header: X-Time, template: \"{timestamp}.{body}\"",
    ),
    ("jwt", ", scheme: jwt, issuer: me, audience: gateway, algorithms: [HS256]"),
];

async fn world() -> World {
    let simulator = simulator().await;
    let names: Vec<&str> = SCHEMES.iter().map(|(name, _)| *name).collect();
    let routes = format!(
        "  all: {{ on: {{ source: [{}], event: com.example.someevent }}, if: body.data.n > 0, job: retrain }}\n  \
         batch: {{ on: {{ source: [{0}] }}, if: 'body[event.part].data.n > 0', job: retrain }}\n",
        names.join(", ")
    );
    let site = Site::new(&simulator.api_url(), &routes);
    site.private("events", SECRET);
    let source = |(name, more): &(&str, &str)| {
        format!(
            "  {name}: {{ provider: cloudevents, secrets: [{{ file: secrets/events }}]{more} }}\n"
        )
    };
    let sources: String = SCHEMES.iter().map(source).collect();
    edit(&site, "  open-ci:\n", &format!("{sources}  open-ci:\n"));
    World::on(site, simulator).await
}

/// The request with which a sender of this source proves this body, with these headers of its own.
fn proved(
    world: &World,
    name: &str,
    secret: &str,
    body: &str,
    own: &[(&str, &str)],
) -> reqwest::RequestBuilder {
    let plan = world.live.plan();
    let source = &plan.sources[name];
    let path = format!("/hooks/{name}");
    let outgoing = Outgoing {
        method: &Method::POST,
        path: &path,
        event: "com.example.someevent",
        body: body.as_bytes(),
        access_token: None,
    };
    let secret = Secret::new(secret);
    let signed =
        source.provider.sign(&outgoing, &secret, &source.options, "id-1", world.clock.now());
    let mut all: HeaderMap = signed.expect("it signs").headers.into_iter().collect();
    let is_own = |name: &HeaderName| name.as_str().starts_with("ce-") || name == "content-type";
    let usual: Vec<HeaderName> = all.keys().filter(|name| is_own(name)).cloned().collect();
    usual.iter().for_each(|name| drop(all.remove(name)));
    all.extend(headers(own));
    world.client.post(world.hook(name)).headers(all).body(body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mode_is_taken_with_every_scheme_and_nothing_without_its_proof() {
    let world = world().await;
    for (name, _) in SCHEMES {
        let event = |id: &str| {
            json!({
                "specversion": "1.0", "type": "com.example.someevent", "source": format!("/{name}"),
                "id": id, "data": { "n": 1 },
            })
        };
        let source = format!("/{name}");
        let in_headers =
            binary(&[("ce-source", &source), ("content-type", "application/json"), ("ce-id", "3")]);
        let deliveries = [
            (event("1").to_string(), vec![("content-type", STRUCTURED)], 1),
            (json!([event("2a"), event("2b")]).to_string(), vec![("content-type", BATCH)], 2),
            (json!({ "n": 1 }).to_string(), in_headers, 1),
        ];
        for (body, own, runs) in deliveries {
            let wrong = proved(&world, name, &SECRET.to_uppercase(), &body, &own);
            assert_eq!(world.send(wrong).await.0, 401, "{name}: {body}");
            let bare =
                world.client.post(world.hook(name)).headers(headers(&own)).body(body.clone());
            assert_eq!(world.send(bare).await.0, 401, "{name}: {body}");
            let right = proved(&world, name, SECRET, &body, &own);
            let (status, answer) = world.send(right).await;
            let started = answer["runs"].as_array().map(Vec::len);
            assert_eq!((status, started), (202, Some(runs)), "{name}: {body}: {answer}");
            let again = proved(&world, name, SECRET, &body, &own);
            let (status, answer) = world.send(again).await;
            assert_eq!((status, &answer["duplicate"]), (200, &json!(true)), "{name}: {answer}");
        }
        let odd = [("content-type", "application/cloudevents+avro")];
        let odd = proved(&world, name, SECRET, "{}", &odd);
        assert_eq!(world.send(odd).await.0, 415, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_may_be_in_the_address_as_the_specification_names_it() {
    let world = world().await;
    let event = json!({ "specversion": "1.0", "type": "t", "source": "s", "id": "1" }).to_string();
    let ask = |token: &str| {
        let url = format!("{}?access_token={token}", world.hook("token"));
        world.client.post(url).header("content-type", STRUCTURED).body(event.clone())
    };
    assert_eq!(world.send(ask("wrong")).await.0, 401);
    assert_eq!(world.send(ask(SECRET)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permission_is_given_and_the_callback_is_never_called() {
    let world = world().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let callback = format!("http://{}/confirm?key=1", listener.local_addr().expect("an address"));
    let asked = world
        .client
        .request(Method::OPTIONS, world.hook("token"))
        .header("WebHook-Request-Origin", "eventemitter.example.com")
        .header("WebHook-Request-Callback", &callback)
        .header("WebHook-Request-Rate", "120");
    let answer = asked.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    for (name, value) in [
        ("webhook-allowed-origin", "eventemitter.example.com"),
        ("webhook-allowed-rate", "120"),
        ("allow", "POST"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    assert_eq!(answer.text().await.expect("text"), "");
    // A later delivery has been worked on, and still nobody has called.
    let event = json!({ "specversion": "1.0", "type": "t", "source": "s", "id": "1" }).to_string();
    let later = proved(&world, "token", SECRET, &event, &[("content-type", STRUCTURED)]);
    assert_eq!(world.send(later).await.0, 200);
    let called = std::future::poll_fn(|context| {
        std::task::Poll::Ready(listener.poll_accept(context).is_ready())
    });
    assert!(!called.await, "the callback was called");
    let bare = world.client.request(Method::OPTIONS, world.hook("token"));
    assert_eq!(world.send(bare).await.0, 405);
    let path = "/api/deliveries?source=token";
    let (_, list) = world.api(Method::GET, path, None).await;
    assert!(list.to_string().contains("\"handshake\":true"), "{list}");
    assert_eq!(world.runs().await, 0);
}

#[test]
fn options_of_another_scheme_are_named() {
    let provider = providers::find("cloudevents").expect("known");
    let basic = Options { scheme: Some(Scheme::Basic), ..Options::default() };
    let faults = provider.check_options(&basic).join("\n");
    assert!(faults.contains("`cloudevents` with `scheme: basic` needs `user`"), "{faults}");
    let header = Some(HeaderName::from_static("x-token"));
    let mixed = Options { header, user: Some("u".into()), ..Options::default() };
    let faults = provider.check_options(&mixed).join("\n");
    assert!(faults.contains("`user` does not belong"), "{faults}");
    let hmac = Options { scheme: Some(Scheme::Hmac), ..Options::default() };
    assert!(
        providers::find("aws-eventbridge").expect("known").check_options(&hmac)[0]
            .contains("one of")
    );
}
