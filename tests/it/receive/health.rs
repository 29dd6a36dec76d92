//! What the public listener tells whoever asks for its health.

use super::trouble::tool;
use crate::common::{ON_PUSH, PUSH, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_health_check_says_ok_and_nothing_else_and_never_asks_the_store() {
    let world = World::start(ON_PUSH).await;
    let hooks = world.gateway.hooks().expect("it receives");
    let url = format!("http://{hooks}/healthz");
    let ask = async || {
        let answer = world.client.get(&url).send().await.expect("an answer");
        let mut headers: Vec<String> = answer.headers().keys().map(ToString::to_string).collect();
        headers.sort();
        (answer.status().as_u16(), headers, answer.text().await.expect("text"))
    };
    let (status, headers, body) = ask().await;
    assert_eq!((status, &*body), (200, "ok\n"));
    assert_eq!(headers, ["content-length", "content-type", "date"], "no name of anything");
    // Nothing can be kept, and the listener answers as before.
    tool(&world, "ALTER TABLE deliveries RENAME TO gone");
    let (status, answer) = world.send(world.github("push", "not-kept", PUSH)).await;
    assert_eq!(status, 503, "{answer}");
    assert_eq!(ask().await, (200, headers, "ok\n".to_owned()));
    tool(&world, "ALTER TABLE gone RENAME TO deliveries");
    let other = world.client.post(&url).send().await.expect("an answer");
    assert_eq!(other.status(), 405);
}
