//! Connections to the database: how they are made, kept and used.
//!
//! Every statement has its time-out on this side as well as on the server's. A connection that did
//! not answer in time is thrown away, so that nothing of it is mistaken for an answer later.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use tokio::sync::Semaphore;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::password::{Connecting, Password};
use super::values::{Param, fault, is_about_the_data};
use crate::error_chain::with_causes;
use crate::store::StoreFault;

/// Time for the server to answer a statement.
const STATEMENT: Duration = Duration::from_secs(15);
/// Time to wait for a lock that somebody else holds.
const LOCK: Duration = Duration::from_secs(5);
/// On top of the server's own time-out, for the way there and back.
const GRACE: Duration = Duration::from_secs(3);
/// Time to connect, and to wait for a connection that is in use.
const CONNECT: Duration = Duration::from_secs(5);

/// How the database is reached.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is, without a password.
    pub config: Config,
    /// The password, where one is needed.
    pub password: Option<Password>,
    /// Certificate authorities to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether the connection may be in clear.
    pub allow_plain: bool,
    /// Most connections at once.
    pub connections: usize,
    /// A pooler stands between, which hands each transaction to another connection: nothing is kept
    /// in a session.
    pub pooled: bool,
}

/// Connections that are kept.
#[derive(Clone)]
pub(super) struct Connections {
    pool: Pool,
    pooled: bool,
    alone: Arc<Semaphore>,
}

/// Why a statement did not succeed.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) fault: StoreFault,
    /// True where what was to be written is at fault, so that others may fare better.
    pub(super) data: bool,
}

impl From<Refused> for StoreFault {
    fn from(refused: Refused) -> Self {
        refused.fault
    }
}

impl From<StoreFault> for Refused {
    fn from(fault: StoreFault) -> Self {
        Self { fault, data: false }
    }
}

impl Options {
    /// The configuration with everything that a connection needs but the password.
    pub(super) fn complete(&self) -> Config {
        let mut config = self.config.clone();
        config.application_name("cdsw-gateway").connect_timeout(CONNECT);
        config.keepalives_idle(Duration::from_secs(15));
        config.tcp_user_timeout(STATEMENT + GRACE);
        config.ssl_mode(if self.allow_plain { SslMode::Disable } else { SslMode::Require });
        if !self.pooled {
            // A pooler would refuse these, or give them to somebody else. With one, roles.sql sets them.
            config.options(format!(
                "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={}",
                STATEMENT.as_millis(),
                LOCK.as_millis(),
                STATEMENT.as_millis(),
            ));
        }
        config
    }

    pub(super) fn tls(&self) -> Result<MakeRustlsConnect, StoreFault> {
        let mut extra = Vec::new();
        if let Some(path) = &self.ca_file {
            let fault = |why: String| {
                StoreFault::Unavailable(format!("postgres.ca_file {}: {why}", path.display()))
            };
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| fault(error.to_string()))?;
            if certificates.is_empty() {
                return Err(fault("it holds no certificate in PEM form".to_owned()));
            }
            extra = certificates;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = |error: rustls::Error| StoreFault::Unavailable(format!("TLS: {error}"));
        let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(tls)?;
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }

    pub(super) fn pool(&self) -> Result<Connections, StoreFault> {
        let (config, password) = (self.complete(), self.password.clone());
        let keep = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = if self.allow_plain {
            Manager::from_connect(config, Connecting { tls: NoTls, password }, keep)
        } else {
            Manager::from_connect(config, Connecting { tls: self.tls()?, password }, keep)
        };
        let pool = Pool::builder(manager)
            .max_size(self.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT))
            .create_timeout(Some(CONNECT))
            .build()
            .map_err(|error| StoreFault::Unavailable(error.to_string()))?;
        let alone = Arc::new(Semaphore::new((self.connections / 2).max(1)));
        Ok(Connections { pool, pooled: self.pooled, alone })
    }
}

impl Connections {
    /// Turns for what may wait for others of its kind: half of the connections.
    pub(super) fn alone(&self) -> &Semaphore {
        &self.alone
    }

