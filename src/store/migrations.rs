//! The migrations of both databases. A released migration is never changed. A new one is added at the end,
//! to both lists where both databases need it.

/// Migrations of the SQLite store, oldest first. The file's `user_version` is the number of those applied.
pub(in crate::store) const SQLITE: &[&str] = &[
    include_str!("migrations/sqlite/0001_start.sql"),
    include_str!("migrations/sqlite/0002_claims.sql"),
    include_str!("migrations/sqlite/0003_flow.sql"),
    include_str!("migrations/sqlite/0004_lawful.sql"),
    include_str!("migrations/sqlite/0005_repeats.sql"),
    include_str!("migrations/sqlite/0006_backlogs.sql"),
];

/// A migration of the PostgreSQL store. Processes of the previous version may run while it is applied.
pub(in crate::store) struct Step {
    /// Its SQL.
    pub(in crate::store) sql: &'static str,
    /// The oldest version of the tables whose programs can still use them after this migration.
    pub(in crate::store) oldest: usize,
}

/// Migrations of the PostgreSQL store, oldest first. `cdsw_gateway_schema` records how many are applied.
pub(in crate::store) const POSTGRES: &[Step] = &[
    Step { sql: include_str!("migrations/postgres/0001_start.sql"), oldest: 1 },
    // It only adds tables.
    Step { sql: include_str!("migrations/postgres/0002_replicas.sql"), oldest: 1 },
    // It only changes how the server stores rows.
    Step { sql: include_str!("migrations/postgres/0003_inline.sql"), oldest: 1 },
    // It only adds columns that may be null. What an older process keeps has no digest.
    Step { sql: include_str!("migrations/postgres/0004_repeats.sql"), oldest: 1 },
    // It only bounds what programs of every version write anyway.
    Step { sql: include_str!("migrations/postgres/0005_bounds.sql"), oldest: 1 },
    // It only adds a table, and columns with a default that older programs do not write.
    Step { sql: include_str!("migrations/postgres/0006_zones.sql"), oldest: 1 },
    // It only adds columns with defaults, and an index. A backlog of an older process has size 0.
    Step { sql: include_str!("migrations/postgres/0007_backlogs.sql"), oldest: 1 },
];
