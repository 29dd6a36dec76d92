//! What an operator sees of the queue: runs by job and state, backlogs, and what failed lately. Both databases
//! understand these statements. Each finds its runs by an index over their state.

use super::Row;
use crate::store::{BacklogRow, Failures, QueueRow, RouteFile, StoreFault};

/// Runs that have not ended, by job and state. The names of jobs may be anything, and any number, where another
/// process writes them, so both are bounded.
pub(in crate::store) const ROWS: &str = "\
    WITH open (job, state, runs, first) AS ( \
        SELECT job, 'waiting', count(*), min(seq) FROM runs \
          WHERE blocked = 1 AND state = 'waiting' GROUP BY job \
        UNION ALL SELECT job, 'queued', count(*), min(seq) FROM runs WHERE state = 'queued' GROUP BY job \
        UNION ALL SELECT job, 'sending', count(*), min(seq) FROM runs WHERE state = 'sending' GROUP BY job \
        UNION ALL SELECT job, 'held', count(*), min(seq) FROM runs WHERE state = 'held' GROUP BY job) \
    SELECT substr(open.job, 1, 300) AS job, open.state, open.runs, \
      (SELECT accepted_at FROM runs WHERE runs.seq = open.first) AS oldest \
    FROM open ORDER BY open.runs DESC, open.job, open.state LIMIT 1000";

/// Backlogs that are being released at a pace.
pub(in crate::store) const BACKLOGS: &str = "\
    SELECT substr(backlogs.job, 1, 300) AS job, backlogs.size, backlogs.since, \
      (SELECT count(*) FROM runs WHERE runs.state = 'queued' AND runs.job = backlogs.job \
         AND runs.seq <= backlogs.up_to) AS remaining \
    FROM backlogs ORDER BY backlogs.job LIMIT 1000";

/// Queued runs of the job `$1` whose deadline is before `$2`.
pub(in crate::store) const LATE: &str =
    "SELECT count(*) AS runs FROM runs WHERE state = 'queued' AND job = $1 AND deadline_at < $2";

/// Runs that have failed since `$1`, by job.
pub(in crate::store) const FAILED: &str = "\
    SELECT substr(job, 1, 300) AS job, count(*) AS runs, min(changed_at) AS first, max(changed_at) AS last \
    FROM runs WHERE state = 'failed' AND changed_at >= $1 GROUP BY job ORDER BY 2 DESC, 1 LIMIT 1000";

/// The kept versions of route files. A longer text than any file may have is not read.
pub(in crate::store) const ROUTE_FILES: &str = "SELECT name, text, kept_at FROM route_files WHERE octet_length(text) <= 16777216 ORDER BY name LIMIT 10000";

/// Keeps the text `$2` of the file `$1` since `$3`; a text that is kept already keeps its time.
pub(in crate::store) const KEEP_ROUTE_FILE: &str = "\
    INSERT INTO route_files (name, text, kept_at) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET text = excluded.text, kept_at = excluded.kept_at \
    WHERE route_files.text <> excluded.text";

pub(in crate::store) fn route_file(row: &impl Row) -> Result<RouteFile, StoreFault> {
    Ok(RouteFile {
        name: row.text("name")?,
        text: row.text("text")?,
        kept_at: row.moment("kept_at")?,
    })
}

pub(in crate::store) fn row(row: &impl Row) -> Result<QueueRow, StoreFault> {
    Ok(QueueRow {
        job: row.text("job")?,
        state: row.spelled("state")?,
        runs: row.count("runs")?,
        oldest: row.moment("oldest")?,
    })
}

pub(in crate::store) fn backlog(row: &impl Row) -> Result<BacklogRow, StoreFault> {
    Ok(BacklogRow {
        job: row.text("job")?,
        size: row.count("size")?,
        left: row.count("remaining")?,
        since: row.maybe_moment("since")?,
    })
}

pub(in crate::store) fn failures(row: &impl Row) -> Result<Failures, StoreFault> {
    Ok(Failures {
        job: row.text("job")?,
        runs: row.count("runs")?,
        first: row.moment("first")?,
        last: row.moment("last")?,
    })
}
