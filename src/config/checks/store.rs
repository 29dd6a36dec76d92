//! `store:` and `postgres:`.

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::checker::Checker;
use crate::config::plan::{DatabaseUser, PostgresPlan, StorePlan};
use crate::config::shape::{Pooler, PostgresShape, UserShape};
use crate::config::strength::Use;
use crate::config::yaml::At;

const HINT: &str = "write `sqlite:` and a file, such as sqlite:gateway.db, or the address of a \
    PostgreSQL database, such as postgres://gateway@db.example.com/gateway";

/// The smallest number of connections: one each to accept deliveries, to dispatch runs, to poll,
/// and to settle repeats.
const LEAST: u32 = 4;

pub(super) fn store(
    checker: Checker<'_>,
    at: &At<String>,
    shape: PostgresShape,
) -> Option<StorePlan> {
    match at.value.split_once(':') {
        Some(("sqlite", file)) if !file.trim().is_empty() => {
            if let Some(id) = first_of(&shape) {
                let hint = "write `store: postgres://…`, or remove the section".to_owned();
                checker.fault(
                    Some(id),
                    "`postgres` says how to reach a store that is not used",
                    hint,
                );
            }
            Some(StorePlan::Sqlite(checker.path(file.trim())))
        }
        Some(("postgres" | "postgresql", _)) => {
            postgres(checker, at, shape).map(|plan| StorePlan::Postgres(Box::new(plan)))
        }
        _ => {
            checker.fault(at.id, "this is not a store", HINT.to_owned());
            None
        }
    }
}

/// The place of the first setting that was written in the section.
fn first_of(shape: &PostgresShape) -> Option<crate::config::yaml::Id> {
    let user = shape.user.as_ref().and_then(|at| at.id);
    let password = shape.password.as_ref().map(|entry| entry.id);
    let ca_file = shape.ca_file.as_ref().and_then(|at| at.id);
    user.or(password)
        .or(ca_file)
        .or(shape.connections.id)
        .or(shape.direct.as_ref().and_then(|at| at.id))
}

fn postgres(checker: Checker<'_>, at: &At<String>, shape: PostgresShape) -> Option<PostgresPlan> {
    if shape.connections.value < LEAST || shape.connections.value > 1000 {
        let hint = format!("write a number from {LEAST} to 1000");
        checker.fault(shape.connections.id, "this is not a usable number of connections", hint);
    }
    if let Some(at) = shape.ca_file.as_ref().filter(|at| at.value.is_empty()) {
        checker.fault(at.id, "`ca_file` is empty", "name a file, or remove the key".to_owned());
    }
    let password = shape
        .password
        .and_then(|entry| Some(checker.secret(entry.id, entry.value?, Use::database)));
    let ca_file = shape.ca_file.map(|at| checker.path(&at.value));
    let plain = |config: &Config| shape.allow_plain || (stays_here(config) && ca_file.is_none());
    let elsewhere = shape.user.is_some();
    let user = shape.user.as_ref().map(|at| user(checker, at));
    let config = address(checker, at, elsewhere)?;
    let direct = match &shape.direct {
        Some(at) => Some(address(checker, at, elsewhere)?),
        None => None,
    };
    for (at, config) in
        [Some((at, &config)), shape.direct.as_ref().zip(direct.as_ref())].into_iter().flatten()
    {
        if config.get_ssl_mode() == SslMode::Disable && !plain(config) {
            let hint =
                "remove `sslmode`, or set `postgres.allow_plain: true` if the network is trusted";
            let message = "what is kept would travel in clear";
            checker.fault(at.id, message, hint.to_owned());
        }
    }
    Some(PostgresPlan {
        shown: shown(&config),
        allow_plain: plain(&config),
        config,
        user: user.flatten(),
        password,
        ca_file,
        connections: shape.connections.value as usize,
        pooled: shape.pooler == Pooler::Transaction,
        direct,
    })
}

/// Where the user's name is: in a variable or a file, and not in both.
fn user(checker: Checker<'_>, at: &At<UserShape>) -> Option<DatabaseUser> {
    match (&at.value.env, &at.value.file) {
        (Some(name), None) if !name.is_empty() => Some(DatabaseUser::Env(name.clone())),
        (None, Some(path)) if !path.is_empty() => Some(DatabaseUser::File(checker.path(path))),
        _ => {
            let hint = "write { env: NAME } or { file: /path }; a name itself stands in `store`";
            checker.fault(at.id, "`user` says where the name is, once", hint.to_owned());
            None
        }
    }
}

/// The address of a database. `elsewhere`: its user is not named in it but by `postgres.user`.
fn address(checker: Checker<'_>, at: &At<String>, elsewhere: bool) -> Option<Config> {
    let config: Config = match at.value.parse() {
        Ok(config) => config,
        Err(_) => {
            checker.fault(at.id, "this is not the address of a database", HINT.to_owned());
            return None;
        }
    };
    let mut good = true;
    let mut fault = |message: &str, hint: &str| {
        checker.fault(at.id, message, hint.to_owned());
        good = false;
    };
    if config.get_password().is_some() {
        fault(
            "a password must not be written here",
            "write `postgres.password: { file: … }`, and remove it from the address; change it, \
             since it may have been seen",
        );
    }
    if config.get_hosts().is_empty() {
        fault("the address names no host", "write postgres://user@host/database");
    }
    if config.get_dbname().is_none_or(str::is_empty) {
        fault("the address names no database", "write postgres://user@host/database");
    }
    match (config.get_user().is_none_or(str::is_empty), elsewhere) {
        (true, false) => fault(
            "the address names no user",
            "write postgres://user@host/database, or say by `postgres.user` where its name is",
        ),
        (false, true) => fault(
            "the address names a user, and `postgres.user` another one",
            "remove what stands before the `@`, or remove `postgres.user`",
        ),
        _ => {}
    }
    good.then_some(config)
}

/// Whether the connection stays on this machine.
fn stays_here(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name.parse::<std::net::IpAddr>().map_or(name == "localhost", |ip| ip.is_loopback())
        }
        Host::Unix(_) => true,
    })
}

/// Hosts and database, as messages show them.
fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(place, host)| {
        let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => path.display().to_string(),
        }
    });
    let hosts: Vec<String> = hosts.collect();
    format!("postgres {}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}
