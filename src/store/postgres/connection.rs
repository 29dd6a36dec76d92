//! Connections to the database: makes, pools and uses them.
//!
//! Every statement has a time-out in this process as well as on the server. A connection that did not answer
//! in time is closed, so that a late answer is not taken for the answer to a later statement.

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
use crate::authorities;
use crate::error_chain::with_causes;
use crate::regular_file::{self, MOST_OF_CERTIFICATES};
use crate::store::StoreFault;

/// Time for the server to answer a statement.
const STATEMENT: Duration = Duration::from_secs(15);
/// Time to wait for a lock of another transaction.
const LOCK: Duration = Duration::from_secs(5);
/// Added to the server's own time-out, for the network.
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
    /// Whether to connect without TLS.
    pub allow_plain: bool,
    /// Most connections at once.
    pub connections: usize,
    /// Whether a pooler is in between that may use another server connection for each transaction. Session
    /// state, such as prepared statements, cannot be used then.
    pub pooled: bool,
}

/// The pool of connections.
#[derive(Clone)]
pub(super) struct Connections {
    pool: Pool,
    pooled: bool,
    alone: Arc<Semaphore>,
}

/// Why a statement failed.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) fault: StoreFault,
    /// True where the data to be written is the cause, so that other data may be accepted.
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
    /// The complete configuration of a connection, without the password.
    pub(super) fn complete(&self) -> Config {
        let mut config = self.config.clone();
        config.application_name("cdsw-gateway").connect_timeout(CONNECT);
        config.keepalives_idle(Duration::from_secs(15));
        config.tcp_user_timeout(STATEMENT + GRACE);
        config.ssl_mode(if self.allow_plain { SslMode::Disable } else { SslMode::Require });
        if !self.pooled {
            // A pooler would refuse these options, or apply them to another client's connection. With a
            // pooler, roles.sql sets them.
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
            let pem = regular_file::read(path, MOST_OF_CERTIFICATES)
                .map_err(|error| fault(error.to_string()))?;
            let certificates = CertificateDer::pem_slice_iter(&pem)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| fault(error.to_string()))?;
            if certificates.is_empty() {
                return Err(fault("it holds no certificate in PEM form".to_owned()));
            }
            extra = certificates;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = |error: rustls::Error| {
            StoreFault::Unavailable(format!("TLS: {}", authorities::explained(error.to_string())))
        };
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
    /// Limits transactions that can wait for each other's locks to half of the connections.
    pub(super) fn alone(&self) -> &Semaphore {
        &self.alone
    }

    /// A connection from the pool; a new one where none is free. Waits where all are in use.
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

    /// Runs `work` in one transaction, and rolls it back where `work` fails.
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

    /// Runs `work` in one read-only snapshot.
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

/// One connection in use. If it is dropped inside a transaction, it is closed.
pub(super) struct Connection {
    object: Option<Object>,
    named: bool,
    open: bool,
    /// A statement did not end in time, and may still be running.
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
        // Where the rollback cannot be made, `open` stays true and `drop` closes the connection.
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
                    "the database did not answer within {}",
                    crate::model::length(STATEMENT + GRACE)
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
            // The server rolls back the transaction when the connection ends.
            drop(Object::take(object));
        }
    }
}
