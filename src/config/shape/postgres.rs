//! `postgres:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretShape;
use crate::config::yaml::{At, Lenient};

/// How the database of `store: postgres://…` is reached. Read once, at the start; the password is asked for again
/// with each connection that is made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a section of keys and values")]
#[schemars(rename = "Postgres")]
pub(in crate::config) struct PostgresShape {
    /// The password of the user that `store` names, where the database asks for one.
    pub(in crate::config) password: Option<Lenient<SecretShape>>,
    /// A file of certificate authorities, in PEM form, to trust beside those of the system. A
    /// relative path starts at the directory of this file.
    #[schemars(example = &"/etc/ssl/corp-ca.pem")]
    pub(in crate::config) ca_file: Option<At<String>>,
    /// Allow a connection in clear to a host that is not this machine. What is kept then travels in
    /// clear. To this machine it is in clear in any case, unless there is a `ca_file`.
    pub(in crate::config) allow_plain: bool,
    /// Most connections that one process has at once, beside one to listen on.
    pub(in crate::config) connections: At<u32>,
    /// What stands between: nothing, or a pooler (such as PgBouncer in transaction mode) that hands
    /// each transaction to another connection.
    pub(in crate::config) pooler: Pooler,
    /// The database without the pooler, to hear at once what other processes tell (`LISTEN`).
    /// Without it they are heard a second later.
    #[schemars(example = &"postgres://gateway@db.example.com/gateway")]
    pub(in crate::config) direct: Option<At<String>>,
}

/// What stands between the gateway and the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Pooler")]
pub(in crate::config) enum Pooler {
    /// Nothing.
    #[default]
    None,
    /// A pooler in transaction mode. Nothing is kept in a session then, and time-outs are those of
    /// the database's user (`deploy/postgres/roles.sql` sets them).
    Transaction,
}

impl Default for PostgresShape {
    fn default() -> Self {
        Self {
            password: None,
            ca_file: None,
            allow_plain: false,
            connections: At::default_of(16),
            pooler: Pooler::None,
            direct: None,
        }
    }
}
