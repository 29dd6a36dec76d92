//! Recorded starts of jobs that have a rate limit, and the other facts about a job.

use super::Row;
use crate::store::StoreFault;
use crate::store::rules::limits::JobFacts;

/// The facts about a job. The statements of both databases give these columns by name.
pub(in crate::store) fn facts(row: &impl Row) -> Result<JobFacts, StoreFault> {
    Ok(JobFacts {
        on_the_wire: row.count("on_the_wire")?,
        has_backlog: row.flag("has_backlog")?,
        backlog_size: row.count("backlog_size")?,
        backlog_waits: row.flag("backlog_waits")?,
        in_a_minute: row.count("in_a_minute")?,
        oldest: row.maybe_moment("oldest")?,
        firsts_in_an_hour: row.count("firsts")?,
        stale: row.count("stale")?,
    })
}
