//! The tables of both databases, step by step. A step that was released is never changed; a new one is
//! added at the end, to both lists where both databases need it.

/// Steps of the embedded store, oldest first; the file's `user_version` counts those that it has had.
pub(in crate::store) const SQLITE: &[&str] = &[
    include_str!("migrations/sqlite/0001_start.sql"),
    include_str!("migrations/sqlite/0002_claims.sql"),
    include_str!("migrations/sqlite/0003_flow.sql"),
    include_str!("migrations/sqlite/0004_lawful.sql"),
];

/// A step of the shared store, beside which programs of the version before may go on working.
pub(in crate::store) struct Step {
    /// What it does.
    pub(in crate::store) sql: &'static str,
    /// The oldest version whose programs can use the tables after it.
    pub(in crate::store) oldest: usize,
}

/// Steps of the shared store, oldest first; `cdsw_gateway_schema` counts those that it has had.
pub(in crate::store) const POSTGRES: &[Step] = &[
    Step { sql: include_str!("migrations/postgres/0001_start.sql"), oldest: 1 },
    // It only adds tables.
    Step { sql: include_str!("migrations/postgres/0002_replicas.sql"), oldest: 1 },
    // Where a row lies is nobody's business but the server's.
    Step { sql: include_str!("migrations/postgres/0003_inline.sql"), oldest: 1 },
];
