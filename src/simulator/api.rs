//! The job API: accepts connections, and reads, judges, remembers and answers each request, in that
//! order.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{Exchange, Then, perform, send};
use super::connection::{Connection, Credentials};
use super::faults::{Fault, FaultRule, Moment};
use super::http1::Head;
use super::http1::ReadFault;
use super::judge::{Verdict, job_ahead, judge, refusal};
use super::log::{LogEntry, reserved};
use super::port::Port;
use super::world::World;

/// Serves until told to stop; closes its port while told not to listen.
pub(super) async fn serve(
    mut port: Port,
    world: Arc<World>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let mut wanted = world.wanted();
    loop {
        let open = *wanted.borrow_and_update();
        if open {
            tokio::select! {
                () = stop.cancelled() => return,
                () = port.open() => {}
            }
        } else {
            port.close();
        }
        world.port_is(open);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = wanted.changed() => if changed.is_err() { return },
            stream = port.accept() => {
                let (world, stop) = (Arc::clone(&world), stop.clone());
                tasks.spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = converse(Connection::new(stream), &world) => {}
                    }
                });
            }
        }
    }
}

/// Serves one connection to its end. An error that ends it early is not reported.
async fn converse(mut connection: Connection, world: &World) {
    match requests(&mut connection, world).await {
        Then::GoOn | Then::Break => {}
        Then::Close => connection.close_after_answer().await,
        Then::Reset => connection.reset(),
    }
}

async fn requests(connection: &mut Connection, world: &World) -> Then {
    if cut_short(Moment::Accepted, world).await {
        return Then::Reset;
    }
    let mut wanted = world.wanted();
    while let Some(bytes) = next(connection, &mut wanted).await {
        let job = job_ahead(&bytes);
        if cut_short(Moment::Arrived(job.as_deref()), world).await {
            return Then::Reset;
        }
        match exchange(connection, world).await {
            Then::GoOn => {}
            then => return then,
        }
    }
    Then::Break
}

/// Whether a fault ends the connection before anything is read.
async fn cut_short(moment: Moment<'_>, world: &World) -> bool {
    let Some(rule) = world.take_fault(moment) else { return false };
    let fault = Some(rule.fault.name().to_owned());
    world.remember(LogEntry { fault, ..LogEntry::blank(world.now()) });
    delay(&rule).await;
    true
}

/// The first bytes of the next request; none when the client or the port has closed.
async fn next(connection: &Connection, wanted: &mut watch::Receiver<bool>) -> Option<Vec<u8>> {
    let bytes = tokio::select! {
        biased;
        bytes = connection.ahead() => bytes.ok()?,
        _ = wanted.wait_for(|open| !open) => return None,
    };
    (!bytes.is_empty()).then_some(bytes)
}

/// One request and its answer.
async fn exchange(connection: &mut Connection, world: &World) -> Then {
    let mut entry = LogEntry::blank(world.now());
    let read = async {
        let head = connection.head().await?;
        entry.method.clone_from(&head.method);
        entry.path.clone_from(&head.path);
        identify(&head, world, &mut entry);
        let body = connection.body(&head).await?;
        Ok((head, body))
    };
    let done = match read.await {
        Ok((head, body)) => answer(connection, &head, &body, world, entry).await,
        Err(ReadFault::Gone) => return Then::Break,
        Err(ReadFault::Bad { status, why }) => {
            entry.status = Some(status);
            world.remember(entry);
            let last = Exchange::last(world.date());
            send(connection, &refusal(status, why), "", &last).await
        }
    };
    done.unwrap_or(Then::Break)
}

fn identify(head: &Head, world: &World, entry: &mut LogEntry) {
    if let Some(credentials) = Credentials::of(head) {
        entry.key_known = world.knows(&credentials);
        entry.key_digest = credentials.digest();
    }
}

async fn answer(
    connection: &mut Connection,
    head: &Head,
    body: &[u8],
    world: &World,
    mut entry: LogEntry,
) -> std::io::Result<Then> {
    let exchange = Exchange::new(head, world.date());
    let verdict = judge(head, body, world, &mut entry);
    entry.reserved = reserved(&entry.environment);
    match verdict {
        Verdict::Start(job) => start(connection, &job, world, entry, &exchange).await,
        Verdict::Answer(reply) => {
            entry.status = Some(reply.status);
            world.remember(entry);
            send(connection, &reply, "", &exchange).await
        }
    }
}

/// Serves a valid start: chooses the fault, records the run unless the fault prevents it, remembers the
/// request, and only then answers it.
async fn start(
    connection: &mut Connection,
    job: &str,
    world: &World,
    mut entry: LogEntry,
    exchange: &Exchange,
) -> std::io::Result<Then> {
    let rule = world.take_fault(Moment::Read(job));
    let fault = rule.as_ref().map(|rule| &rule.fault);
    if fault.is_none_or(Fault::starts) {
        entry.engine_id = Some(world.start_run(job, entry.merged.clone()));
    }
    entry.fault = fault.map(|fault| fault.name().to_owned());
    entry.status = fault.map_or(Some(200), Fault::answers);
    let engine_id = entry.engine_id.clone().unwrap_or_default();
    // Subscribed before the request is in the log, since whoever sees it there may release its answer at
    // once.
    let held = matches!(fault, Some(Fault::HoldAnswer | Fault::NeverAnswer)).then(|| world.hold());
    world.remember(entry);
    if let Some(rule) = &rule {
        delay(rule).await;
    }
    if let Some(mut held) = held {
        tokio::select! {
            _ = held.changed() => {}
            () = connection.hung_up() => return Ok(Then::Break),
        }
    }
    perform(connection, fault, &engine_id, exchange).await
}

async fn delay(rule: &FaultRule) {
    if let Some(millis) = rule.delay_millis {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
