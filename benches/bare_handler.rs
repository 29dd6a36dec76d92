//! The handler that the accept path is compared with: it checks the same HMAC over the same body and does
//! nothing else. `benches/accept.sh` runs it beside the gateway.
#![allow(missing_docs, clippy::print_stdout, reason = "a program for the load script alone")]

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use sha2::Sha256;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let secret = std::env::args().nth(1).expect("the secret is the first argument");
    let app = Router::new().route(
        "/hooks/github",
        post(move |headers: HeaderMap, body: Bytes| {
            let answer = check(&secret, &headers, &body);
            async move { answer }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

fn check(secret: &str, headers: &HeaderMap, body: &[u8]) -> StatusCode {
    let authentic = headers
        .get("x-hub-signature-256")
        .and_then(|value| value.to_str().ok()?.strip_prefix("sha256="))
        .and_then(|digits| hex::decode(digits).ok())
        .is_some_and(|signature| {
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes())
                .expect("HMAC takes keys of any length");
            mac.update(body);
            mac.verify_slice(&signature).is_ok()
        });
    if authentic { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}