    /// A connection, made anew where none is free.
    pub(super) async fn connection(&self) -> Result<Connection, StoreFault> {
        let object = self.pool.get().await.map_err(|error| match &error {
            deadpool_postgres::PoolError::Backend(told) => fault(told),
            deadpool_postgres::PoolError::Timeout(_) => {
                StoreFault::Unavailable("the database did not give a connection in time".to_owned())
            }
            other => StoreFault::Unavailable(with_causes(other)),
        })?;
        Ok(Connection {
            object: Some(object),
            named: !self.pooled,
            open: false,
            stuck: AtomicBool::new(false),
        })
    }

    /// Does something in one transaction.
    pub(super) async fn transact<T>(
        &self,
        work: impl AsyncFnOnce(&Connection) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let mut connection = self.connection().await?;
        connection.begin().await?;
        match work(&connection).await {
            Ok(value) => {
                connection.commit().await?;
                Ok(value)
            }
            Err(refused) => {
                connection.roll_back().await;
                Err(refused)
            }
        }
    }

    /// Reads in one snapshot.
    pub(super) async fn snapshot<T>(
        &self,
        work: impl AsyncFnOnce(&Connection) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let mut connection = self.connection().await?;
        connection.open = true;
        connection.plain("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let read = work(&connection).await;
        connection.roll_back().await;
        read
    }
}

/// One connection, in use. Dropped in the middle of a transaction, it is closed.
pub(super) struct Connection {
    object: Option<Object>,
    named: bool,
    open: bool,
    /// A statement did not end in time, and may be running still.
    stuck: AtomicBool,
}

impl Connection {
    fn object(&self) -> &Object {
        // Taken only by `drop`.
        self.object.as_ref().expect("a connection holds its connection for as long as it lives")
    }

    async fn begin(&mut self) -> Result<(), Refused> {
        self.open = true;
        self.plain("BEGIN ISOLATION LEVEL READ COMMITTED").await
    }

    async fn commit(&mut self) -> Result<(), Refused> {
        self.plain("COMMIT").await?;
        self.open = false;
        Ok(())
    }

    async fn roll_back(&mut self) {
        // One that does not answer is thrown away.
        if !self.stuck.load(Ordering::Relaxed) && self.plain("ROLLBACK").await.is_ok() {
            self.open = false;
        }
    }

    /// Runs statements without parameters.
    pub(super) async fn plain(&self, sql: &str) -> Result<(), Refused> {
        self.in_time(self.object().batch_execute(sql)).await
    }

    /// Runs a statement and gives its rows.
    pub(super) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Refused> {
        let client = self.object();
        self.in_time(async {
            if !self.named {
                return client.query_typed(sql, params).await;
            }
            let types: Vec<_> = params.iter().map(|(_, kind)| kind.clone()).collect();
            let values: Vec<_> = params.iter().map(|(value, _)| *value).collect();
            let statement = client.prepare_typed_cached(sql, &types).await?;
            client.query(&statement, &values).await
        })
        .await
    }

    /// Runs a statement that gives at most one row.
    pub(super) async fn one(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, Refused> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Runs a statement and gives how many rows it changed.
    pub(super) async fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, Refused> {
        let client = self.object();
        let changed = self
            .in_time(async {
                if !self.named {
                    return client.execute_typed(sql, params).await;
                }
                let types: Vec<_> = params.iter().map(|(_, kind)| kind.clone()).collect();
                let values: Vec<_> = params.iter().map(|(value, _)| *value).collect();
                let statement = client.prepare_typed_cached(sql, &types).await?;
                client.execute(&statement, &values).await
            })
            .await?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    async fn in_time<T>(
        &self,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Refused> {
        match tokio::time::timeout(STATEMENT + GRACE, statement).await {
            Ok(done) => done
                .map_err(|error| Refused { fault: fault(&error), data: is_about_the_data(&error) }),
            Err(_) => {
                self.stuck.store(true, Ordering::Relaxed);
                Err(StoreFault::Unavailable(format!(
                    "the database did not answer within {} s",
                    (STATEMENT + GRACE).as_secs()
                ))
                .into())
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if (self.open || self.stuck.load(Ordering::Relaxed))
            && let Some(object) = self.object.take()
        {
            // Whatever it was in the middle of is undone by the server when the connection ends.
            drop(Object::take(object));
        }
    }
}
