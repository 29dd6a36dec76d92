//! `postgres:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretShape;
use crate::config::yaml::{At, Lenient};

/// How to connect to the database of `store: postgres://…`. It is read once, when the gateway
/// starts. The password is looked up again for each new connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a section of keys and values")]
#[schemars(rename = "Postgres")]
pub(in crate::config) struct PostgresShape {
    /// The database's user, where the address in `store` names none. Processes of different roles then
    /// run with the same files, and each finds its own user in its environment or in a file.
    pub(in crate::config) user: Option<At<UserShape>>,
    /// The password of the database's user, if the database asks for one.
    pub(in crate::config) password: Option<Lenient<SecretShape>>,
    /// A file of certificate authorities, in PEM format, to trust in addition to those of the
    /// system. A relative path is relative to the directory of this file.
    #[schemars(example = &"/etc/ssl/corp-ca.pem")]
    pub(in crate::config) ca_file: Option<At<String>>,
    /// Allow an unencrypted connection to a host that is not this machine. Everything that is
    /// stored is then sent unencrypted. A connection to this machine is unencrypted in any case,
    /// unless there is a `ca_file`.
    pub(in crate::config) allow_plain: bool,
    /// The largest number of connections that one process opens, not counting the one for `LISTEN`.
    pub(in crate::config) connections: At<u32>,
    /// What is between the gateway and the database: nothing, or a pooler (such as PgBouncer in
    /// transaction mode) that may run each transaction on a different connection.
    pub(in crate::config) pooler: Pooler,
    /// The address of the database without the pooler, used to receive notifications from other
    /// processes at once (`LISTEN`). Without it, they are noticed a second later.
    #[schemars(example = &"postgres://gateway@db.example.com/gateway")]
    pub(in crate::config) direct: Option<At<String>>,
}

/// Where the name of the database's user is: `env` or `file`. It is read when the process starts.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a reference: `env` or `file`")]
#[schemars(rename = "UserReference", extend("minProperties" = 1, "maxProperties" = 1))]
pub(in crate::config) struct UserShape {
    /// The name of an environment variable of the gateway process that holds the user's name.
    #[schemars(example = &"GATEWAY_DATABASE_USER")]
    pub(in crate::config) env: Option<String>,
    /// A file that holds the user's name, such as the key `username` of a mounted Secret. A relative
    /// path is relative to the directory of this file.
    #[schemars(example = &"/run/secrets/database/username")]
    pub(in crate::config) file: Option<String>,
}

/// What is between the gateway and the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Pooler")]
pub(in crate::config) enum Pooler {
    /// Nothing.
    #[default]
    None,
    /// A pooler in transaction mode. The gateway then sets nothing in a session, so the time-outs
    /// are those of the database user (`deploy/postgres/roles.sql` sets them).
    Transaction,
}

impl Default for PostgresShape {
    fn default() -> Self {
        Self {
            user: None,
            password: None,
            ca_file: None,
            allow_plain: false,
            connections: At::default_of(16),
            pooler: Pooler::None,
            direct: None,
        }
    }
}
