//! Limits of a source: who may send, how often, and which events start something.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::common::{GITLAB_TOKEN, PUSH, WEBHOOK_SECRET, World};
use super::{kept, world};

const PROXIED: &str = "  trusted_proxies: [127.0.0.0/8]";

fn push(world: &World, source: &str, id: &str) -> reqwest::RequestBuilder {
    world.signed(source, "push", id, PUSH, WEBHOOK_SECRET)
}

async fn refusals(world: &World, source: &str) -> Vec<Value> {
    let (_, answer) = world.api(Method::GET, &format!("/api/refusals/{source}"), None).await;
    answer["refusals"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_gets_403_even_with_the_right_signature() {
    let world = world("").await;
    let (status, answer) = world.send(push(&world, "fenced", "one")).await;
    assert_eq!((status, answer), (403, json!({ "error": "this address may not send here" })));
    let claimed = push(&world, "fenced", "two").header("x-forwarded-for", "203.0.113.9");
    assert_eq!(world.send(claimed).await.0, 403, "nobody is a trusted proxy");
    assert!(kept(&world).await.is_empty());
    let refused = refusals(&world, "fenced").await;
    let first = &refused[0];
    assert_eq!(refused.len(), 2);
    assert_eq!(
        (&first["status"], &first["reason"], &first["remote"]),
        (&json!(403), &json!("wrong_address"), &json!("127.0.0.1"))
    );
    assert_eq!(world.gateway.metrics().deliveries_of("fenced", "refused"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_trusted_proxy_the_address_is_the_one_that_it_names() {
    let world = world(PROXIED).await;
    for (number, (named, status)) in [
        ("203.0.113.9", 202),
        ("198.51.100.1, 203.0.113.9", 202),
        ("203.0.113.9, 127.0.0.2", 202),
        ("::ffff:203.0.113.9", 202),
        ("[2001:db8::7]:4711", 202),
        ("203.0.113.9, 198.51.100.1", 403),
        ("198.51.100.1", 403),
        ("nonsense", 403),
        ("203.0.113.9, nonsense, 127.0.0.2", 403),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("n-{number}");
        let request = push(&world, "fenced", &id).header("x-forwarded-for", named);
        assert_eq!(world.send(request).await.0, status, "{named}");
    }
    let lines = push(&world, "fenced", "lines")
        .header("x-forwarded-for", "203.0.113.9")
        .header("x-forwarded-for", "198.51.100.1");
    assert_eq!(world.send(lines).await.0, 403, "the last line is the nearest");
    assert_eq!(world.send(push(&world, "fenced", "none")).await.0, 403);
    // A header that the proxy does not write is what a stranger wrote.
    let other = push(&world, "fenced", "other").header("forwarded", "for=203.0.113.9");
    assert_eq!(world.send(other).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_header_of_the_standard_is_read_where_it_is_asked_for() {
    let world = world(&format!("{PROXIED}\n  proxy_header: forwarded")).await;
    let named = "for=\"open, for=198.51.100.1, for=\"203.0.113.9:80\";proto=https";
    let request = push(&world, "fenced", "one").header("forwarded", named);
    assert_eq!(world.send(request).await.0, 202);
    let other = push(&world, "fenced", "two").header("x-forwarded-for", "203.0.113.9");
    assert_eq!(world.send(other).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_deliveries_and_refusals_show_the_address_behind_the_proxy() {
    let world = world(PROXIED).await;
    let good = push(&world, "fenced", "one").header("x-forwarded-for", "::ffff:203.0.113.9");
    assert_eq!(world.send(good).await.0, 202);
    let kept = kept(&world).await;
    assert_eq!(kept[0].remote.as_deref(), Some("203.0.113.9"));
    let forged = world.signed("fenced", "push", "two", PUSH, "canary-of-a-stranger");
    let forged = forged.header("x-forwarded-for", "2001:db8::9");
    assert_eq!(world.send(forged).await.0, 401);
    assert_eq!(refusals(&world, "fenced").await[0]["remote"], "2001:db8::9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trusted_proxies_take_effect_without_a_restart() {
    let world = world("").await;
    let sent = |id| push(&world, "fenced", id).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(world.send(sent("one")).await.0, 403);
    let text = std::fs::read_to_string(world.site.config()).expect("read");
    world.site.write_config(&text.replace("\nstore:", &format!("\n{PROXIED}\nstore:")));
    let change = world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    assert!(!change.needs_restart);
    assert_eq!(world.send(sent("two")).await.0, 202);
}

/// Sends a push; gives the status and what `Retry-After` says.
async fn paced(world: &World, id: &str) -> (u16, Option<String>) {
    let answer = push(world, "paced", id).send().await.expect("an answer");
    let retry = answer.headers().get("retry-after");
    let retry = retry.map(|value| value.to_str().expect("text").to_owned());
    (answer.status().as_u16(), retry)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_its_rate_a_source_is_told_when_to_come_again_and_nothing_is_kept() {
    let world = world("").await;
    for id in ["1", "2", "3"] {
        assert_eq!(paced(&world, id).await, (202, None), "{id}");
    }
    assert_eq!(paced(&world, "4").await, (429, Some("20".to_owned())));
    assert_eq!(kept(&world).await.len(), 3);
    world.clock.advance(Duration::from_millis(19_500));
    assert_eq!(paced(&world, "4").await, (429, Some("1".to_owned())));
    world.clock.advance(Duration::from_millis(500));
    assert_eq!(paced(&world, "4").await, (202, None), "as promised");
    assert_eq!(paced(&world, "5").await, (429, Some("20".to_owned())));
    let refused = &refusals(&world, "paced").await[0];
    assert_eq!((&refused["status"], &refused["reason"]), (&json!(429), &json!("rate")));
    assert_eq!(world.gateway.metrics().deliveries_of("paced", "limited"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_cannot_use_up_a_sources_rate() {
    let world = world("").await;
    for number in 0..20 {
        let id = format!("forged-{number}");
        let forged = world.signed("paced", "push", &id, PUSH, "canary-of-a-stranger");
        assert_eq!(world.send(forged).await.0, 401);
    }
    for id in ["1", "2", "3"] {
        assert_eq!(paced(&world, id).await.0, 202, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_gives_a_source_no_new_allowance_unless_its_rate_changed() {
    let world = world("").await;
    let reload = |from: &str, to: &str| {
        let text = std::fs::read_to_string(world.site.config()).expect("read");
        assert!(text.contains(from), "{from}");
        world.site.write_config(&text.replace(from, to));
        world.live.reload().unwrap_or_else(|report| panic!("{}", report.render(false)));
    };
    for id in ["1", "2", "3"] {
        assert_eq!(paced(&world, id).await.0, 202);
    }
    reload("body_limit: 4KiB", "body_limit: 5KiB");
    assert_eq!(paced(&world, "4").await.0, 429);
    reload("rate: 3/m", "rate: 4/m");
    for (id, status) in [("4", 202), ("5", 202), ("6", 202), ("7", 202), ("8", 429)] {
        assert_eq!(paced(&world, id).await.0, status, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_not_listed_is_kept_and_starts_nothing() {
    let world = world("").await;
    let send = |event: &'static str, id: &'static str, body: &'static str| {
        world.signed("listed", event, id, body, GITLAB_TOKEN)
    };
    let note = send("note", "one", include_str!("../../payloads/gitlab/note.json"));
    let (status, answer) = world.send(note).await;
    assert_eq!((status, &answer["runs"]), (200, &json!([])), "{answer}");
    let id = answer["delivery"].as_str().expect("an id");
    let (_, shown) = world.api(Method::GET, &format!("/api/deliveries/{id}"), None).await;
    let nothing = shown["explanation"]["nothing"].as_str().expect("a reason");
    assert!(nothing.contains("push or Pipeline Hook") && nothing.contains("(events)"), "{nothing}");
    for (event, id, body) in [
        ("push", "two", include_str!("../../payloads/gitlab/push.json")),
        ("Pipeline Hook", "three", include_str!("../../payloads/gitlab/pipeline.json")),
    ] {
        let (status, answer) = world.send(send(event, id, body)).await;
        assert_eq!(status, 202, "{event}: {answer}");
    }
    assert_eq!(kept(&world).await.len(), 3);
}
