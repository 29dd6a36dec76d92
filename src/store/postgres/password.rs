//! The password of a connection that is just being made: it may be another one than an hour ago.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::{ConfigConnectImpl, Connect};
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Socket};

use crate::model::Secret;

/// Where a password is to be had. It is asked for each connection that is made, so that a password
/// that was changed needs no restart.
#[derive(Clone)]
pub struct Password {
    ask: Arc<dyn Fn() -> Option<Secret> + Send + Sync>,
    /// The one before, for as long as none can be had.
    last: Arc<Mutex<Option<Secret>>>,
}

impl Password {
    /// Asks for it by this, which may read a file; none where it cannot be had just now.
    pub fn new(ask: impl Fn() -> Option<Secret> + Send + Sync + 'static) -> Self {
        Self { ask: Arc::new(ask), last: Arc::default() }
    }

    async fn now(&self) -> Option<Secret> {
        let ask = Arc::clone(&self.ask);
        let asked = tokio::task::spawn_blocking(move || ask()).await.unwrap_or_default();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.is_some() {
            last.clone_from(&asked);
        }
        asked.or_else(|| last.clone())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The same configuration with the password of the moment.
pub(super) async fn with(config: &Config, password: Option<&Password>) -> Config {
    let mut config = config.clone();
    if let Some(password) = password
        && let Some(secret) = password.now().await
    {
        config.password(secret.expose());
    }
    config
}

/// Makes connections, each with the password of its moment.
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
            ConfigConnectImpl { tls: self.tls.clone() }.connect(&config).await
        })
    }
}
