//! Receives the notifications of other replicas (`LISTEN`), on a connection of its own. Without such a
//! connection, or through a pooler that shares connections, none arrive; the regular poll of the queue then
//! finds the same changes a little later.

use std::future::poll_fn;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Config, NoTls, Socket};

use super::connection::Options;
use super::password::{self, Password};
use super::{CHANNEL, RUNS};
use crate::store::StoreFault;
use crate::store::shared::Notifications;

/// Back-off after the server could not be reached or has ended the connection.
const REST: Duration = Duration::from_secs(1);
/// Shortest time between two tellings. Every user of the database may notify: whoever floods the channel makes the
/// queue be looked at no more often.
const APART: Duration = Duration::from_millis(20);

/// Listens until the last receiver is dropped.
pub(super) fn listen(options: &Options) -> Result<watch::Receiver<Notifications>, StoreFault> {
    let (tell, notifications) = watch::channel(Notifications::default());
    let (config, password) = (options.complete(), options.password.clone());
    if options.allow_plain {
        tokio::spawn(forever(config, password, NoTls, tell));
    } else {
        tokio::spawn(forever(config, password, options.tls()?, tell));
    }
    Ok(notifications)
}

/// Notifications that never come.
pub(super) fn none() -> watch::Receiver<Notifications> {
    watch::channel(Notifications::default()).1
}

async fn forever<T>(
    config: Config,
    password: Option<Password>,
    tls: T,
    tell: watch::Sender<Notifications>,
) where
    T: MakeTlsConnect<Socket> + Clone + Send + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as tokio_postgres::tls::TlsConnect<Socket>>::Future: Send,
{
    loop {
        let listening = async {
            let config = password::with(&config, password.as_ref()).await;
            until_it_ends(&config, tls.clone(), &tell).await;
        };
        tokio::select! {
            () = tell.closed() => return,
            () = listening => {}
        }
        // Notifications may have been missed, so both kinds are reported.
        tell.send_modify(|told| (told.runs, told.pauses) = (told.runs + 1, told.pauses + 1));
        tokio::time::sleep(REST).await;
    }
}

async fn until_it_ends<T>(config: &Config, tls: T, tell: &watch::Sender<Notifications>)
where
    T: MakeTlsConnect<Socket>,
{
    let Ok((client, mut connection)) = config.connect(tls).await else { return };
    let listen = format!("LISTEN {CHANNEL}");
    let listening = client.batch_execute(&listen);
    let hearing = async {
        let (mut heard, mut told_at) = (Notifications::default(), None::<Instant>);
        loop {
            let due = told_at.map_or_else(Instant::now, |at| at + APART);
            tokio::select! {
                message = poll_fn(|context| connection.poll_message(context)) => match message {
                    Some(Ok(AsyncMessage::Notification(told))) if told.payload() == RUNS => heard.runs += 1,
                    Some(Ok(AsyncMessage::Notification(_))) => heard.pauses += 1,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
                () = tokio::time::sleep_until(due), if heard != Notifications::default() => {
                    let Notifications { runs, pauses } = std::mem::take(&mut heard);
                    tell.send_modify(|told| (told.runs, told.pauses) = (told.runs + runs, told.pauses + pauses));
                    told_at = Some(Instant::now());
                }
            }
        }
    };
    // The `LISTEN` statement makes progress only while the connection is polled too.
    tokio::select! {
        () = hearing => {}
        () = async {
            if listening.await.is_ok() {
                std::future::pending::<()>().await;
            }
        } => {}
    }
}
