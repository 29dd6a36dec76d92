//! The job API: connections in, strict checks, replies as they should be or as a fault says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::faults::{Fault, Page, Reply};
use super::http1::{self, Request};
use super::world::{LogEntry, World};

const JSON: (&str, &str) = ("Content-Type", "application/json; charset=utf-8");

/// Serves until told to stop; closes its port while told not to listen.
pub(super) async fn serve(
    listener: TcpListener,
    mut listening: watch::Receiver<bool>,
    world: Arc<World>,
    stop: CancellationToken,
) {
    let Ok(address) = listener.local_addr() else { return };
    let mut open = Some(listener);
    loop {
        let wanted = *listening.borrow_and_update();
        match (wanted, &open) {
            (false, Some(_)) => open = None,
            (true, None) => open = TcpListener::bind(address).await.ok(),
            _ => {}
        }
        let accepted = async {
            match &open {
                Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            changed = listening.changed() => if changed.is_err() { return },
            stream = accepted => if let Some(stream) = stream {
                let (world, stop) = (Arc::clone(&world), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        // Whatever ends a connection early is the client's business.
                        _ = converse(stream, &world) => {}
                    }
                });
            }
        }
    }
}

async fn converse(stream: TcpStream, world: &World) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    if world.resets_unread() {
        world.remember(LogEntry { fault: Some("reset_before_read".to_owned()), ..blank() }, b"");
        http1::reset(stream);
        return Ok(());
    }
    while let Some(request) = http1::read(&mut stream).await? {
        let Some(next) = answer(stream, &request, world).await? else { return Ok(()) };
        stream = next;
    }
    Ok(())
}

/// Answers one request; gives the connection back when it may go on.
async fn answer(
    mut stream: BufReader<TcpStream>,
    request: &Request,
    world: &World,
) -> std::io::Result<Option<BufReader<TcpStream>>> {
    let mut entry =
        LogEntry { method: request.method.clone(), path: request.path.clone(), ..blank() };
    let key = request.key().unwrap_or_default();
    entry.key_known = world.knows(&key);
    let outcome = judge(request, world, &mut entry);
    let Ok(start) = outcome else {
        let refusal = outcome.err().unwrap_or_else(|| usual(500, "no outcome"));
        entry.status = Some(refusal.status);
        world.remember(entry, &key);
        send(&mut stream, &refusal, "").await?;
        return Ok(Some(stream));
    };
    let fault = world.fault(&start.job);
    entry.fault = fault.as_ref().map(named);
    let starts = match &fault {
        Some(Fault::ResetBeforeRead | Fault::ResetAfterRead | Fault::NeverAnswer) => false,
        Some(Fault::Reply(reply)) => reply.started_anyway || starting(reply),
        _ => true,
    };
    if starts {
        entry.engine_id = Some(world.start_run(&start.job, entry.merged.clone()));
    }
    let engine_id = entry.engine_id.clone().unwrap_or_default();
    entry.status = match &fault {
        Some(Fault::ResetAfterRead | Fault::StartedAnswerLost | Fault::NeverAnswer) => None,
        Some(Fault::Reply(reply)) => Some(reply.status),
        _ => Some(200),
    };
    // Whoever has seen the request in the log may let its answer go at once.
    let hold = matches!(fault, Some(Fault::HoldAnswer | Fault::NeverAnswer)).then(|| world.hold());
    world.remember(entry, &key);
    if let Some(mut hold) = hold {
        let _ = hold.changed().await;
    }
    perform(stream, fault, &engine_id).await
}

/// A reply that names an engine comes with a run.
fn starting(reply: &Reply) -> bool {
    match &reply.page {
        Page::Gzip => true,
        Page::Json(text) => text.contains("{engine_id}"),
        _ => false,
    }
}

async fn perform(
    mut stream: BufReader<TcpStream>,
    fault: Option<Fault>,
    engine_id: &str,
) -> std::io::Result<Option<BufReader<TcpStream>>> {
    let good = format!("{{\n  \"engine_id\": \"{engine_id}\"\n}}");
    let head =
        http1::head(200, &[JSON, ("Vary", "Accept-Encoding"), ("Transfer-Encoding", "chunked")]);
    match fault {
        Some(Fault::ResetBeforeRead | Fault::ResetAfterRead | Fault::StartedAnswerLost) => {
            http1::reset(stream);
            return Ok(None);
        }
        Some(Fault::NeverAnswer) => return Ok(None),
        Some(Fault::SlowHead { millis }) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Some(Fault::Trickle { millis }) => {
            http1::write(&mut stream, &head).await?;
            for byte in http1::chunked(good.as_bytes()) {
                http1::write(&mut stream, &[byte]).await?;
                tokio::time::sleep(Duration::from_millis(millis)).await;
            }
            return Ok(Some(stream));
        }
        Some(Fault::Truncated) => {
            http1::write(&mut stream, &head).await?;
            http1::write(&mut stream, b"40\r\n{\"engine_id\": \"").await?;
            return Ok(None);
        }
        Some(Fault::HugeBody { bytes }) => {
            let length = bytes.to_string();
            let head = http1::head(200, &[JSON, ("Content-Length", &length)]);
            http1::write(&mut stream, &head).await?;
            let block = vec![b' '; 64 * 1024];
            let mut left = bytes;
            while left > 0 {
                let part = left.min(block.len() as u64);
                http1::write(&mut stream, &block[..usize::try_from(part).unwrap_or(0)]).await?;
                left -= part;
            }
            return Ok(None);
        }
        Some(Fault::Reply(reply)) => {
            send(&mut stream, &reply, engine_id).await?;
            return Ok(Some(stream));
        }
        Some(Fault::HoldAnswer) | None => {}
    }
    http1::write(&mut stream, &[head, http1::chunked(good.as_bytes())].concat()).await?;
    Ok(Some(stream))
}

