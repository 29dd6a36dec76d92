//! Writes answers: the usual one, the reply of a rule, and every broken one.

use std::io;
use std::time::Duration;

use super::connection::Connection;
use super::faults::{Fault, Page, Reply};
use super::http1::{self, Head};

const JSON: &str = "application/json; charset=utf-8";
/// Bytes of a long body in one write.
const BLOCK: usize = 64 * 1024;

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    /// The next request may come.
    GoOn,
    /// It is closed in order.
    Close,
    /// It is closed at once, even in the middle of an answer.
    Break,
    /// It is reset.
    Reset,
}

/// What every answer to a request depends on.
pub(super) struct Exchange {
    /// The time as HTTP writes it, where there is a clock.
    pub(super) date: Option<String>,
    /// The client understands chunks.
    chunks: bool,
    /// The connection stays open.
    open: bool,
    /// Only the head is asked for.
    head_only: bool,
}

impl Exchange {
    pub(super) fn new(head: &Head, date: Option<String>) -> Self {
        Self {
            date,
            chunks: head.understands_chunks(),
            open: head.keeps_open(),
            head_only: head.method == "HEAD",
        }
    }

    /// The last answer on a connection whose request could not be read.
    pub(super) fn last(date: Option<String>) -> Self {
        Self { date, chunks: false, open: false, head_only: false }
    }

    fn then(&self) -> Then {
        if self.open { Then::GoOn } else { Then::Close }
    }

    /// The head of a 200 in JSON, as the vendor's example has it.
    fn good_head(&self, framing: Option<(&str, &str)>) -> Vec<u8> {
        let mut headers = vec![("Access-Control-Allow-Origin", "*"), ("Content-Type", JSON)];
        headers.extend(self.date.as_deref().map(|date| ("Date", date)));
        headers.push(("Vary", "Accept-Encoding"));
        headers.extend(framing);
        if !self.open {
            headers.push(("Connection", "close"));
        }
        http1::head(200, &headers)
    }

    /// The usual answer: its head, and its body as it is sent (in chunks where the client understands
    /// them).
    fn usual(&self, engine_id: &str) -> (Vec<u8>, Vec<u8>) {
        let body = format!("{{\n  \"engine_id\": \"{engine_id}\"\n}}");
        if self.chunks {
            let head = self.good_head(Some(("Transfer-Encoding", "chunked")));
            return (head, http1::chunked(body.as_bytes()));
        }
        (self.good_head(None), body.into_bytes())
    }
}

/// Answers a valid start, as usual or with a fault.
pub(super) async fn perform(
    connection: &mut Connection,
    fault: Option<&Fault>,
    engine_id: &str,
    exchange: &Exchange,
) -> io::Result<Then> {
    let (head, body) = exchange.usual(engine_id);
    match fault {
        Some(
            Fault::RefuseConnection
            | Fault::ResetBeforeRead
            | Fault::ResetAfterRead
            | Fault::StartedAnswerLost,
        ) => return Ok(Then::Reset),
        Some(Fault::NeverAnswer) => return Ok(Then::Break),
        Some(Fault::Reply(reply)) => return send(connection, reply, engine_id, exchange).await,
        Some(Fault::Truncated) => {
            let head = exchange.good_head(Some(("Transfer-Encoding", "chunked")));
            connection.write(&[&head[..], b"40\r\n{\"engine_id\": \""].concat()).await?;
            return Ok(Then::Break);
        }
        Some(Fault::HugeBody { bytes }) => {
            let head = exchange.good_head(Some(("Content-Length", &bytes.to_string())));
            connection.write(&head).await?;
            return blanks(connection, *bytes).await.map(|()| exchange.then());
        }
        Some(Fault::Trickle { millis }) => {
            connection.write(&head).await?;
            for byte in body {
                connection.write(&[byte]).await?;
                tokio::time::sleep(Duration::from_millis(*millis)).await;
            }
            return Ok(exchange.then());
        }
        Some(Fault::SlowHead { millis }) => {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
        }
        Some(Fault::HoldAnswer) | None => {}
    }
    connection.write(&[head, body].concat()).await?;
    Ok(exchange.then())
}

async fn blanks(connection: &mut Connection, bytes: u64) -> io::Result<()> {
    let block = vec![b' '; BLOCK];
    let mut left = bytes;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        connection.write(&block[..part]).await?;
        left -= part as u64;
    }
    Ok(())
}

/// Sends a whole reply in one write.
pub(super) async fn send(
    connection: &mut Connection,
    reply: &Reply,
    engine_id: &str,
    exchange: &Exchange,
) -> io::Result<Then> {
    let (kind, body) = content(reply, engine_id);
    // These have no body by their definition (RFC 9110, 6.4.1).
    let bodiless = reply.status < 200 || matches!(reply.status, 204 | 304);
    let length = body.len().to_string();
    let mut headers = Vec::new();
    headers.extend(kind.map(|kind| ("Content-Type", kind)));
    if reply.page == Page::Gzip {
        headers.push(("Content-Encoding", "gzip"));
    }
    headers.extend(exchange.date.as_deref().map(|date| ("Date", date)));
    if !bodiless {
        headers.push(("Content-Length", &length));
    }
    if !exchange.open {
        headers.push(("Connection", "close"));
    }
    let told = |name: &str| reply.headers.keys().any(|other| other.eq_ignore_ascii_case(name));
    headers.retain(|(name, _)| !told(name));
    headers.extend(reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut bytes = http1::head(reply.status, &headers);
    if !bodiless && !exchange.head_only {
        bytes.extend(body);
    }
    connection.write(&bytes).await?;
    // A rule that sets one of these headers may delimit the reply wrongly, so nothing may follow it.
    let open = reply.status >= 200
        && !["connection", "content-length", "transfer-encoding"].into_iter().any(told);
    Ok(if open { exchange.then() } else { Then::Close })
}

/// The type of a reply's body, and the body.
fn content(reply: &Reply, engine_id: &str) -> (Option<&'static str>, Vec<u8>) {
    let status = reply.status;
    match &reply.page {
        Page::Message => {
            let message = format!("simulated answer {status}");
            (Some(JSON), serde_json::json!({ "message": message }).to_string().into_bytes())
        }
        Page::Html => {
            let page = format!(
                "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n\
                 <center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n\
                 </body>\r\n</html>\r\n"
            );
            (Some("text/html"), page.into_bytes())
        }
        Page::Empty => (None, Vec::new()),
        Page::Json(text) => (Some(JSON), text.replace("{engine_id}", engine_id).into_bytes()),
        Page::Gzip => {
            let good = serde_json::json!({ "engine_id": engine_id }).to_string();
            (Some(JSON), http1::gzip(good.as_bytes()))
        }
    }
}
