//! Opens the store that the configuration names.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::{DatabaseUser, Live, PostgresPlan, SecretRef, StorePlan};
use crate::observe::{Observation, Observer};
use crate::random::Random;
use crate::regular_file;
use crate::store::postgres::{self, LeaseClock, Logins, Options, Password, PostgresStore};
use crate::store::sqlite::{self, Exposed, SqliteStore};
use crate::store::{Store, StoreFault};

/// Most bytes of a file that holds the name of a user.
const MOST_OF_A_NAME: u64 = 4096;

/// Opens the configured store. An SQLite file is always migrated; a PostgreSQL database only where
/// `migrate` is true.
///
/// # Errors
/// [`StoreFault`]. Its message names the store and what to do.
pub async fn open(
    live: &Live,
    random: &dyn Random,
    migrate: bool,
    observer: &Arc<Observer>,
) -> Result<Arc<dyn Store>, StoreFault> {
    match &live.plan().store {
        StorePlan::Sqlite(path) => {
            let store = SqliteStore::open(path)?;
            for file in store.exposed() {
                let Exposed { path, mode, corrected } = file;
                let (mode, corrected) = (*mode, *corrected);
                observer.tell(Observation::StoreFileExposed { path, mode, corrected });
            }
            Ok(Arc::new(store))
        }
        StorePlan::Postgres(plan) => {
            let named = |fault| naming(plan, fault);
            let options = options(live, plan, observer).await?;
            if migrate {
                postgres::migrate(&options).await.map_err(named)?;
            }
            let direct = plan.direct.clone().map(|config| Options {
                config: as_user(config, options.config.get_user()),
                pooled: false,
                ..options.clone()
            });
            let opened =
                PostgresStore::open(&options, direct.as_ref(), LeaseClock::Database, random.bits());
            Ok(Arc::new(opened.await.map_err(named)?))
        }
    }
}

/// Migrates the configured store, and says for people what was done.
///
/// # Errors
/// [`StoreFault`]. Its message names the store and what to do.
pub async fn migrate(live: &Live, observer: &Arc<Observer>) -> Result<String, StoreFault> {
    match &live.plan().store {
        StorePlan::Sqlite(path) => {
            SqliteStore::open(path)?;
            Ok(format!("{} is up to date (serve does this by itself)", path.display()))
        }
        StorePlan::Postgres(plan) => {
            let done = postgres::migrate(&options(live, plan, observer).await?)
                .await
                .map_err(|fault| naming(plan, fault))?;
            Ok(match done {
                postgres::Migrated { from, to } if from == to => {
                    format!("{} is up to date (version {to})", plan.shown)
                }
                postgres::Migrated { from, to } => {
                    format!("{}: tables brought from version {from} to {to}", plan.shown)
                }
            })
        }
    }
}

/// Grants the roles of the processes their rights in the configured store, and the roles to these logins; says for
/// people what was done.
///
/// # Errors
/// [`StoreFault`]. Its message names the store and what to do.
pub async fn grant(
    live: &Live,
    logins: &Logins,
    observer: &Arc<Observer>,
) -> Result<String, StoreFault> {
    match &live.plan().store {
        StorePlan::Sqlite(path) => Err(StoreFault::Unusable(format!(
            "{} has no roles; they are those of a PostgreSQL database",
            path.display()
        ))),
        StorePlan::Postgres(plan) => {
            let granted = postgres::grant(&options(live, plan, observer).await?, logins).await;
            granted.map_err(|fault| naming(plan, fault))?;
            let to = logins.words();
            Ok(format!("{}: the rights of each role granted{to}", plan.shown))
        }
    }
}

/// Copies the configured store as of now into a new file, also while a gateway has it open; gives the size of the
/// copy in bytes. It blocks.
///
/// # Errors
/// Why there is no copy, for people.
pub fn backup(live: &Live, to: &Path) -> Result<u64, String> {
    match &live.plan().store {
        StorePlan::Sqlite(path) => sqlite::copy(path, to).map_err(|fault| fault.to_string()),
        StorePlan::Postgres(plan) => Err(format!(
            "the store is a database ({}): copy it with pg_dump --format=custom --file={} and the address in \
             `store:`",
            plan.shown,
            to.display()
        )),
    }
}

async fn options(
    live: &Live,
    plan: &PostgresPlan,
    observer: &Arc<Observer>,
) -> Result<Options, StoreFault> {
    let password = match &plan.password {
        Some(reference) => Some(password(live, reference, observer).await?),
        None => None,
    };
    let user = user(plan).await?;
    Ok(Options {
        config: as_user(plan.config.clone(), user.as_deref()),
        password,
        ca_file: plan.ca_file.clone(),
        allow_plain: plan.allow_plain,
        connections: plan.connections,
        pooled: plan.pooled,
    })
}

/// The configuration of a connection with this user, where it names none itself.
fn as_user(mut config: tokio_postgres::Config, user: Option<&str>) -> tokio_postgres::Config {
    if let (None, Some(user)) = (config.get_user(), user) {
        config.user(user);
    }
    config
}

/// The name of the database's user, where `postgres.user` says where it is.
async fn user(plan: &PostgresPlan) -> Result<Option<String>, StoreFault> {
    let Some(place) = plan.user.clone() else { return Ok(None) };
    let read = tokio::task::spawn_blocking(move || match place {
        DatabaseUser::Env(name) => (format!("the variable {name}"), std::env::var(name).ok()),
        DatabaseUser::File(path) => {
            let text = regular_file::read(&path, MOST_OF_A_NAME).ok();
            (
                format!("the file {}", path.display()),
                text.and_then(|text| String::from_utf8(text).ok()),
            )
        }
    });
    let (place, name) = read.await.map_err(|error| StoreFault::Unavailable(error.to_string()))?;
    let name =
        name.as_deref().map(str::trim).filter(|name| !name.is_empty() && !name.contains('\0'));
    match name {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(StoreFault::Unavailable(format!("postgres.user: {place} holds no name"))),
    }
}

/// The source of the database password. Fails where the password cannot be read now.
async fn password(
    live: &Live,
    reference: &SecretRef,
    observer: &Arc<Observer>,
) -> Result<Password, StoreFault> {
    let observer = Arc::clone(observer);
    let secrets = live.secrets().clone();
    if let Err(fault) = secrets.resolve(reference).await {
        return Err(StoreFault::Unavailable(format!("postgres.password: {fault}")));
    }
    let (remembered, forgotten) = (secrets.clone(), reference.clone());
    let asked = Arc::new((secrets, reference.clone(), AtomicBool::new(false), observer));
    let ask = move || {
        let asked = Arc::clone(&asked);
        async move {
            let (secrets, reference, failing, observer) = &*asked;
            match secrets.resolve(reference).await {
                Ok(password) => {
                    failing.store(false, Ordering::Relaxed);
                    Some(password)
                }
                Err(fault) => {
                    // Reported once until it works again, since every new connection asks.
                    if !failing.swap(true, Ordering::Relaxed) {
                        let reason = &*fault.to_string();
                        observer.tell(Observation::DatabasePassword { reason });
                    }
                    None
                }
            }
        }
    };
    Ok(Password::new(ask, move || remembered.forget(&forgotten)))
}

/// The fault with the database's address in front of its message.
fn naming(plan: &PostgresPlan, fault: StoreFault) -> StoreFault {
    match fault {
        StoreFault::Unavailable(why) => StoreFault::Unavailable(format!("{}: {why}", plan.shown)),
        StoreFault::Unusable(why) => StoreFault::Unusable(format!("{}: {why}", plan.shown)),
        other => other,
    }
}