async fn send(
    stream: &mut BufReader<TcpStream>,
    reply: &Reply,
    engine_id: &str,
) -> std::io::Result<()> {
    let message = format!(r#"{{"message":"simulated answer {}"}}"#, reply.status);
    let good = format!(r#"{{"engine_id":"{engine_id}"}}"#);
    let (kind, body) = match &reply.page {
        Page::Message => ("application/json; charset=utf-8", message.into_bytes()),
        Page::Html => {
            let page = format!(
                "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\
                 \r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
                reply.status
            );
            ("text/html", page.into_bytes())
        }
        Page::Empty => ("", Vec::new()),
        Page::Json(text) => {
            ("application/json; charset=utf-8", text.replace("{engine_id}", engine_id).into_bytes())
        }
        Page::Gzip => ("application/json; charset=utf-8", http1::gzip(good.as_bytes())),
    };
    let length = body.len().to_string();
    let mut headers: Vec<(&str, &str)> = Vec::new();
    if !kind.is_empty() {
        headers.push(("Content-Type", kind));
    }
    if reply.page == Page::Gzip {
        headers.push(("Content-Encoding", "gzip"));
    }
    if reply.status != 204 {
        headers.push(("Content-Length", &length));
    }
    headers.extend(reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    http1::write(stream, &[http1::head(reply.status, &headers), body].concat()).await
}

/// A start that is in order.
struct Start {
    job: String,
}

/// The checks, in the workbench's order: key, content type, body, then project and job.
fn judge(request: &Request, world: &World, entry: &mut LogEntry) -> Result<Start, Reply> {
    let path = request.path.split('?').next().unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "/api/v1") => return Err(page(200, r#""Sense API v1""#)),
        ("GET", "/internal/load-balancer/health-ping") => {
            let mut pong = page(200, "{}");
            pong.headers.insert("Date".to_owned(), world.date());
            return Err(pong);
        }
        _ => {}
    }
    if !entry.key_known {
        return Err(usual(401, "Unauthorized"));
    }
    let (project, job, starts) = target(path).ok_or_else(|| usual(404, "Not found"))?;
    if !starts && request.method == "GET" {
        return match world.merged(&project, job, &BTreeMap::new()) {
            Some(_) => {
                Err(page(200, &format!(r#"{{"id":{job},"latest":{{"status":"succeeded"}}}}"#)))
            }
            None => Err(usual(404, "Not found")),
        };
    }
    if !starts || request.method != "POST" {
        return Err(usual(404, "Not found"));
    }
    let content = request.header("content-type").unwrap_or_default();
    if world.strict_content_type && content.split(';').next() != Some("application/json") {
        return Err(usual(415, "Content-Type must be application/json"));
    }
    entry.environment = environment(&request.body, world.strict_values)?;
    entry.merged =
        world.merged(&project, job, &entry.environment).ok_or_else(|| usual(404, "Not found"))?;
    Ok(Start { job: format!("{project}/{job}") })
}

/// `/api/v1/projects/{owner}/{project}/jobs/{id}` with or without `/start`.
fn target(path: &str) -> Option<(String, u64, bool)> {
    let pieces: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (job, starts) = match pieces.as_slice() {
        ["api", "v1", "projects", _, _, "jobs", job] => (job, false),
        ["api", "v1", "projects", _, _, "jobs", job, "start"] => (job, true),
        _ => return None,
    };
    Some((format!("{}/{}", pieces[3], pieces[4]), job.parse().ok()?, starts))
}

fn environment(body: &[u8], strict: bool) -> Result<BTreeMap<String, String>, Reply> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(BTreeMap::new());
    }
    let body: serde_json::Value =
        serde_json::from_slice(body).map_err(|_| usual(400, "invalid JSON"))?;
    let Some(variables) = body.get("environment") else { return Ok(BTreeMap::new()) };
    let variables =
        variables.as_object().ok_or_else(|| usual(400, "environment must be an object"))?;
    variables
        .iter()
        .map(|(name, value)| match value {
            serde_json::Value::String(text) => Ok((name.clone(), text.clone())),
            other if !strict => Ok((name.clone(), other.to_string())),
            _ => Err(usual(400, "environment values must be strings")),
        })
        .collect()
}

fn usual(status: u16, message: &str) -> Reply {
    page(status, &format!(r#"{{"message":"{message}"}}"#))
}

fn page(status: u16, json: &str) -> Reply {
    Reply {
        status,
        page: Page::Json(json.to_owned()),
        headers: BTreeMap::new(),
        started_anyway: false,
    }
}

/// The fault's name, as the control API writes it.
fn named(fault: &Fault) -> String {
    match serde_json::to_value(fault) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn blank() -> LogEntry {
    LogEntry {
        number: 0,
        at: Timestamp::UNIX_EPOCH,
        method: String::new(),
        path: String::new(),
        key_known: false,
        key_digest: String::new(),
        environment: BTreeMap::new(),
        merged: BTreeMap::new(),
        reserved: Vec::new(),
        fault: None,
        status: None,
        engine_id: None,
    }
}
