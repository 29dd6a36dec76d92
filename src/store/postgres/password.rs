//! The password for new connections. It is read again for each connection, since it may have changed.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{ConfigConnectImpl, Connect};
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Socket};

use crate::model::Secret;

/// Longest wait of a new connection for the password; after that it uses the previous one.
const PATIENCE: Duration = Duration::from_secs(2);
/// Shortest time between two reports that the database refused the password.
const ANEW: Duration = Duration::from_secs(10);

/// The source of the password. Each new connection asks it, so that a changed password needs no restart.
#[derive(Clone)]
pub struct Password(Arc<Asked>);

struct Asked {
    ask: Box<dyn Fn() -> Asking + Send + Sync>,
    refused: Box<dyn Fn() + Send + Sync>,
    /// The last password, used while none can be read.
    last: Mutex<Option<Secret>>,
    /// When a refusal by the database was last reported.
    refused_at: Mutex<Option<Instant>>,
}

/// The future of a request for the password.
type Asking = Pin<Box<dyn Future<Output = Option<Secret>> + Send>>;

impl Password {
    /// Makes a source. `ask` reads the password and gives `None` where that fails now. `refused` is called
    /// when the database did not accept the password, so that a cached value is read again.
    pub fn new<F>(
        ask: impl Fn() -> F + Send + Sync + 'static,
        refused: impl Fn() + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Option<Secret>> + Send + 'static,
    {
        Self(Arc::new(Asked {
            ask: Box::new(move || Box::pin(ask())),
            refused: Box::new(refused),
            last: Mutex::default(),
            refused_at: Mutex::default(),
        }))
    }

    async fn now(&self) -> Option<Secret> {
        let answer = tokio::time::timeout(PATIENCE, (self.0.ask)()).await.ok().flatten();
        let mut last = lock(&self.0.last);
        if answer.is_some() {
            last.clone_from(&answer);
        }
        last.clone()
    }

    fn was_refused(&self) {
        let mut at = lock(&self.0.refused_at);
        if at.is_none_or(|at| at.elapsed() >= ANEW) {
            *at = Some(Instant::now());
            (self.0.refused)();
        }
    }
}

fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The configuration with the current password.
pub(super) async fn with(config: &Config, password: Option<&Password>) -> Config {
    let mut config = config.clone();
    if let Some(password) = password
        && let Some(secret) = password.now().await
    {
        config.password(secret.expose());
    }
    config
}

/// Makes connections, each with the password that is current then.
pub(super) struct Connecting<T> {
    pub(super) tls: T,
    pub(super) password: Option<Password>,
}

type Connection<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

impl<T> Connect for Connecting<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, config: &Config) -> Connection<'_> {
        let config = config.clone();
        Box::pin(async move {
            let config = with(&config, self.password.as_ref()).await;
            let connected = ConfigConnectImpl { tls: self.tls.clone() }.connect(&config).await;
            if let (Err(error), Some(password)) = (&connected, &self.password)
                && error.code().is_some_and(|code| {
                    *code == SqlState::INVALID_PASSWORD
                        || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                })
            {
                password.was_refused();
            }
            connected
        })
    }
}
